// Floats to integers and back without an operation on floats, each of which costs an RP2040 60 cycles and more.
//
// To integers. Wanted is v = |x| / scale, rounded to a float, and that rounded to the nearest integer, halves away from
// zero. With mantissas 2^23 <= X, S < 2^24 and the difference j of the exponents, v = X / S 2^j before it is rounded.
// X / S lies between 1/2 and 2. So from j = -2 down, v <= 1/2 - 2^-25, which is a float, and the result is 0; and from
// j = 16 on, for int8 9, v is beyond the limits: above 2^15, for int8 above 2^8, which no zero point makes up for.
//
// Between, with up = j + 1 of 0 to 16, a product says how many steps, k: of X, cut to its upper 16 bits, and of a
// reciprocal of 16 bits, at most 2^39 / S. They are short by less than 2^-15 and 2^-14, so k, rounded, is at most the
// right number, and less than that by at most 3 v / 2^15 + 1 < 7. Then
//
//   e = X 2^up - 2 S k        another step is due if v >= k + 1/2, that is e >= S; it takes 2 S off e
//
// is exact in 32 bits, though its terms may wrap: -S <= e < 14 S < 2^28.
//
// That v was rounded to a float first shows only below the middle t = k + 1/2 of two steps: what is at most half an ulp
// below it, halfway included, as t ends in a 0 among the 24 bits of a float, becomes t. With 2^p <= v < 2^(p + 1) an
// ulp is 2^(p - 23), also just below t, which is no power of two but for 1/2, where S 2^(p - 23) is below 1. So a step
// is due if S - e <= S 2^(p - 23); p is j, or j - 1 where X < S. It is asked only if S - e <= S / 2^7, as p < 16.
//
// To floats. |q - zero_point| <= 2^15 is shifted to 16 bits, D. D S has 39 or 40 bits; all are there in a product with
// the upper 16 bits of S and one with the lower 8. They are rounded to 24, halves to even, as a product of floats is.
#include "kernels/quantize.h"

#include "kernels/arithmetic_f32.h"

static inline uint32_t exponent_of(uint32_t bits) {
    return bits << 1 >> 24;
}

anne_scale_t anne_scale(float scale, int32_t zero_point, bool is_s16) {
    uint32_t bits = anne_bits_of(scale), mantissa = (bits & 0x7fffff) | 0x800000;
    uint32_t first = exponent_of(bits) - 1, last = is_s16 ? 16 : 9;
    return (anne_scale_t){
        .mantissa = mantissa,
        .reciprocal = (1u << 31) / ((mantissa >> 8) + 1),
        .first = first,
        .last = first + last < 255 ? last : 254 - first, // 255 are infinities and NaN
        .zero_point = zero_point,
        .is_s16 = is_s16,
    };
}

#if !defined(__ARM_ARCH_6M__) || defined(ANNE_PORTABLE) // else armv6m/quantize.S

// Steps of a float that is less than half a one, NaN, infinite or too large.
static int32_t outside(const anne_scale_t *scale, uint32_t bits) {
    if (bits << 1 > 0xff000000u || exponent_of(bits) < scale->first) {
        return 0;
    }
    return 1 << 16;
}

// Whether v, a little below a step, becomes it: S - S / 2^7 <= e < S.
static bool rounds_up(const anne_scale_t *scale, uint32_t x, uint32_t up, int32_t e) {
    uint32_t s = scale->mantissa;
    return s - (uint32_t)e <= s >> (24 - up + (x < s));
}

// |x| / scale in whole steps, from the bits of x.
static inline int32_t steps_of(const anne_scale_t *scale, uint32_t bits) {
    uint32_t up = exponent_of(bits) - scale->first; // j + 1
    if (up > scale->last) {
        return outside(scale, bits);
    }
    int32_t s = (int32_t)scale->mantissa;
    uint32_t x = (bits & 0x7fffff) | 0x800000;
    int32_t k = (int32_t)(((x >> 8) * scale->reciprocal >> (31 - up)) + 1) >> 1;
    int32_t e = (int32_t)((x << up) - 2 * (uint32_t)s * (uint32_t)k);
    for (; e >= s; e -= 2 * s) {
        k++;
    }
    return e >= s - (s >> 7) && rounds_up(scale, x, up, e) ? k + 1 : k;
}

void anne_quantize_f32(const anne_scale_t *scale, const float *x, size_t n, void *y) {
    int8_t *y8 = y;
    int16_t *y16 = y;
    for (size_t i = 0; i < n; i++) {
        uint32_t bits = anne_bits_of(x[i]);
        int32_t steps = steps_of(scale, bits), q = (bits >> 31 ? -steps : steps) + scale->zero_point;
        if (scale->is_s16) {
            y16[i] = (int16_t)(q == (int16_t)q ? q : q < 0 ? INT16_MIN : INT16_MAX);
        } else {
            y8[i] = (int8_t)(q == (int8_t)q ? q : q < 0 ? INT8_MIN : INT8_MAX);
        }
    }
}

#endif

static inline float real_of(const anne_scale_t *scale, int32_t d) {
    if (d == 0) {
        return 0.0f;
    }
    uint32_t sign = (uint32_t)d & 0x80000000, m = (uint32_t)(d < 0 ? -d : d);
    uint32_t exponent = scale->first + 16; // less 1, which the top bit adds
#pragma GCC unroll 4
    for (uint32_t step = 8; step > 0; step /= 2) {
        if (m >> (16 - step) == 0) {
            m <<= step;
            exponent -= step;
        }
    }
    uint32_t low = m * (scale->mantissa & 0xff);
    uint32_t high = m * (scale->mantissa >> 8) + (low >> 8);
    low &= 0xff;
    if ((int32_t)high >= 0) {
        high = high << 1 | low >> 7;
        low = low << 1 & 0xff;
        exponent--;
    }
    uint32_t rest = (high & 0xff) | (low != 0), odd = high >> 8 & 1; // half a step is 0x80
    uint32_t bits = (exponent << 23) + (high >> 8) + (rest + odd > 0x80);
    return anne_float_of(sign | (bits < 0x7f800000 ? bits : 0x7f800000));
}

void anne_dequantize_f32(const anne_scale_t *scale, const void *x, size_t n, float *y) {
    const int8_t *x8 = x;
    const int16_t *x16 = x;
    for (size_t i = 0; i < n; i++) {
        y[i] = real_of(scale, (scale->is_s16 ? x16[i] : x8[i]) - scale->zero_point);
    }
}
