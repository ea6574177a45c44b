// A quotient of floats, by the reciprocal of q31.h: machines without a float divider round in ways of their own.
#include "kernels/quotient_f32.h"

#include "kernels/q31.h"

// a = m 2^(ea - 126) with 1/2 <= m < 1, b = d 2^(eb - 127) with 1 <= d < 2, so a / b = (m / d) 2^(ea - eb + 1), and m /
// d lies between 1/4 and 1.
float anne_quotient_f32(float a, float b) {
    uint32_t a_bits = anne_bits_of(a), b_bits = anne_bits_of(b), sign = (a_bits ^ b_bits) & SIGN;
    int32_t ea = (int32_t)(a_bits >> 23 & 0xff), eb = (int32_t)(b_bits >> 23 & 0xff);
    if (ea == 0 || ea == 255 || eb == 0 || eb == 255) {
        return anne_normal_f32(a) / anne_normal_f32(b);
    }
    uint32_t d = leading_one(b_bits), m = leading_one(a_bits) >> 1;
    uint32_t ratio = (uint32_t)anne_times_q31((int32_t)m, anne_reciprocal_q31(d >> 3));
    int32_t shift = eb - ea - 1;
    if (shift < -127) {
        return anne_float_of(sign | BITS_INFINITY);
    }
    return anne_float_of(sign | anne_packed_f32(ratio, shift));
}
