// A convolution on int8, without a copy of what its window sees: the three products of dense_s8.c, run after run.
//
// A, B and G of four rows are sums over columns, whatever order they come in and wherever x lies. So a window of 3 by 3
// is three runs of the image, and the weights go on where the last run ended. Where channels are a multiple of 4, x
// comes four numbers a word, which costs 8 cycles for them on a Cortex-M0+ instead of 12; the weights' words, 8 for
// each, are the rest.
//
// dense_s8.c has the algebra and the proof: in a panel of up to 511 columns each sum is below 2^23. The 128 that each
// weight has too much is taken off with the sum of x, which is found once for all rows: in words of four, two 16-bit
// lanes of which take 2 * 255 a word, at most 127 * 510 < 2^16 in a panel.
#include "kernels/conv_s8.h"

#include <string.h>

#include "kernels/quad_s8.h"

static inline uint32_t word_of(const int8_t *x) {
    uint32_t word;
    memcpy(&word, __builtin_assume_aligned(x, 4), sizeof word);
    return word;
}

static inline const int8_t *numbers_of(const anne_seen_s8_t *seen, const anne_run_t *run) {
    return run->at == ANNE_OUTSIDE ? seen->outside : seen->x + run->at;
}

// The sum of what is seen by the runs.
static int32_t sum_of(const anne_seen_s8_t *seen, const anne_run_t *run, const anne_run_t *end) {
    int32_t sum = 0;
    for (; run != end; run++) {
        const int8_t *x = numbers_of(seen, run), *end_of_x = x + run->n;
        if (seen->whole_words) {
            uint32_t lanes = 0;
            for (; x != end_of_x; x += 4) {
                uint32_t word = word_of(x) ^ 0x80808080; // + 128 each
                lanes += (word & 0x00ff00ff) + (word >> 8 & 0x00ff00ff);
            }
            sum += (int32_t)((lanes & 0xffff) + (lanes >> 16)) - 128 * (int32_t)run->n;
        } else {
            while (x != end_of_x) {
                sum += *x++;
            }
        }
    }
    return sum;
}

// Four rows; their words are `step` apart.
static inline void four_rows(const uint32_t *weights, const uint32_t step, const anne_seen_s8_t *seen,
                             const anne_run_t *run, const anne_run_t *end, anne_quad_s8_t sums, int32_t *decoded) {
    for (; run != end; run++) {
        const int8_t *x = numbers_of(seen, run), *end_of_x = x + run->n;
        if (seen->whole_words) {
#pragma GCC unroll 1
            do {
                uint32_t word = word_of(x);
                x += 4;
                anne_quad_add(&sums, weights[0], (uint32_t)(int8_t)(word & 0xff));
                anne_quad_add(&sums, weights[step], (uint32_t)((int32_t)(word << 16) >> 24));
                anne_quad_add(&sums, weights[2 * step], (uint32_t)((int32_t)(word << 8) >> 24));
                anne_quad_add(&sums, weights[3 * step], (uint32_t)((int32_t)word >> 24));
                weights += 4 * step;
            } while (x != end_of_x);
        } else {
#pragma GCC unroll 1
            do {
                anne_quad_add(&sums, *weights, (uint32_t)*x++);
                weights += step;
            } while (x != end_of_x);
        }
    }
    anne_quad_decode(&sums, decoded);
}

static void panel(const uint32_t *weights, const int32_t *bias, const anne_seen_s8_t *seen, const anne_run_t *first,
                  const anne_run_t *end, uint32_t columns, uint32_t n_out, int32_t *acc) {
    const anne_quad_s8_t start = anne_quad_start(sum_of(seen, first, end));
    for (uint32_t r = 0; r < n_out; r += 8) {
        int32_t sums[8];
        if (n_out - r > 4) { // words of eight rows alternate
            four_rows(weights, 2, seen, first, end, start, sums);
            four_rows(weights + 1, 2, seen, first, end, start, sums + 4);
            weights += 2 * columns;
        } else {
            four_rows(weights, 1, seen, first, end, start, sums);
        }
        for (uint32_t i = 0; i < 8 && r + i < n_out; i++) {
            acc[r + i] = sums[i] + bias[r + i];
        }
    }
}

void anne_conv_s8(const uint32_t *weights, const int32_t *bias, const anne_seen_s8_t *seen, uint32_t n_in,
                  uint32_t n_out, int32_t *acc) {
    const anne_run_t *run = seen->runs;
    while (n_in > 0) {
        const anne_run_t *first = run;
        uint32_t n = n_in < ANNE_DENSE_S8_PANEL ? n_in : ANNE_DENSE_S8_PANEL;
        for (uint32_t found = 0; found < n; run++) {
            found += run->n;
        }
        panel(weights, bias, seen, first, run, anne_dense_s8_columns(n), n_out, acc);
        weights += anne_dense_s8_words(n, n_out);
        bias = acc;
        n_in -= n;
    }
}
