// Floats as bits, and their operations as all machines have them: a denormal counts as 0.
#ifndef ANNE_ARITHMETIC_F32_H
#define ANNE_ARITHMETIC_F32_H

#include <stdint.h>
#include <string.h>

#include "kernels/product_f32.h"

#define ANNE_BITS_LEAST_F32 0x00800000u // of 2^-126, the least normal float

static inline uint32_t anne_bits_of(float x) {
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

static inline float anne_float_of(uint32_t bits) {
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

// x, but a zero of its sign for a denormal.
static inline float anne_normal_f32(float x) {
    uint32_t bits = anne_bits_of(x);
    return bits << 1 < ANNE_BITS_LEAST_F32 << 1 ? anne_float_of(bits & 0x80000000) : x;
}

// 2^n; -126 <= n <= 127.
static inline float anne_power_of_two_f32(int32_t n) {
    return anne_float_of((uint32_t)(n + 127) << 23);
}

// x 2^(31 - exponent) without its fraction is (int32_t)(x * 2^(31 - exponent)), for exponents from this one on: a
// denormal x is below 1 then, as it should be.
#define ANNE_LEAST_SCALED_F32 (-90)

// a b and a + b, rounded as IEEE 754 says; then a denormal becomes 0, as do denormal a and b before. The operations of
// the RP2040's boot ROM are so by themselves: a firmware that is linked with them says ANNE_ROM_FLOATS.
static inline float anne_times_f32(float a, float b) {
#ifdef ANNE_ROM_FLOATS
    return a * b;
#else
#if defined(__riscv) && !defined(__riscv_flen)
    uint32_t product;
    if (anne_product_f32(anne_bits_of(a), anne_bits_of(b), &product)) {
        return anne_float_of(product);
    }
#endif
    return anne_normal_f32(anne_normal_f32(a) * anne_normal_f32(b));
#endif
}

static inline float anne_plus_f32(float a, float b) {
#ifdef ANNE_ROM_FLOATS
    return a + b;
#else
    return anne_normal_f32(anne_normal_f32(a) + anne_normal_f32(b));
#endif
}

#endif // ANNE_ARITHMETIC_F32_H
