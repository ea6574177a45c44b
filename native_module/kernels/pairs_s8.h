// int8 weights as the Cortex-M33 multiplies them fastest, two rows and two columns in a word (dense_s8_armv8m.c).
#ifndef ANNE_PAIRS_S8_H
#define ANNE_PAIRS_S8_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "kernels/requantize.h"

#include "kernels/processor.h"

#ifdef ANNE_REPACKS

// In armv8m/pairs_s8.S: rows the words of which are 8, or 16, bytes further on for the next two columns.
typedef void anne_pairs_rows_t(const uint32_t *weights, const int32_t *bias, const uint32_t *x, uint32_t columns,
                               int32_t start, uint32_t n_out, int32_t *acc);
anne_pairs_rows_t anne_pairs_s8_rows_8, anne_pairs_s8_rows_16;
// The same of four rows of two pixels, as they begin and end.
typedef void anne_pairs_sums_t(const uint32_t *weights, const uint32_t *pairs, uint32_t columns, uint32_t *sums);
anne_pairs_sums_t anne_pairs_s8_sums_8, anne_pairs_s8_sums_16;

// Two pixels of rows by fours, and their results where nothing but a byte limits them, and no sum is shifted to the
// left. The fields are in the order in which armv8m/pairs_s8.S takes them.
typedef struct {
    const uint32_t *weights;
    const uint32_t *pairs; // as for the sums
    uint32_t columns;      // of one panel, a multiple of 4
    uint32_t fours;        // not 0
    uint32_t starts[2];    // -128 times the sum of what each pixel's window sees
    const int32_t *bias;
    const anne_rescale_t *factors;
    int8_t *y[2];
    int32_t offset; // twice the zero point, and what rounds
    uint32_t own[2];
} anne_pairs_job_t;

void anne_pairs_s8_results_8(anne_pairs_job_t *job), anne_pairs_s8_results_16(anne_pairs_job_t *job);

// Rows 4 i to 4 i + 3 of a panel with so many rows and columns: where they begin, and whether they are half of eight,
// whose words alternate.
typedef struct {
    const uint32_t *weights;
    bool alternates;
} anne_pairs_four_t;

static inline anne_pairs_four_t anne_pairs_four(const uint32_t *panel, uint32_t i, uint32_t rows, uint32_t columns) {
    return (anne_pairs_four_t){panel + i / 2 * 2 * columns + i % 2 * 2, (i | 1) * 4 < rows};
}

// A word of four x as two of halves: x0 and x2, x1 and x3.
typedef struct {
    uint32_t even;
    uint32_t odd;
} anne_spread_t;

static inline anne_spread_t anne_spread(uint32_t word) {
    anne_spread_t spread;
    __asm__("sxtb16 %0, %1" : "=r"(spread.even) : "r"(word));
    __asm__("sxtb16 %0, %1, ror #8" : "=r"(spread.odd) : "r"(word));
    return spread;
}

// sum + all four.
static inline int32_t anne_spread_sum(anne_spread_t spread, int32_t sum) {
    const uint32_t ones = 0x00010001;
    __asm__("smlad %0, %1, %2, %0" : "+r"(sum) : "r"(spread.even), "r"(ones));
    __asm__("smlad %0, %1, %2, %0" : "+r"(sum) : "r"(spread.odd), "r"(ones));
    return sum;
}

#endif

#endif // ANNE_PAIRS_S8_H
