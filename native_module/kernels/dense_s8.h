// Dense layer on int8 weights and int8 activations, with exact sums of 32 bits.
#ifndef ANNE_DENSE_S8_H
#define ANNE_DENSE_S8_H

#include <stddef.h>
#include <stdint.h>

// --- Quads: four rows a word (FORMAT.md, layout s8_quad)

// Columns of a packed row: n_in rounded up to a multiple of 4. n_in at most 2^20.
static inline uint32_t anne_dense_s8_columns(uint32_t n_in) {
    return (n_in + 3) / 4 * 4;
}

// Words of packed weights: a word for each column of each four rows.
static inline uint64_t anne_dense_s8_words(uint32_t n_in, uint32_t n_out) {
    return (uint64_t)anne_dense_s8_columns(n_in) * ((n_out + 3) / 4);
}

// Up to this many columns every row's sum is below 2^23 in magnitude, whatever weights and x are: 511 * 128 * 128.
#define ANNE_DENSE_S8_ANY_COLUMNS 511

// expanded[0..columns-1] = x, then zeros.
void anne_expand_s8(const int8_t *x, uint32_t n_in, int32_t *expanded);

// acc[r] = bias[r] + sum over j of w[r][j] x[j] for n_out rows. `weights` as packed, `x` expanded.
// Exact if every row's sum without the bias is below 2^23 in magnitude (up to 511 columns it always is; the loader
// proves it for more) and |bias| <= 2^30.
void anne_dense_s8_quad(const uint32_t *weights, const int32_t *bias, const int32_t *x, uint32_t columns,
    uint32_t n_out, int32_t *acc);

// --- Rows: a byte a weight, row after row (layout s8_rows), for rows too long or too heavy for quads

// acc[r] = bias[r] + sum over j of weights[r][j] x[j]; n_in at most 65535 and |bias| <= 2^30, so no sum overflows.
void anne_dense_s8_rows(const int8_t *weights, const int32_t *bias, const int8_t *x, uint32_t n_in, uint32_t n_out,
    int32_t *acc);

#endif // ANNE_DENSE_S8_H
