// Depthwise convolution of int8, two pixels of a channel at once (depthwise_s8.c).
#ifndef ANNE_DEPTHWISE_S8_H
#define ANNE_DEPTHWISE_S8_H

#include "kernels/depthwise.h"

// Words of scratch, 0 for a layer that cannot be computed so.
uint32_t anne_depthwise_s8_scratch(const anne_window_t *window);

// As anne_depthwise_s8, but for the approximation, which is none of its; for a layer that can be computed so.
void anne_depthwise_s8_pairs(const anne_depthwise_t *layer, const anne_depthwise_output_t *out, int32_t zero_point_in,
                             const int8_t *x, int32_t *scratch, int8_t *y);

#endif // ANNE_DEPTHWISE_S8_H
