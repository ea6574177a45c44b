// A convolution on int8: weights packed as for dense_s8, the image read where it lies.
#ifndef ANNE_CONV_S8_H
#define ANNE_CONV_S8_H

#include <stdint.h>

#include "kernels/dense_s8.h"
#include "kernels/requantize.h"
#include "kernels/window.h"

typedef struct {
    const anne_window_t *window;
    uint32_t groups;         // equal parts of the channels of input and output
    uint32_t n_out;          // of a group
    const uint32_t *weights; // group after group
    const int32_t *bias;     // of all outputs, as factors
    const anne_rescale_t *factors;
    const anne_output_t *output;
    int32_t zero_point; // what a tap outside the image counts as
} anne_conv_s8_t;

// Words of scratch: of `layer`, window, groups and n_out count.
uint32_t anne_conv_s8_scratch(const anne_conv_s8_t *layer);

// y = zero_point + rescale(bias + sum of weights times what the window sees), at each of its places, exact for any
// weights and numbers. A group's part of the window has at most ANNE_DENSE_S8_MAX_IN numbers; all 4-byte aligned.
void anne_conv_s8(const anne_conv_s8_t *layer, const int8_t *x, int32_t *scratch, int8_t *y);

#endif // ANNE_CONV_S8_H
