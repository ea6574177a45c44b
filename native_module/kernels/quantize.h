// Between real numbers and the integers that stand for them: real = scale (integer - zero_point).
#ifndef ANNE_QUANTIZE_H
#define ANNE_QUANTIZE_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

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
