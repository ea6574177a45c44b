// Transposed convolution: each pixel of the input adds a window of its own to the output.
#ifndef ANNE_CONV_TRANSPOSE_H
#define ANNE_CONV_TRANSPOSE_H

#include <stdint.h>

#include "kernels/requantize.h"
#include "kernels/window.h"

// Pixel (r, c) of the input meets, through tap (i, j) of the window, pixel (r stride_h + i dilation_h - pad_top,
// likewise its column) of the output, if there is one. So of `window`, strides, dilations and pads count in the output.
// Products of two of its numbers fit 32 bits; all are at least 1, pads 0.
typedef struct {
    const anne_window_t *window;
    uint32_t n_out;      // channels of the output
    const void *weights; // for each tap, row after row, n_out rows of window->channels
    const void *bias;    // int32 for integers, else float
} anne_transposed_t;

// The most that a window has of taps and channels, on int8: then |sum| <= 16383 2^15 + 2^28.
#define ANNE_CONV_TRANSPOSE_S8_MAX_IN 16383

// Words of scratch.
static inline uint32_t anne_conv_transpose_scratch(const anne_window_t *window, uint32_t n_out) {
    return 2 * n_out + (uint32_t)window->channels;
}

// y = limit(zero_point + rescale(bias + sum of weights (x - zero_point_in))), n_out channels a pixel. int16: 2^15 times
// the magnitudes of an output channel's weights, plus |bias|, is below 2^31. y overlaps nothing; all 4-byte aligned.
void anne_conv_transpose_s8(const anne_transposed_t *layer, int32_t zero_point_in, const anne_rescale_t *factors,
                            const anne_approximation_t *approximation, const anne_output_t *output, const int8_t *x,
                            int32_t *scratch, int8_t *y);
void anne_conv_transpose_s16(const anne_transposed_t *layer, const anne_rescale_t *factors, anne_output_t output,
                             const int16_t *x, int32_t *scratch, int16_t *y);

// y = bias + sum of weights x, one tap after another, each as anne_dense_f32 sums it. With `scale`, one for each of
// n_out, weights are int8, and y = bias + scale (that sum without bias), rounded twice.
void anne_conv_transpose_f32(const anne_transposed_t *layer, const float *scale, const float *x, int32_t *scratch,
                             float *y);

#endif // ANNE_CONV_TRANSPOSE_H
