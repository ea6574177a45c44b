// A depthwise convolution on floats in the floating-point unit of a microcontroller, four channels at once where each
// has one output. Products and sums are rounded as dense_f32 rounds them there.
#include "kernels/arithmetic_f32.h"
#include "kernels/depthwise_unit_f32.h"
#include "kernels/flush_f32.h"

#ifdef ANNE_FLOAT_UNIT

// sum + weight x
static inline float plus(float sum, float weight, float x) {
#ifdef ANNE_ARMV8M
    return __builtin_fmaf(weight, x, sum);
#else
    return sum + weight * x;
#endif
}

// Where the unit has no mode for that.
static inline float normal(float x) {
#ifdef ANNE_FLUSHES
    return x;
#else
    return anne_normal_f32(x);
#endif
}

// Four channels with an output each; returns the weights behind theirs.
static const float *sum_four(const float *weights, const float *bias, const uint8_t *base, const int32_t *offsets,
                             uint32_t taps, float *y) {
    const float *second = weights + taps, *third = second + taps, *fourth = third + taps;
    float a = bias[0], b = bias[1], c = bias[2], d = bias[3];
    for (const int32_t *at = offsets, *last = offsets + taps; at != last; at++) {
        const float *x = (const void *)(base + *at);
        a = plus(a, *weights++, x[0]);
        b = plus(b, *second++, x[1]);
        c = plus(c, *third++, x[2]);
        d = plus(d, *fourth++, x[3]);
    }
    y[0] = normal(a);
    y[1] = normal(b);
    y[2] = normal(c);
    y[3] = normal(d);
    return fourth;
}

void anne_depthwise_pixel_f32(const float *weights, const float *bias, const uint8_t *base, const int32_t *offsets,
                              uint32_t taps, uint32_t channels, uint32_t multiplier, float *y) {
    if (multiplier == 1) {
        for (; channels >= 4; channels -= 4, base += 4 * sizeof *y, bias += 4, y += 4) {
            weights = sum_four(weights, bias, base, offsets, taps, y);
        }
    }
    for (; channels > 0; channels--, base += sizeof *y) {
        for (uint32_t i = 0; i < multiplier; i++) {
            float sum = *bias++;
            for (const int32_t *at = offsets, *last = offsets + taps; at != last; at++) {
                sum = plus(sum, *weights++, *(const float *)(const void *)(base + *at));
            }
            *y++ = normal(sum);
        }
    }
}

#endif
