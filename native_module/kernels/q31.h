// Numbers in fixed point, of which the activations on floats are made.
//
// Unless said otherwise a number is a mantissa with 31 bits behind the point ("Q31") and a shift: mantissa 2^-shift.
// Products leave out the product of the low halves, and so come out up to 2^-29 too small.
//
// e^-y for y >= 0 is computed so:
//
//   y = n ln2/32 + r with n whole and |r| <= 0.012, so  e^-y = 2^-(n >> 5) * 2^-((n & 31)/32) * e^-r
//
// The first factor is an exponent, the second comes from a table of 32, the third is 1 - c r + r^2/2. With c = 1 the
// next term of the series, r^3/6, would be left as the error, 2.8e-7; c = 1 + 2^-16 takes it down to 7e-8.
#ifndef ANNE_Q31_H
#define ANNE_Q31_H

#include <stdbool.h>
#include <stdint.h>

#include "kernels/arithmetic_f32.h"

// What includes this is compiled for size (flags.env): what is called often is inlined by name.
#define NOINLINE __attribute__((noinline))
#define INLINE   static inline __attribute__((always_inline))

#define SIGN          0x80000000
#define BITS_INFINITY 0x7f800000
#define NOT_A_NUMBER  anne_float_of(0x7fc00000)
#define EXP_MOST      0x42aea8f6 // 87.33: e^-y is a normal float up to here, with some room for errors; then it is 0

INLINE bool is_nan(float x) {
    return (anne_bits_of(x) & ~SIGN) > BITS_INFINITY;
}

// mantissa 2^-shift. As 64 bits, which GCC returns in two registers, but a struct in memory.
typedef uint64_t number_t;

INLINE number_t number(uint32_t mantissa, int32_t shift) {
    return (uint64_t)(uint32_t)shift << 32 | mantissa;
}

INLINE uint32_t mantissa_of(number_t a) {
    return (uint32_t)a;
}

INLINE int32_t shift_of(number_t a) {
    return (int32_t)(a >> 32);
}

// The mantissa of a float with its leading 1: Q31 in [1, 2).
INLINE uint32_t leading_one(uint32_t bits) {
    return bits << 8 | 0x80000000;
}

// a 2^-n for 0 <= n <= 255. C does not define shifts by 32 and above; the processor does.
INLINE uint32_t shifted_right(uint32_t a, int32_t n) {
#ifdef __thumb__
    __asm__("lsr %0, %1" : "+l"(a) : "l"(n) : "cc");
    return a;
#else
    return n < 32 ? a >> n : 0;
#endif
}

// A number below 1 in Q31.
INLINE uint32_t fraction_of(number_t a) {
    return shifted_right(mantissa_of(a), shift_of(a));
}

// y with 25 bits behind the point, for the bits of a float y, 0 <= y < 128.
INLINE uint32_t fixed25(uint32_t bits) {
    return shifted_right(leading_one(bits), 133 - (int32_t)(bits >> 23));
}

extern const uint32_t anne_exp2_table[32]; // 2^(-i/32) in Q31

// a b for 0 <= b < 2^31 in Q31 and any a: the upper 16 bits of a, with sign, by the upper 16 and the lower 15 of b stay
// within 2^31.
INLINE int32_t times_inline(int32_t a, uint32_t b) {
    int32_t a1 = a >> 16, b1 = (int32_t)(b >> 15), b0 = (int32_t)(b & 0x7fff);
    uint32_t a0 = a & 0xffff;
    return a1 * b1 + ((a1 * b0) >> 15) + (int32_t)((a0 * (uint32_t)b1) >> 16);
}

// 1 / d as Q31, for d with 28 bits behind the point, 1 <= d < 4.4.
//
// A first quotient q = 2^32 / (d >> 13) is about 2^45 / d. What is left, 2^45 - d q, is less than d above 0, because q
// is rounded down, and less than 2^13 q below 0, because of d >> 13: between -2^30 and 2^31, and it comes out exactly
// of wrapping arithmetic. One step of Newton's method squares the error, at most a part in 2^14: q + q (2^45 - d q) /
// 2^45, here times 2^14. It never exceeds 1 / d, so it stays below 2^31.
INLINE uint32_t reciprocal_inline(uint32_t d) {
    uint32_t q = 0xffffffffu / (d >> 13);
    int32_t rest = (int32_t)(0u - d * q);
    return (q << 14) + (uint32_t)(((rest >> 16) * (int32_t)q) >> 15);
}

// e^-y, mantissa 2^30 0.989 to 2^31 - 1, for y <= 87.33 with 25 bits behind the point.
//
// n: y >> 16 <= 44713, and 94548 = 2^20 32/ln2 / 512, so the product stays below 2^32; added is half a step and half of
// what y >> 16 cuts off. n <= 4032. r has 26 bits behind the point, where ln2/32 = 1453635 - 1/251, so it is off by 16
// at most, 2.4e-7 at y = 87; its terms may wrap. |r| < 0.55 ln2/32 < 50000 * 2^4, |p| < 2^20: all products stay below
// 2^32, those with sign below 2^31.
INLINE number_t exp_inline(uint32_t y) {
    uint32_t n = ((y >> 16) * 94548 + (140 << 12)) >> 20;
    int32_t r = (int32_t)(2 * y - n * 1453635);
    uint32_t quarter = (uint32_t)(r >> 4);
    int32_t p = r + (r >> 16) - (int32_t)((quarter * quarter) >> 19);
    uint32_t t = anne_exp2_table[n & 31];
    t -= (uint32_t)((((int32_t)(t >> 20) * p) >> 6) + (((int32_t)(t & 0xfffff) * (p >> 9)) >> 17));
    uint32_t carry = t >> 31;
    return number(t >> carry, (int32_t)((n >> 5) - carry));
}

// As functions, as the code is to be small. What they take and give, the inline ones above say.
int32_t anne_times_q31(int32_t a, uint32_t b);
uint32_t anne_reciprocal_q31(uint32_t d);
number_t anne_exp_minus_q31(uint32_t y);
// Horner's rule: the n coefficients of t^(n - 1) ... t^0, n >= 2, all of one scale, which is the result's, too; t is
// Q31.
int32_t anne_polynomial_q31(const int32_t *coefficients, uint32_t n, uint32_t t);
// The bits of the float nearest to mantissa 2^-(31 + shift), 0 < mantissa < 2^31; 0 if it is denormal. On Cortex-M0+ it
// is in armv6m/activations_f32.S.
uint32_t anne_packed_f32(uint32_t mantissa, int32_t shift);

#endif // ANNE_Q31_H
