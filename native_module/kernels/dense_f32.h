// Dense layer on float32: a matrix times a vector plus a bias.
#ifndef ANNE_DENSE_F32_H
#define ANNE_DENSE_F32_H

#include <stddef.h>

// out[r] = bias[r] + sum over j of weights[r][j] x[j]. weights (n_out, n_in) row-major, x (n_in), bias and out (n_out),
// all 4-byte aligned; out must not overlap the others.
//
// Off from the exact sum by at most (n_in + 1) 2^-26 + (n_in / 7 + 1) 2^-24 times the largest product or partial sum in
// the row; a sum in float32 may be off by n_in 2^-23 of it. NaN and infinities give what a sum in float32 gives.
// Denormals count as 0: in weights, bias and x, as a result, and as the sum after each 7 columns. The same bits on
// every machine, but on a microcontroller with a floating-point unit, which sums column after column: off by at most
// n_in 2^-23 times the largest partial sum or product, on a Cortex-M33, which rounds once a column, 2^-24. Where the
// unit cannot take denormals for 0, other than Arm's, they count as they are before the result.
void anne_dense_f32(const float *weights, const float *bias, const float *x, size_t n_in, size_t n_out, float *out);

#endif // ANNE_DENSE_F32_H
