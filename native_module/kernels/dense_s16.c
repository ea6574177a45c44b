// Dense layer on int16: the plain loop. Its range proof is the loader's (dense_s16.h).
#include "kernels/dense_s16.h"

void anne_dense_s16(const int16_t *weights, const int32_t *bias, const int16_t *x, uint32_t n_in, uint32_t n_out,
    int32_t *acc) {
    for (uint32_t r = 0; r < n_out; r++) {
        int32_t sum = bias[r];
        for (uint32_t j = 0; j < n_in; j++) {
            sum += *weights++ * x[j];
        }
        acc[r] = sum;
    }
}
