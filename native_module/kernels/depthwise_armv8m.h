// Sums of a depthwise convolution's pixel on the Cortex-M33, neighbouring channels at once.
#ifndef ANNE_DEPTHWISE_ARMV8M_H
#define ANNE_DEPTHWISE_ARMV8M_H

#include <stdint.h>

// Channel c sums bias[c] and taps weights from weights[taps c] on, each times the number so many bytes behind `base`
// that `offsets` says, c numbers further on. `channels` is even, with an output each; modulo 2^32.
void anne_depthwise_pairs_s16(const int16_t *weights, const int32_t *bias, const uint8_t *base, const int32_t *offsets,
                              uint32_t taps, uint32_t channels, int32_t *sums);

#endif // ANNE_DEPTHWISE_ARMV8M_H
