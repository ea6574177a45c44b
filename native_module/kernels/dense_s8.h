// Dense layer on int8 weights and int8 activations, with exact sums of 32 bits.
#ifndef ANNE_DENSE_S8_H
#define ANNE_DENSE_S8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernels/in_ram.h"
#include "kernels/processor.h"

#define ANNE_DENSE_S8_MAX_IN 16383

// Columns of a packed row: n_in rounded up to a multiple of 4. n_in at most 2^20.
static inline uint32_t anne_dense_s8_columns(uint32_t n_in) {
    return (n_in + 3) / 4 * 4;
}

// Words of packed weights (FORMAT.md, layout s8_quad): one for each column of each four rows.
static inline uint64_t anne_dense_s8_words(uint32_t n_in, uint32_t n_out) {
    return (uint64_t)anne_dense_s8_columns(n_in) * ((n_out + 3) / 4);
}

// So many columns are summed before the sums are widened: up to 511 any sum of products of int8 is below 2^23 in
// magnitude (511 * 128 * 128), and 508 is a multiple of 4.
#define ANNE_DENSE_S8_PANEL 508

// Words of scratch: the columns of a panel.
static inline uint32_t anne_dense_s8_scratch(uint32_t n_in) {
    return anne_dense_s8_columns(n_in < ANNE_DENSE_S8_PANEL ? n_in : ANNE_DENSE_S8_PANEL);
}

// acc[r] = bias[r] + sum over j of w[r][j] x[j] for n_out rows, exact for any weights and x; below 2^29 in magnitude
// if |bias| <= 2^28 and n_in <= ANNE_DENSE_S8_MAX_IN. `weights` as packed; weights, bias, x, scratch and acc 4-byte
// aligned; acc may be bias itself. n_in, n_out >= 1.
void anne_dense_s8_quad(const uint32_t *weights, const int32_t *bias, const int8_t *x, uint32_t n_in, uint32_t n_out,
                        int32_t *scratch, int32_t *acc);

// The same for n_out rows from `first`, a multiple of 8, of weights that are packed with `rows` rows; bias begins at
// the first of them.
void anne_dense_s8_band(const uint32_t *weights, uint32_t rows, uint32_t first, const int32_t *bias, const int8_t *x,
                        uint32_t n_in, uint32_t n_out, int32_t *scratch, int32_t *acc);

// Its parts, on Cortex-M0+ in armv6m/dense_s8.S.
// expanded = x, then zeros up to a multiple of 4; returns the sum of x.
ANNE_IN_RAM int32_t anne_expand_s8(const int8_t *x, uint32_t n_in, int32_t *expanded);
// acc[r] = bias[r] + sum of w x over one panel of at most ANNE_DENSE_S8_PANEL columns, a multiple of 4.
ANNE_IN_RAM void anne_dense_s8_panel(const uint32_t *weights, const int32_t *bias, const int32_t *x, uint32_t columns,
                                     uint32_t n_out, int32_t *acc, int32_t sum_x);

// The same as anne_dense_s8_quad for n_in up to ANNE_DENSE_S8_PANEL. In line, as calls would be noticed in small
// layers.
static inline void anne_dense_s8_one_panel(const uint32_t *weights, const int32_t *bias, const int8_t *x, uint32_t n_in,
                                           uint32_t n_out, int32_t *scratch, int32_t *acc) {
    int32_t sum_x = anne_expand_s8(x, n_in, scratch);
    anne_dense_s8_panel(weights, bias, scratch, anne_dense_s8_columns(n_in), n_out, acc, sum_x);
}

#ifdef ANNE_REPACKS // dense_s8_armv8m.c
// Rewrites the packed weights of n_out rows of n_in in place as anne_dense_s8_rows has them; or `back`.
void anne_dense_s8_repack(uint32_t *weights, uint32_t n_in, uint32_t n_out, bool back);

// As anne_dense_s8_band, with weights that are rewritten so.
void anne_dense_s8_rows(const uint32_t *weights, uint32_t rows, uint32_t first, const int32_t *bias, const int8_t *x,
                        uint32_t n_in, uint32_t n_out, int32_t *scratch, int32_t *acc);
#endif

#endif // ANNE_DENSE_S8_H
