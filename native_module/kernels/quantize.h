// Between real numbers and the integers that stand for them: real = scale (integer - zero_point).
#ifndef ANNE_QUANTIZE_H
#define ANNE_QUANTIZE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

// A scale from 2^-125 on with its zero point, of int8, or of int16, whose zero point is 0; and what does its divisions.
typedef struct {
    uint32_t mantissa; // of the scale: 24 bits
    uint32_t reciprocal;
    uint32_t first; // exponent, as in the bits, of the smallest floats that can reach half a step
    uint32_t last;  // from there, that of the largest within the limits
    int32_t zero_point;
    bool is_s16;
} anne_scale_t;

anne_scale_t anne_scale(float scale, int32_t zero_point, bool is_s16);

// y[i] = what anne_round makes of x[i] / scale, the quotient being rounded to a float as IEEE 754 says. n >= 1.
void anne_quantize_f32(const anne_scale_t *scale, const float *x, size_t n, void *y);

// y[i] = (x[i] - zero_point) scale, rounded as IEEE 754 says.
void anne_dequantize_f32(const anne_scale_t *scale, const void *x, size_t n, float *y);

// The integer nearest to v + zero_point, halves away from zero (before the zero point is added), limited to `least` to
// `greatest`, which lie within 16 bits and around zero_point; zero_point for NaN.
//
// Read from the float's bits, as each operation on floats costs an RP2040 some 60 cycles: |v| = m 2^(e - 150) with
// 2^23 <= m < 2^24. Below 1/2 (e < 126) that rounds to 0; from 2^17 on (e > 143) it is beyond any limit; between, m is
// shifted right by 7 to 24, after a half is added, which cannot overflow.
static inline int32_t anne_round(float v, int32_t zero_point, int32_t least, int32_t greatest) {
    uint32_t bits;
    memcpy(&bits, &v, sizeof(bits));
    uint32_t exponent = bits >> 23 & 0xff;
    if (exponent < 126) {
        return zero_point;
    }
    if (exponent > 143) {
        return (bits << 1) > 0xff000000u ? zero_point : bits >> 31 ? least : greatest;
    }
    uint32_t shift = 150 - exponent;
    int32_t whole = (int32_t)(((bits & 0x7fffff) + 0x800000 + (1u << (shift - 1))) >> shift);
    whole = (bits >> 31 ? -whole : whole) + zero_point;
    return whole < least ? least : whole > greatest ? greatest : whole;
}

#endif // ANNE_QUANTIZE_H
