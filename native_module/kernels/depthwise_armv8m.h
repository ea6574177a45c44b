// Sums of a depthwise convolution's pixel on the Cortex-M33, neighbouring channels at once.
#ifndef ANNE_DEPTHWISE_ARMV8M_H
#define ANNE_DEPTHWISE_ARMV8M_H

#include <stdint.h>

// Channel c sums bias[c] and taps weights from weights[taps c] on, each times the number so many bytes behind `base`
// that `offsets` says, c numbers further on. `channels` is even, with an output each; modulo 2^32.
void anne_depthwise_pairs_s16(const int16_t *weights, const int32_t *bias, const uint8_t *base, const int32_t *offsets,
                              uint32_t taps, uint32_t channels, int32_t *sums);

// The same with floats and `multiplier` outputs for each of any number of channels; products and sums are rounded as in
// armv8m/dense_f32.S. Between anne_depthwise_begin_f32 and anne_depthwise_end_f32, which gets what the first returned.
void anne_depthwise_pixel_f32(const float *weights, const float *bias, const uint8_t *base, const int32_t *offsets,
                              uint32_t taps, uint32_t channels, uint32_t multiplier, float *y);
uint32_t anne_depthwise_begin_f32(void);
void anne_depthwise_end_f32(uint32_t before);

#endif // ANNE_DEPTHWISE_ARMV8M_H
