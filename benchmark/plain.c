// The loops anyone would write. Compiled with -O3, as whoever wanted speed would do, wherever they are compared.
#include "peers.h"

#pragma GCC optimize("O3")

// clang-format off
#define PLAIN(name, weight_t, x_t, sum_t)                                                                             \
    void name(const weight_t *weights, const sum_t *bias, const x_t *x, size_t n_in, size_t n_out, sum_t *out) {      \
        for (size_t r = 0; r < n_out; r++) {                                                                          \
            sum_t sum = bias[r];                                                                                      \
            for (size_t j = 0; j < n_in; j++) {                                                                       \
                sum += (sum_t)weights[r * n_in + j] * x[j];                                                           \
            }                                                                                                         \
            out[r] = sum;                                                                                             \
        }                                                                                                             \
    }
// clang-format on

PLAIN(bench_plain_s8, int8_t, int8_t, int32_t)
PLAIN(bench_plain_s16, int16_t, int16_t, int32_t)
PLAIN(bench_plain_f32, float, float, float)
