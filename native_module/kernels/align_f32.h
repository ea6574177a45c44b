// Floats as integers with a common exponent.
#ifndef ANNE_ALIGN_F32_H
#define ANNE_ALIGN_F32_H

#include <stdint.h>

#include "kernels/arithmetic_f32.h"

// The least e >= -126 such that every |x| < 2^e; 129 if there is a NaN or infinity. Denormals count as 0.
static inline int32_t anne_exponent_f32(const float *x, uint32_t n) {
    uint32_t most = 0;
    for (uint32_t j = 0; j < n; j++) {
        uint32_t magnitude = anne_bits_of(x[j]) << 1;
        most = magnitude > most ? magnitude : most;
    }
    return (int32_t)(most >> 24) - 126;
}

// round(x 2^(23 - exponent)), halves away from zero; |x| < 2^exponent. At most 2^23 in magnitude.
static inline int32_t anne_align_f32(float x, int32_t exponent) {
    uint32_t bits = anne_bits_of(x);
    uint32_t own = bits << 1 >> 24;
    uint32_t shift = (uint32_t)exponent + 126 - own;
    if (own == 0 || shift > 24) {
        return 0;
    }
    int32_t mantissa = (int32_t)((((bits << 8) | 0x80000000) >> 8 >> shift) + 1) >> 1; // 24 bits, one to round
    int32_t sign = (int32_t)bits >> 31;
    return (mantissa ^ sign) - sign;
}

// value 2^exponent rounded to float32, halves away from zero; then 0 if it is denormal. |value| < 2^31.
static inline float anne_scaled_f32(int32_t value, int32_t exponent) {
    uint32_t sign = (uint32_t)value & 0x80000000;
    uint32_t m = value < 0 ? 0u - (uint32_t)value : (uint32_t)value;
    if (m == 0) {
        return 0.0f;
    }
    exponent += 127 + 31;
#ifndef __ARM_ARCH_6M__ // to the top bit; that has no instruction for it
    const int32_t zeros = __builtin_clz(m);
    m <<= zeros;
    exponent -= zeros;
#else
    for (uint32_t step = 16; step > 0; step /= 2) {
        if (m >> (32 - step) == 0) {
            m <<= step;
            exponent -= (int32_t)step;
        }
    }
#endif
    if (exponent <= 0) { // m 2^-158 and below: 2^-126 if that is nearer than the denormal beside it
        return exponent == 0 && m >> 8 == 0xffffff ? anne_float_of(sign | ANNE_BITS_LEAST_F32) : 0.0f;
    }
    // The top bit adds 1 to the exponent, and so does a carry out of the 23 bits below.
    uint32_t bits = ((uint32_t)(exponent - 1) << 23) + (m >> 8) + (m >> 7 & 1);
    return anne_float_of(sign | (exponent >= 255 || bits >= 0x7f800000 ? 0x7f800000 : bits));
}

// The number of bits of n, 0 for 0.
static inline uint32_t anne_bit_length(uint32_t n) {
    uint32_t bits = 0;
    for (; n > 0; n >>= 1) {
        bits++;
    }
    return bits;
}

#endif // ANNE_ALIGN_F32_H
