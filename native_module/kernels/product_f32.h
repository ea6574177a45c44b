// The product of two floats in integers: for processors that multiply to 64 bits, but have no unit for floats.
//
// The library's product tells denormals apart, which count as 0 here, and takes 100 instructions; this one 35.
// Mantissas of 24 bits stand at the top of 32, so their product has its first 1 in one of the two highest bits of 64.
// Rounded once, halves to even. What is NaN, infinite, 0, denormal, or next to the least normal float is left to the
// library.
#ifndef ANNE_PRODUCT_F32_H
#define ANNE_PRODUCT_F32_H

#include <stdbool.h>
#include <stdint.h>

// *product = a b as bits, rounded as IEEE 754 says, a denormal being 0; false for what is left to the library.
static inline bool anne_product_f32(uint32_t a, uint32_t b, uint32_t *product) {
    const uint32_t ea = a << 1 >> 24, eb = b << 1 >> 24, sign = (a ^ b) & 0x80000000;
    if (ea - 1 >= 254 || eb - 1 >= 254) {
        return false;
    }
    uint64_t m = (uint64_t)(a << 8 | 0x80000000) * (b << 8 | 0x80000000);
    int32_t exponent = (int32_t)(ea + eb) - 126;
    if (m >> 63 == 0) {
        m <<= 1;
        exponent--;
    }
    if (exponent <= 0) {
        *product = sign;
        return exponent < 0;
    }
    const uint32_t high = (uint32_t)(m >> 32), rest = high << 24 | ((uint32_t)m != 0), mantissa = high >> 8;
    // the top bit of the mantissa adds 1 to the exponent, and so does a carry of the rounding
    const uint32_t rounded = mantissa + (rest > 0x80000000 - (mantissa & 1));
    const uint32_t bits = ((uint32_t)(exponent - 1) << 23) + rounded;
    *product = sign | (exponent > 254 || bits >= 0x7f800000 ? 0x7f800000 : bits);
    return true;
}

#endif // ANNE_PRODUCT_F32_H
