// Dense layer on int4 weights (-8 to 7) and int8 activations: half a byte a weight.
#ifndef ANNE_DENSE_S4_H
#define ANNE_DENSE_S4_H

#include <stdint.h>

#include "kernels/in_ram.h"

#define ANNE_DENSE_S4_MAX_IN 16383

// The magnitudes of a row's weights in one panel of columns add up to no more than this: then each sum of products with
// int8 fits 16 bits (255 * 128 < 2^15). Any 28 columns do; the converter finds how many the actual weights allow.
#define ANNE_DENSE_S4_HEAVIEST 255

// Columns of a packed row: n_in rounded up to a multiple of 4.
static inline uint32_t anne_dense_s4_columns(uint32_t n_in) {
    return (n_in + 3) / 4 * 4;
}

// Words of packed weights (FORMAT.md, layout s4): one for each column of each eight rows. `panel` is a multiple of
// 4, so that only the last panel is padded.
static inline uint64_t anne_dense_s4_words(uint32_t n_in, uint32_t n_out) {
    return (uint64_t)anne_dense_s4_columns(n_in) * ((n_out + 7) / 8);
}

// Words of scratch for x, and of acc.
static inline uint32_t anne_dense_s4_scratch(uint32_t n_in, uint32_t panel) {
    return anne_dense_s4_columns(n_in < panel ? n_in : panel);
}

static inline uint32_t anne_dense_s4_rows(uint32_t n_out) {
    return (n_out + 7) / 8 * 8;
}

// acc[r] = bias[r] + sum over j of w[r][j] x[j] for n_out rows, exact where no row's magnitudes in a panel exceed
// ANNE_DENSE_S4_HEAVIEST; below 2^29 in magnitude if |bias| <= 2^28 and n_in <= ANNE_DENSE_S4_MAX_IN. acc has room for
// anne_dense_s4_rows(n_out); all 4-byte aligned. n_in, n_out >= 1, panel a multiple of 4, not 0.
void anne_dense_s4(const uint32_t *weights, const int32_t *bias, const int8_t *x, uint32_t n_in, uint32_t n_out,
                   uint32_t panel, int32_t *scratch, int32_t *acc);

// Its inner part, on Cortex-M0+ in armv6m/dense_s4.S: acc = bias + sums over one panel, for eights of rows.
ANNE_IN_RAM void anne_dense_s4_panel(const uint32_t *weights, const int32_t *bias, const int32_t *x, uint32_t columns,
                                     uint32_t eights, int32_t *acc, int32_t sum_x);

#endif // ANNE_DENSE_S4_H
