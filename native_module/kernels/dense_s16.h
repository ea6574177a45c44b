// Dense layer on int16 weights and int16 activations.
#ifndef ANNE_DENSE_S16_H
#define ANNE_DENSE_S16_H

#include <stdint.h>

// acc[r] = bias[r] + sum over j of weights[r][j] x[j]; weights (n_out, n_in), row after row. Sums have 32 bits: the
// loader proves 32768 sum |weights[r]| + |bias[r]| < 2^31, which the converter reaches by choosing each row's scale.
void anne_dense_s16(const int16_t *weights, const int32_t *bias, const int16_t *x, uint32_t n_in, uint32_t n_out,
    int32_t *acc);

#endif // ANNE_DENSE_S16_H
