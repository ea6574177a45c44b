// The sum or the greatest of many elements, for neighbours at once: what pools and reductions have in common.
#ifndef ANNE_TAPS_H
#define ANNE_TAPS_H

#include <stdint.h>

#include "kernels/in_ram.h"

// Neighbours that are taken in one call: what a caller keeps on its stack.
#define ANNE_TAPS_MOST 16

// By what sums are divided, worked out once so that no loop divides.
typedef struct {
    uint32_t n;          // 1 to 2^20
    uint32_t bits;       // 2^(bits - 1) <= n < 2^bits
    uint32_t reciprocal; // floor(2^(30 + bits) / n), 2^30 < reciprocal <= 2^31
} anne_count_t;

anne_count_t anne_count(uint32_t n);

// acc / n, halves away from zero, for |acc| <= 2^15 n, and n <= 2^15 or |acc| <= 2^27.
static inline int32_t anne_divide(int32_t acc, const anne_count_t *count) {
    uint32_t sign = (uint32_t)(acc >> 31), v = (((uint32_t)acc ^ sign) - sign) + count->n / 2;
    uint32_t q = (v >> (count->bits - 1)) * (count->reciprocal >> 15) >> 16; // or up to 3 too small (taps.c)
    for (uint32_t rest = v - q * count->n; rest >= count->n; rest -= count->n) {
        q++;
    }
    return (int32_t)((q ^ sign) - sign);
}

// Taps that lie in rows, so many elements apart; 1 to 2^20 of them in all.
typedef struct {
    uint32_t rows;
    uint32_t columns;
    int32_t row_step;
    int32_t column_step;
    const anne_count_t *divisor; // of anne_sum_f32 alone
    uint32_t windows;            // of the functions on words alone: the taps of so many, so many elements apart
    int32_t window_step;
} anne_grid_t;

// result[c] for 0 <= c < n, 1 <= n <= ANNE_TAPS_MOST, of the taps that begin with element x[c].
typedef void anne_taps_of_t(const void *x, const anne_grid_t *grid, uint32_t n, int32_t *result);

// The sum: of int8 below 2^28 in magnitude; of int16 with at most 2^15 taps up to 2^30; of float32 the bits of the sum
// by the divisor, rounded once, 0 for a denormal; NaN and infinities as IEEE 754 has them.
anne_taps_of_t anne_sum_s8, anne_sum_s16, anne_sum_f32;

// The greatest; of float32 its key.
anne_taps_of_t anne_most_s8, anne_most_s16, anne_most_f32;

// y[i n + c] = the greatest of window i < windows, for 0 <= c < n, n above 0; x, n and all steps are multiples of 4.
ANNE_IN_RAM void anne_most_words_s8(const int8_t *x, const anne_grid_t *grid, uint32_t n, int8_t *y);

// How a sum of up to ANNE_MEAN_TAPS int8 becomes their mean (taps.c), for n that count.
#define ANNE_MEAN_TAPS 255
typedef struct {
    uint32_t start;      // 0x10001 (floor(n / 2) + 128 more than the zero point, for each tap that is not there)
    uint32_t middle;     // 128 n + n / 2 if n is even, else 0
    uint32_t multiplier; // 2^24 / n, rounded up
} anne_mean_t;

// y[i n + c] = the mean, halves away from zero, likewise; y is a multiple of 4, too.
ANNE_IN_RAM void anne_mean_words_s8(const int8_t *x, const anne_grid_t *grid, uint32_t n, int8_t *y,
                                    const anne_mean_t *how);

// The greatest of what has every bit inverted, of float32 the key of what has the sign inverted: so the least is that,
// inverted once more, and a NaN still wins.
anne_taps_of_t anne_least_s8, anne_least_s16, anne_least_f32;

// The bits of floats as integers in the order of floats, -0 below 0, and every NaN above all numbers; and back.
static inline int32_t anne_key_of(uint32_t bits) {
    return (int32_t)((bits ^ (uint32_t)((int32_t)bits >> 31) >> 1) - 0x7fffff);
}

static inline uint32_t anne_bits_of_key(int32_t key) {
    uint32_t ordered = (uint32_t)key + 0x7fffff;
    return ordered ^ (uint32_t)((int32_t)ordered >> 31) >> 1;
}

#endif // ANNE_TAPS_H
