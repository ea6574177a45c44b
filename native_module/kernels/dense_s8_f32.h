// Dense layer on int8 weights and float32 activations: a quarter of the memory of float32, and no calibration.
#ifndef ANNE_DENSE_S8_F32_H
#define ANNE_DENSE_S8_F32_H

#include <stdint.h>

// Up to this many columns the sums below stay inside 32 bits.
#define ANNE_DENSE_S8_F32_MAX_IN 2048

// out[r] = bias[r] + scale[r] sum over j of weights[r][j] x[j]; weights (n_out, n_in), row after row. x is taken as
// integers of 24 bits with a common exponent, so the sum is off by at most n_in 2^-24 128 max|x|; a NaN or infinity in
// x makes every output NaN. `aligned` is scratch for 2 n_in int16.
void anne_dense_s8_f32(const int8_t *weights, const float *scale, const float *bias, const float *x, uint32_t n_in,
                       uint32_t n_out, int16_t *aligned, float *out);

#endif // ANNE_DENSE_S8_F32_H
