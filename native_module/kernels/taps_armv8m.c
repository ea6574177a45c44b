// anne_most_words_s8 and anne_mean_words_s8 on the Cortex-M33: four channels of a word at once.
//
// SSUB8 notes for each byte which of two is the greater, and SEL takes it. Sums are taken in 16-bit lanes, which
// SXTAB16 adds two bytes to: at most 255 taps of int8, so none is beyond 255 * 128 < 2^15.
#include <string.h>

#include "kernels/processor.h"
#include "kernels/taps.h"

#ifdef ANNE_ARMV8M

static inline uint32_t word_at(const int8_t *x) {
    uint32_t word;
    memcpy(&word, __builtin_assume_aligned(x, 4), sizeof word);
    return word;
}

static inline uint32_t most_bytes(uint32_t a, uint32_t b) {
    uint32_t most;
    __asm__("ssub8 %0, %1, %2\n\tsel %0, %1, %2" : "=&r"(most) : "r"(a), "r"(b) : "cc");
    return most;
}

static uint32_t most_word(const int8_t *x, const anne_grid_t *grid) {
    uint32_t most = word_at(x);
    for (uint32_t i = grid->rows;;) {
        const int8_t *p = x;
        for (uint32_t j = grid->columns;;) {
            most = most_bytes(most, word_at(p));
            if (--j == 0) { // else the last step might lead beyond the tensor
                break;
            }
            p += grid->column_step;
        }
        if (--i == 0) {
            return most;
        }
        x += grid->row_step;
    }
}

void anne_most_words_s8(const int8_t *x, const anne_grid_t *grid, uint32_t n, int8_t *y) {
    const anne_grid_t own = *grid; // y might be taken for a part of it
    for (uint32_t i = 0; i < own.windows; i++) {
        const int8_t *window = x + (int32_t)i * own.window_step;
        for (const int8_t *end = window + n; window != end; window += 4, y += 4) {
            const uint32_t most = most_word(window, &own);
            memcpy(y, &most, sizeof most);
        }
    }
}

typedef struct {
    uint32_t even; // the sums of bytes 0 and 2, in halves
    uint32_t odd;
} lanes_t;

static lanes_t sum_words(const int8_t *x, const anne_grid_t *grid) {
    lanes_t sums = {0, 0};
    for (uint32_t i = grid->rows;;) {
        const int8_t *p = x;
        for (uint32_t j = grid->columns;;) {
            const uint32_t word = word_at(p);
            __asm__("sxtab16 %0, %0, %1" : "+r"(sums.even) : "r"(word));
            __asm__("sxtab16 %0, %0, %1, ror #8" : "+r"(sums.odd) : "r"(word));
            if (--j == 0) {
                break;
            }
            p += grid->column_step;
        }
        if (--i == 0) {
            return sums;
        }
        x += grid->row_step;
    }
}

// Of a sum to which 128 for each tap, and what rounds, are added.
static inline uint32_t mean(int32_t sum, uint32_t added, const anne_mean_t *how) {
    const uint32_t above = (uint32_t)sum + added;
    return ((above - (above < how->middle)) * how->multiplier >> 24) ^ 0x80;
}

void anne_mean_words_s8(const int8_t *x, const anne_grid_t *grid, uint32_t n, int8_t *y, const anne_mean_t *how) {
    const anne_grid_t own = *grid;
    const anne_mean_t to = *how;
    const uint32_t added = 128 * own.rows * own.columns + (to.start & 0xffff);
    for (uint32_t i = 0; i < own.windows; i++) {
        const int8_t *window = x + (int32_t)i * own.window_step;
        for (const int8_t *end = window + n; window != end; window += 4, y += 4) {
            const lanes_t sums = sum_words(window, &own);
            y[0] = (int8_t)mean((int16_t)sums.even, added, &to);
            y[1] = (int8_t)mean((int16_t)sums.odd, added, &to);
            y[2] = (int8_t)mean((int32_t)sums.even >> 16, added, &to);
            y[3] = (int8_t)mean((int32_t)sums.odd >> 16, added, &to);
        }
    }
}

#endif
