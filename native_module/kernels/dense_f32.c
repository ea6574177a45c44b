// Dense layer on float32: the plain loop. Its order of summation is part of its contract (dense_f32.h).
#include "kernels/dense_f32.h"

void anne_dense_f32(const float *weights, const float *bias, const float *x, size_t n_in, size_t n_out, float *out) {
    for (size_t r = 0; r < n_out; r++) {
        float sum = bias[r];
        for (size_t j = 0; j < n_in; j++) {
            sum += *weights++ * x[j];
        }
        out[r] = sum;
    }
}
