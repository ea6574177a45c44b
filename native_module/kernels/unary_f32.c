// Functions of one float on a machine without floating point: in integers (q31.h).
#include "kernels/unary_f32.h"

#include "kernels/q31.h"

// e^-x of a negative x, else 2^k e^-(k ln2 - x) with the k for which k ln2 - x is 0.65 to 1.5. All with 25 bits behind
// the point, where ln2 is 23258160 - 1/15.6. x >> 16 <= 45427 and 47274 = 2^15 / ln2, cut off, so the product stays
// below 2^31 and k within 129; k ln2 stays below 2^32. The least x beyond FLT_MAX is 0x42b17218.
float anne_exp_f32(float x, float alpha) {
    (void)alpha;
    uint32_t bits = anne_bits_of(x), magnitude = bits & ~SIGN;
    if (magnitude > BITS_INFINITY) {
        return x;
    }
    if (magnitude > (bits & SIGN ? EXP_MOST : 0x42b17217)) {
        return anne_float_of(bits & SIGN ? 0 : BITS_INFINITY);
    }
    uint32_t y = fixed25(magnitude), k = 0;
    if (!(bits & SIGN)) {
        k = ((y >> 16) * 47274 >> 24) + 2;
        y = k * 23258160 - (k >> 4) - y;
    }
    number_t e = anne_exp_minus_q31(y);
    return anne_float_of(anne_packed_f32(mantissa_of(e), shift_of(e) - (int32_t)k));
}

// ln x = k ln2 + ln m for m = 2^-k x from sqrt(1/2) to sqrt(2), and ln m = 2 artanh s with s = (m - 1) / (m + 1). The
// quotient artanh s / s is a polynomial in s^2 <= 0.0295, 30 bits behind the point, and m - 1 is exact: so the result
// keeps its digits near x = 1, too.
float anne_log_f32(float x, float alpha) {
    static const int32_t coefficients[] = {160670370, 214612792, 357914744, 1073741823};
    (void)alpha;
    uint32_t bits = anne_bits_of(x);
    if ((bits & ~SIGN) < ANNE_BITS_LEAST_F32) {
        return anne_float_of(SIGN | BITS_INFINITY);
    }
    if (bits >= BITS_INFINITY) {
        return is_nan(x) || !(bits & SIGN) ? x : NOT_A_NUMBER;
    }
    int32_t k = (int32_t)(bits - 0x3f3504f3) >> 23;
    bits -= (uint32_t)k << 23;
    float rest = anne_float_of(bits) - 1, powers = anne_times_f32((float)k, 0x1.62e43p-1f);
    uint32_t rest_bits = anne_bits_of(rest);
    if (rest_bits == 0) {
        return powers;
    }
    int32_t shift = 126 - (int32_t)(rest_bits >> 23 & 0xff); // |s| = q 2^-shift, shift 1 to 24
    uint32_t m = leading_one(bits) >> (130 - (bits >> 23));
    uint32_t q = (uint32_t)anne_times_q31((int32_t)(leading_one(rest_bits) >> 1), anne_reciprocal_q31((1 << 28) + m));
    uint32_t square = shifted_right((uint32_t)anne_times_q31((int32_t)q, q), 2 * shift);
    uint32_t half = (uint32_t)anne_times_q31(anne_polynomial_q31(coefficients, 4, square), q);
    return anne_plus_f32(powers, anne_float_of((rest_bits & SIGN) | anne_packed_f32(half, shift - 2)));
}

// The root of a mantissa of 24 bits, or twice that where the exponent is odd from 2^0: 25 bits, one by one from the
// top as on paper. `rest`, what is left of the square, is at most twice the root, so 27 bits hold it with the next two.
static NOINLINE uint32_t root_of(uint32_t bits) {
    uint32_t square = leading_one(bits) >> (bits >> 23 & 1), rest = 0, root = 0;
    for (uint32_t i = 0; i < 25; i++) {
        uint32_t trial = 4 * root + 1;
        rest = rest << 2 | square >> 30;
        square <<= 2;
        root *= 2;
        if (rest >= trial) {
            rest -= trial;
            root += 1;
        }
    }
    return root;
}

// sqrt(x), or 1 / sqrt(x) if `inverse`. The root lies never halfway between two floats, as the square of such a number
// has more digits than x: so one bit more than those of a float rounds it correctly.
INLINE float rooted(float x, bool inverse) {
    uint32_t bits = anne_bits_of(x), sign = bits & SIGN;
    if (bits << 1 < ANNE_BITS_LEAST_F32 << 1) {
        return anne_float_of(sign | (inverse ? BITS_INFINITY : 0));
    }
    if (bits >= BITS_INFINITY) {
        return is_nan(x) ? x : sign ? NOT_A_NUMBER : inverse ? 0 : x;
    }
    uint32_t root = root_of(bits);
    int32_t exponent = (int32_t)((bits >> 23) + 127) >> 1;
    return anne_float_of(inverse ? anne_packed_f32(anne_reciprocal_q31(root << 4), exponent - 127)
                                 : ((uint32_t)(exponent - 1) << 23) + ((root + 1) >> 1));
}

float anne_sqrt_f32(float x, float alpha) {
    (void)alpha;
    return rooted(x, false);
}

float anne_rsqrt_f32(float x, float alpha) {
    (void)alpha;
    return rooted(x, true);
}
