// Two neighbouring channels of int16 are a word, two taps of a channel's weights are one, too: SMLABB to SMLATT
// multiply any half with any half. Floats come by fours where each channel has one output.
#include "kernels/depthwise_armv8m.h"

#include <string.h>

#include "kernels/processor.h"

#ifdef ANNE_ARMV8M

static inline uint32_t word_at(const void *x) {
    uint32_t word;
    memcpy(&word, x, sizeof word); // maybe not at a multiple of 4, which is no fault here
    return word;
}

#define ADD_HALVES(halves, sum, a, b) __asm__("smla" halves " %0, %1, %2, %0" : "+r"(sum) : "r"(a), "r"(b))

void anne_depthwise_pairs_s16(const int16_t *weights, const int32_t *bias, const uint8_t *base, const int32_t *offsets,
                              uint32_t taps, uint32_t channels, int32_t *sums) {
    const int32_t *twos = offsets + taps / 2 * 2;
    for (const uint8_t *end = base + channels * sizeof *weights; base != end; base += 4, weights += taps) {
        int32_t first = *bias++, second = *bias++;
        const int32_t *at = offsets;
        for (; at != twos; at += 2, weights += 2) {
            const uint32_t x = word_at(base + at[0]), next = word_at(base + at[1]);
            const uint32_t own = word_at(weights), other = word_at(weights + taps);
            ADD_HALVES("bb", first, own, x);
            ADD_HALVES("tb", first, own, next);
            ADD_HALVES("bt", second, other, x);
            ADD_HALVES("tt", second, other, next);
        }
        if (taps % 2 > 0) {
            const uint32_t x = word_at(base + at[0]);
            ADD_HALVES("bb", first, weights[0], x);
            ADD_HALVES("bt", second, weights[taps], x);
            weights++;
        }
        *sums++ = first;
        *sums++ = second;
    }
}

#ifdef __ARM_FP
#define FLUSH_TO_ZERO (1u << 24) // in FPSCR: denormals count as 0

uint32_t anne_depthwise_begin_f32(void) {
    uint32_t before;
    __asm__ volatile("vmrs %0, fpscr" : "=r"(before));
    __asm__ volatile("vmsr fpscr, %0" : : "r"(before | FLUSH_TO_ZERO) : "memory");
    return before;
}

void anne_depthwise_end_f32(uint32_t before) {
    __asm__ volatile("vmsr fpscr, %0" : : "r"(before) : "memory");
}

// Four channels with an output each; returns the weights behind theirs.
static const float *sum_four(const float *weights, const float *bias, const uint8_t *base, const int32_t *offsets,
                             uint32_t taps, float *y) {
    const float *second = weights + taps, *third = second + taps, *fourth = third + taps;
    float a = bias[0], b = bias[1], c = bias[2], d = bias[3];
    for (const int32_t *at = offsets, *last = offsets + taps; at != last; at++) {
        const float *x = (const void *)(base + *at);
        a = __builtin_fmaf(*weights++, x[0], a);
        b = __builtin_fmaf(*second++, x[1], b);
        c = __builtin_fmaf(*third++, x[2], c);
        d = __builtin_fmaf(*fourth++, x[3], d);
    }
    y[0] = a;
    y[1] = b;
    y[2] = c;
    y[3] = d;
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
                sum = __builtin_fmaf(*weights++, *(const float *)(const void *)(base + *at), sum);
            }
            *y++ = sum;
        }
    }
}
#endif

#endif
