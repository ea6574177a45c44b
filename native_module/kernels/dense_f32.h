// Dense layer on float32: a matrix times a vector plus a bias.
#ifndef ANNE_DENSE_F32_H
#define ANNE_DENSE_F32_H

#include <stddef.h>

// out[r] = bias[r] + sum over j of weights[r][j] x[j], summed in the order of j, starting from the bias.
// weights (n_out, n_in) row-major, x (n_in), bias and out (n_out), all 4-byte aligned; out must not overlap the others.
// The same sum in the same order as reference.py, so equal to it bit for bit where both compute in float32.
void anne_dense_f32(const float *weights, const float *bias, const float *x, size_t n_in, size_t n_out, float *out);

#endif // ANNE_DENSE_F32_H
