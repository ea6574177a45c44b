// What the kernels are measured against, in C: the loops anyone would write, and emlearn's network.
#ifndef ANNE_BENCH_PEERS_H
#define ANNE_BENCH_PEERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// out = bias + weights x, weights (n_out, n_in) row-major; integers with sums of 32 bits.
void bench_plain_s8(const int8_t *weights, const int32_t *bias, const int8_t *x, size_t n_in, size_t n_out,
                    int32_t *out);
void bench_plain_s16(const int16_t *weights, const int32_t *bias, const int16_t *x, size_t n_in, size_t n_out,
                     int32_t *out);
void bench_plain_f32(const float *weights, const float *bias, const float *x, size_t n_in, size_t n_out, float *out);

// The same by emlearn's eml_net_forward, whose weights are (n_in, n_out). False if it refuses.
bool bench_eml_layer(const float *weights, const float *bias, const float *x, size_t n_in, size_t n_out, float *out);

// A network of emlearn's: one at a time, its arrays stay the caller's. Activations: 0 linear, 1 relu, 2 sigmoid.
#define BENCH_EML_LAYERS 8
#define BENCH_EML_WIDEST 32
bool bench_eml_add(bool first, const float *weights, const float *bias, size_t n_in, size_t n_out, int activation);
bool bench_eml_predict(const float *x, size_t n_in, float *out, size_t n_out);

// Takes exactly 3 cycles for each of n >= 1 rounds, and a constant.
void bench_spin(uint32_t n);

#endif // ANNE_BENCH_PEERS_H
