// Depthwise convolution: each channel of an image has windows and weights of its own.
#ifndef ANNE_DEPTHWISE_H
#define ANNE_DEPTHWISE_H

#include <stdint.h>

#include "kernels/requantize.h"
#include "kernels/window.h"

// What is summed: output channel o is made of input channel o / multiplier with its own `taps` = kernel_h kernel_w
// weights, row after row, and bias.
typedef struct {
    const anne_window_t *window;
    uint32_t n_out; // channels of the output: multiplier times those of the input
    const void *weights;
    const void *bias; // int32 for integers, else float
} anne_depthwise_t;

// How sums of integers become the output, as in a dense layer.
typedef struct {
    const anne_rescale_t *factors;             // one for each of n_out
    const anne_approximation_t *approximation; // int8 alone
    anne_output_t output;
} anne_depthwise_output_t;

// A kernel on int8 has at most so many taps, and |bias| <= 2^28: then no sum leaves 32 bits.
#define ANNE_DEPTHWISE_S8_MAX_TAPS 16383

// Words of scratch, n_out being channels of the output and element_bytes those of a value of x.
static inline uint32_t anne_depthwise_scratch(const anne_window_t *window, uint32_t n_out, uint32_t element_bytes) {
    uint32_t taps = (uint32_t)window->kernel_h * (uint32_t)window->kernel_w;
    return n_out + 4 * taps + (taps * (uint32_t)window->channels * element_bytes + 3) / 4;
}

// y = limit(zero_point + rescale(bias + sum over the taps of weights x)); a tap outside the image has x =
// zero_point_in. int16: 2^15 times the magnitudes of an output channel's weights, plus |bias|, is below 2^31. All
// 4-byte aligned; y overlaps nothing.
void anne_depthwise_s8(const anne_depthwise_t *layer, const anne_depthwise_output_t *out, int32_t zero_point_in,
                       const int8_t *x, int32_t *scratch, int8_t *y);
void anne_depthwise_s16(const anne_depthwise_t *layer, const anne_depthwise_output_t *out, const int16_t *x,
                        int32_t *scratch, int16_t *y);

// y = bias + sum over the taps of weights x, each as anne_dense_f32 sums it; a tap outside the image has x = 0. With
// `scale`, one for each of n_out, weights are int8, and y = bias + scale (that sum without bias), rounded twice.
void anne_depthwise_f32(const anne_depthwise_t *layer, const float *scale, const float *x, int32_t *scratch, float *y);

#endif // ANNE_DEPTHWISE_H
