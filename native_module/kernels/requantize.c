// Rescaling with two roundings: first the product with a 31-bit multiplier, then the shift to the right. TensorFlow
// Lite Micro computes it so (after gemmlowp), and a model that was checked there must give the same bits here.
#include "kernels/requantize.h"

int32_t anne_rescale(int32_t x, anne_rescale_t factor) {
    if (factor.shift <= 0) {
        return anne_rounding_shift(anne_high_mul(x, factor.multiplier), -factor.shift);
    }
    int64_t shifted = (int64_t)x * (1 << factor.shift);
    x = shifted > INT32_MAX ? INT32_MAX : shifted < INT32_MIN ? INT32_MIN : (int32_t)shifted;
    return anne_high_mul(x, factor.multiplier);
}

#if !defined(__ARM_ARCH_6M__) || defined(ANNE_PORTABLE) // else armv6m/requantize.S

// |rescaled| <= 2^31 and |zero_point| <= 128: the sum is formed only where it cannot overflow.
static inline int32_t output_of(int32_t acc, anne_rescale_t factor, anne_output_t output) {
    int32_t value = anne_rescale(acc, factor);
    if (value > 65536) {
        return output.most;
    }
    if (value < -65536) {
        return output.least;
    }
    value += output.zero_point;
    return value < output.least ? output.least : value > output.most ? output.most : value;
}

void anne_requantize_s8(const int32_t *acc, const anne_rescale_t *factors, size_t n, anne_output_t output, int8_t *y) {
    for (size_t i = 0; i < n; i++) {
        y[i] = (int8_t)output_of(acc[i], factors[i], output);
    }
}

void anne_requantize_s16(const int32_t *acc, const anne_rescale_t *factors, size_t n, anne_output_t output,
                         int16_t *y) {
    for (size_t i = 0; i < n; i++) {
        y[i] = (int16_t)output_of(acc[i], factors[i], output);
    }
}

#endif
