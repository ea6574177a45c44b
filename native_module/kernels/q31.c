// Numbers in fixed point: what is no inline function (q31.h).
#include "kernels/q31.h"

// 2^(-i/32) in Q31, 1 as 1 - 2^-31: round(2 ** (31 - i / 32))
const uint32_t anne_exp2_table[32] = {
    0x7fffffff, 0x7d41d96e, 0x7a92be8b, 0x77f25cce, 0x75606374, 0x72dc8374, 0x70666f76, 0x6dfddbcc,
    0x6ba27e65, 0x69540ec9, 0x6712460b, 0x64dcdec3, 0x62b39509, 0x60962665, 0x5e8451d0, 0x5c7dd7a4,
    0x5a82799a, 0x5891fac1, 0x56ac1f75, 0x54d0ad5a, 0x52ff6b55, 0x51382182, 0x4f7a9930, 0x4dc69cdd,
    0x4c1bf829, 0x4a7a77d4, 0x48e1e9ba, 0x47521cc6, 0x45cae0f2, 0x444c0740, 0x42d561b4, 0x4166c34c,
};

NOINLINE int32_t anne_times_q31(int32_t a, uint32_t b) {
    return times_inline(a, b);
}

NOINLINE int32_t anne_polynomial_q31(const int32_t *coefficients, uint32_t n, uint32_t t) {
    const int32_t *end = coefficients + n;
    int32_t sum = *coefficients++;
    do {
        sum = times_inline(sum, t);
        sum += *coefficients++;
    } while (coefficients != end);
    return sum;
}

NOINLINE uint32_t anne_reciprocal_q31(uint32_t d) {
    return reciprocal_inline(d);
}

NOINLINE number_t anne_exp_minus_q31(uint32_t y) {
    return exp_inline(y);
}

#if !defined(__ARM_ARCH_6M__) || defined(ANNE_PORTABLE) // else armv6m/activations_f32.S
uint32_t anne_packed_f32(uint32_t mantissa, int32_t shift) {
    int32_t exponent = 125 - shift;
    for (; !(mantissa >> 30); mantissa <<= 1) {
        exponent -= 1;
    }
    if (exponent < 0) { // below 2^-126: that if it is nearer than the denormal beside it
        return exponent == -1 && mantissa >> 7 == 0xffffff ? ANNE_BITS_LEAST_F32 : 0;
    }
    // a carry out of the mantissa goes into the exponent, where it belongs
    return ((uint32_t)exponent << 23) + ((mantissa + 64) >> 7);
}
#endif
