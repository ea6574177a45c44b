// Two neighbouring channels of int16 are a word, two taps of a channel's weights are one, too: SMLABB to SMLATT
// multiply any half with any half.
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

#endif
