// Rescaling of small values by factors below 1, as anne_rescale does it, on the Cortex-M0+ without a product of 64
// bits, which it has not. There the first rounding is made of four products of 32 bits: with x = 2^16 xh + xl, -2^15 <=
// xl < 2^15, and the multiplier m = 2^16 mh + ml, 0 <= ml < 2^16,
//
//   floor((x m + 2^30) / 2^31) = 2 xh mh + floor((xh ml + xl mh + floor(xl ml / 2^16) + 2^14) / 2^15)
//
// For -2^30 <= x <= 2^30 nothing overflows: |xh| <= 2^14 and mh < 2^15. Where |xh| is 2^14, xl mh has the other sign,
// or is 0; else |xh ml| <= (2^14 - 1)(2^16 - 1) and |xl mh| <= 2^15 (2^15 - 1) leave room for the rest below 2^31. The
// result is no larger than x, so half a step can be added before the second rounding: 2^30 + 2^29, as long as x is
// below 2^30 or the shift above -31.
#ifndef ANNE_RESCALE_H
#define ANNE_RESCALE_H

#include "kernels/processor.h"
#include "kernels/requantize.h"

// x multiplier 2^(shift - 31), rounded twice; -31 <= shift <= 0, -2^30 <= x <= 2^30, not both x = 2^30 and shift -31.
static inline int32_t anne_rescale_small(int32_t x, anne_rescale_t factor) {
#ifdef ANNE_ARMV8M // (x 2 m + 2^31) >> 32, where 2 m as an int32 may be 2^32 less: then x 2^32 is added again
    const int32_t doubled = (int32_t)((uint32_t)factor.multiplier << 1), again = x & doubled >> 31;
    int32_t first;
    __asm__("smmlar %0, %1, %2, %3" : "=r"(first) : "r"(x), "r"(doubled), "r"(again));
#elif !defined(__ARM_ARCH_6M__)
    const int32_t first = anne_high_mul(x, factor.multiplier);
#else
    int32_t mh = factor.multiplier >> 16, ml = factor.multiplier & 0xffff;
    int32_t xl = (int16_t)x, xh = (x - xl) >> 16;
    int32_t first = 2 * xh * mh + ((xh * ml + xl * mh + (xl * ml >> 16) + (1 << 14)) >> 15);
#endif
    int32_t n = -factor.shift;
    return n == 0 ? first : (first + (first >> 31) + (1 << (n - 1))) >> n; // halves away from zero
}

#ifndef __ARM_ARCH_6M__
// A factor of many values. Half a step and the sign, which takes halves away from zero, are added before the last
// shift: the sign of x, as that of what the first rounding made is the same, or that is 0, and then either gives 0.
typedef struct {
    int32_t multiplier;
    int32_t right; // n of above
    int32_t half;  // 2^(n - 1)
} anne_small_t;

static inline anne_small_t anne_small_of(anne_rescale_t factor) {
    const int32_t n = -factor.shift;
    return (anne_small_t){factor.multiplier, n, n == 0 ? 0 : 1 << (n - 1)};
}

// As anne_rescale_small; `one`, which is a constant where this is used: n is 0.
static inline int32_t anne_rescale_by(int32_t x, const anne_small_t *factor, bool one) {
    const int32_t added = one ? 0 : factor->half + (x >> 31);
#ifdef ANNE_ARMV8M // as above, and what is added
    const int32_t doubled = (int32_t)((uint32_t)factor->multiplier << 1), again = x & doubled >> 31;
    int32_t sum;
    __asm__("smmlar %0, %1, %2, %3" : "=r"(sum) : "r"(x), "r"(doubled), "r"(added + again));
#else
    const int32_t sum = anne_high_mul(x, factor->multiplier) + added;
#endif
    return one ? sum : sum >> factor->right;
}
#endif

static inline int32_t anne_limited(int32_t y, const anne_output_t *output) {
    y += output->zero_point;
    return y < output->least ? output->least : y > output->most ? output->most : y;
}

#endif // ANNE_RESCALE_H
