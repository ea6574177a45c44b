// Dense layer on int8 weights and float32 activations: a quarter of the memory of float32, and no calibration.
#ifndef ANNE_DENSE_S8_F32_H
#define ANNE_DENSE_S8_F32_H

#include <stdint.h>

#include "kernels/dense_s8.h"

// Words of scratch: a limb of x, what anne_dense_s8_quad needs, and the sums of three limbs.
static inline uint32_t anne_dense_s8_f32_scratch(uint32_t n_in, uint32_t n_out) {
    return anne_dense_s8_columns(n_in) / 4 + anne_dense_s8_scratch(n_in) + 3 * n_out;
}

// out[r] = bias[r] + scale[r] sum over j of w[r][j] x[j], weights packed in quads (FORMAT.md, s8_quad), computed as
//
//   e: the least power of two above every |x|;  X[j] = round(x[j] 2^(22 - e)), halves away from zero
//   q = sum of w X, exactly;  s = number of bits of n_in;  t = floor(q / 2^s + 1/2)
//   out = float32(float32(t 2^(s + e - 22)) scale) + bias; the first rounds halves away from zero, the others to even
//
// so off by at most 128 n_in 2^-22 max|x| scale and three roundings. A NaN or infinity in x makes every output NaN;
// denormals count as 0, wherever they come in or out. 1 <= n_in <= ANNE_DENSE_S8_MAX_IN; all 4-byte aligned.
void anne_dense_s8_f32(const uint32_t *weights, const float *scale, const float *bias, const float *x, uint32_t n_in,
                       uint32_t n_out, int32_t *scratch, float *out);

#ifdef ANNE_REPACKS
// The same with weights that anne_dense_s8_repack has rewritten.
void anne_dense_s8_f32_repacked(const uint32_t *weights, const float *scale, const float *bias, const float *x,
                                uint32_t n_in, uint32_t n_out, int32_t *scratch, float *out);
#endif

#endif // ANNE_DENSE_S8_F32_H
