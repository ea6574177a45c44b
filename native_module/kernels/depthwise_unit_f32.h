// Sums of a depthwise convolution's pixel on floats, in the floating-point unit of a microcontroller.
#ifndef ANNE_DEPTHWISE_UNIT_F32_H
#define ANNE_DEPTHWISE_UNIT_F32_H

#include <stdint.h>

#include "kernels/processor.h"

#ifdef ANNE_FLOAT_UNIT
// Channel c has `multiplier` outputs, each of which sums its bias and `taps` weights, one after another, each times the
// number so many bytes behind `base` that `offsets` says, c numbers further on. Denormals count as 0 between
// anne_flush_begin and anne_flush_end (flush_f32.h), and in y.
void anne_depthwise_pixel_f32(const float *weights, const float *bias, const uint8_t *base, const int32_t *offsets,
                              uint32_t taps, uint32_t channels, uint32_t multiplier, float *y);
#endif

#endif // ANNE_DEPTHWISE_UNIT_F32_H
