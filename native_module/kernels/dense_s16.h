// Dense layer on int16 weights and int16 activations.
#ifndef ANNE_DENSE_S16_H
#define ANNE_DENSE_S16_H

#include <stdint.h>

#include "kernels/in_ram.h"
#include "kernels/processor.h"

// Words of a packed row: one for two columns.
static inline uint32_t anne_dense_s16_pairs(uint32_t n_in) {
    return (n_in + 1) / 2;
}

// Words of packed weights (FORMAT.md, layout s16): a word for two columns of a row. While six or more rows are left,
// the words of six rows alternate; the rest come row after row.
static inline uint64_t anne_dense_s16_words(uint32_t n_in, uint32_t n_out) {
    return (uint64_t)anne_dense_s16_pairs(n_in) * n_out;
}

// Where the word with columns 2 pair and 2 pair + 1 of row r is. It is w[0] + 2^15 + 2^16 w[1].
static inline uint32_t anne_dense_s16_index(uint32_t n_in, uint32_t n_out, uint32_t r, uint32_t pair) {
    uint32_t pairs = anne_dense_s16_pairs(n_in);
    return r < n_out / 6 * 6 ? r / 6 * 6 * pairs + 6 * pair + r % 6 : r * pairs + pair;
}

// Words of scratch: x in pairs.
static inline uint32_t anne_dense_s16_scratch(uint32_t n_in) {
    return 2 * anne_dense_s16_pairs(n_in);
}

// acc[r] = bias[r] + sum over j of w[r][j] x[j], modulo 2^32: exact where the loader has proven
// 32768 sum |w[r]| + |bias[r]| < 2^31, which the converter reaches by choosing each row's scale. `weights` as packed;
// weights, bias, scratch and acc 4-byte, x 2-byte aligned. n_in, n_out >= 1.
void anne_dense_s16(const uint32_t *weights, const int32_t *bias, const int16_t *x, uint32_t n_in, uint32_t n_out,
                    int32_t *scratch, int32_t *acc);

// Its inner part, on Cortex-M0+ in armv6m/dense_s16.S: acc[r] = bias[r] + start + sum over pairs of
// P x[0] + (P >> 16) x[1], modulo 2^32, x being `pairs` pairs.
ANNE_IN_RAM void anne_dense_s16_sums(const uint32_t *weights, const int32_t *bias, const int32_t *x, uint32_t pairs,
                                     uint32_t n_out, int32_t *acc, uint32_t start);

#ifdef ANNE_REPACKS
// Rewrites the packed weights in place, w[0] without 2^15 more; once more, back. Then the sums of those.
void anne_dense_s16_repack(uint32_t *weights, uint32_t n_in, uint32_t n_out);
void anne_dense_s16_repacked(const uint32_t *weights, const int32_t *bias, const int16_t *x, uint32_t n_in,
                             uint32_t n_out, int32_t *scratch, int32_t *acc);
#endif

#endif // ANNE_DENSE_S16_H
