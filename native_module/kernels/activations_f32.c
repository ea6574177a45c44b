// Activation functions on float32.
//
// The RP2040 has no floating point unit: libm's expf costs about 2,000 cycles there, a float add or multiply about 70.
// So e^x is computed in integers, in about 100 cycles:
//
//   x = n ln2/64 + r with n whole and |r| <= ln2/128, so  e^x = 2^(n >> 6) * 2^((n & 63)/64) * e^r
//
// The first factor is an exponent, the second comes from a table of 64, the third is 1 + r + r^2/2: the next term,
// r^3/6, is below 2.7e-8. Everything else in this file is arithmetic on that.
#include "kernels/activations_f32.h"

#include <math.h>
#include <string.h>

// 2^(i/64) with 30 bits behind the point: round(2 ** (i / 64) * 2 ** 30)
static const uint32_t exp2_table[64] = {
    0x40000000, 0x40b268fa, 0x4166c34c, 0x421d1462, 0x42d561b4, 0x438fb0cb, 0x444c0740, 0x450a6abb,
    0x45cae0f2, 0x468d6fae, 0x47521cc6, 0x4818ee22, 0x48e1e9ba, 0x49ad1598, 0x4a7a77d4, 0x4b4a169c,
    0x4c1bf829, 0x4cf022ca, 0x4dc69cdd, 0x4e9f6cd4, 0x4f7a9930, 0x50582888, 0x51382182, 0x521a8ad7,
    0x52ff6b55, 0x53e6c9da, 0x54d0ad5a, 0x55bd1cdb, 0x56ac1f75, 0x579dbc57, 0x5891fac1, 0x5988e209,
    0x5a82799a, 0x5b7ec8f2, 0x5c7dd7a4, 0x5d7fad59, 0x5e8451d0, 0x5f8bccdb, 0x60962665, 0x61a3666d,
    0x62b39509, 0x63c6ba64, 0x64dcdec3, 0x65f60a7f, 0x6712460b, 0x683199ed, 0x69540ec9, 0x6a79ad56,
    0x6ba27e65, 0x6cce8ae1, 0x6dfddbcc, 0x6f307a41, 0x70666f76, 0x719fc4b9, 0x72dc8374, 0x741cb528,
    0x75606374, 0x76a7980f, 0x77f25cce, 0x7940bb9e, 0x7a92be8b, 0x7be86fba, 0x7d41d96e, 0x7e9f0606,
};

static inline uint32_t bits_of(float x) {
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

static inline float float_of(uint32_t bits) {
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

// x with 24 bits behind the point, for |x| < 128: exact from 0.5 on, cut off below 2^-24 otherwise.
static inline int32_t fixed24(uint32_t bits) {
    int32_t exponent = (int32_t)(bits >> 23 & 0xff) - 127;
    uint32_t mantissa = (bits & 0x7fffff) | 0x800000; // 23 bits behind the point
    int32_t shift = exponent + 1;
    uint32_t fixed = shift >= 0 ? mantissa << shift : shift > -25 ? mantissa >> -shift : 0;
    return bits >> 31 ? -(int32_t)fixed : (int32_t)fixed;
}

// e^x as mantissa 2^(exponent - 30) with a mantissa of 2^30 to 2^31 - 1, for |x| < 88.73 given as its bits.
//
// Ranges: |fixed| < 88.73 * 2^24 < 2^31; fixed >> 15 < 2^16 and 23637 < 2^15, so their product stays below 2^31;
// |n| <= 8193, and 8193 * 181704 < 2^31.
static inline uint32_t exp_parts(uint32_t bits, int32_t *exponent) {
    int32_t fixed = fixed24(bits);
    int32_t n = ((fixed >> 15) * 23637 + (1 << 16)) >> 17; // 64 log2(e), 23637 = round(log2(e) 2^14)
    int32_t r = fixed - n * 181704 - ((n * 24543) >> 16);  // ln2/64 = (181704 + 24543/65536) 2^-24
    int32_t half = r >> 2;                                 // |r| < 2^17: its square needs 34 bits, a quarter's 30
    int32_t p = (r + ((half * half) >> 21)) >> 1;          // r + r^2/2, 23 bits behind the point, |p| < 2^16
    uint32_t t = exp2_table[n & 63];
    uint32_t y = t + (uint32_t)(((int32_t)(t >> 16) * p) >> 7) + (uint32_t)(((int32_t)(t & 0xffff) * (p >> 2)) >> 21);
    *exponent = n >> 6;
    if (y < 1u << 30) { // e^r took the product below 1 ...
        y <<= 1;
        *exponent -= 1;
    } else if (y >> 31) { // ... or to 2 and above
        y >>= 1;
        *exponent += 1;
    }
    return y;
}

// mantissa 2^(exponent - 30) rounded to 24 bits; a carry out of the mantissa goes into the exponent, where it belongs.
static inline float packed(uint32_t mantissa, int32_t exponent) {
    return float_of(((uint32_t)(exponent + 126) << 23) + ((mantissa + 64) >> 7));
}

#define EXP_LEAST     0x42aeac50 // 87.3365: below its negative float32 has only denormals left
#define EXP_MOST      0x42b17217 // 88.7228 = ln(FLT_MAX)
#define BITS_INFINITY 0x7f800000

float anne_exp_f32(float x) {
    uint32_t bits = bits_of(x);
    uint32_t magnitude = bits & 0x7fffffff;
    if (magnitude >= EXP_LEAST) {
        if (magnitude > BITS_INFINITY) {
            return x; // NaN
        }
        if (bits >> 31) {
            return 0.0f;
        }
        if (magnitude > EXP_MOST) {
            return INFINITY;
        }
    }
    int32_t exponent;
    uint32_t mantissa = exp_parts(bits, &exponent);
    return packed(mantissa, exponent);
}

// 1 / (1 + e) with 30 bits behind the point, e = mantissa 2^(exponent - 30) in (0, 1].
//
// d = 1 + e with 28 bits behind the point. A first quotient of 17 bits, q = 2^32 / round(d 2^-13) ~ 2^45 / d, is off by
// a part in 2^15 at most; what is left, 2^45 - d q, is then below 2^30 and comes out exactly of wrapping arithmetic.
// One step of Newton's method squares the error: q + q (2^45 - d q) / 2^45, here times 2^13.
static inline uint32_t reciprocal_of_one_plus(uint32_t mantissa, int32_t exponent) {
    uint32_t d = (1u << 28) + (exponent > -30 ? mantissa >> (2 - exponent) : 0);
    uint32_t q = 0xffffffffu / ((d + (1 << 12)) >> 13);
    int32_t rest = (int32_t)(0u - d * q);
    return (q << 13) + (uint32_t)(((rest >> 16) * (int32_t)q) >> 16);
}

// Both forms keep the relative error small where the result is small; e^-|x| never overflows.
static float sigmoid(float x) {
    uint32_t bits = bits_of(x);
    uint32_t magnitude = bits & 0x7fffffff;
    if (magnitude >= EXP_LEAST) {
        return magnitude > BITS_INFINITY ? x : bits >> 31 ? 0.0f : 1.0f;
    }
    int32_t exponent;
    uint32_t mantissa = exp_parts(magnitude | 0x80000000, &exponent);
    uint32_t r = reciprocal_of_one_plus(mantissa, exponent);
    if (bits >> 31) { // e / (1 + e): 31 times 30 or 31 bits, the product of the low halves left out
        uint32_t m1 = mantissa >> 16, m0 = mantissa & 0xffff, r1 = r >> 16, r0 = r & 0xffff;
        uint32_t product = m1 * r1 + (m1 * r0 >> 16) + (m0 * r1 >> 16); // 28 bits behind the point, 0.5 to 2
        return product >> 28 ? packed(product << 2, exponent) : packed(product << 3, exponent - 1);
    }
    return r >> 30 ? 1.0f : packed(r << 1, -1);
}

// By bits: a comparison of floats is a call of 40 cycles. -0 and below become 0, a NaN stays what it is.
static inline float relu(float x) {
    uint32_t bits = bits_of(x);
    return bits >= 0x80000000 && bits <= 0xff800000 ? 0 : x;
}

static float tanh_f32(float x) {
    uint32_t sign = bits_of(x) & 0x80000000;
    uint32_t magnitude = bits_of(x) & 0x7fffffff;
    if (magnitude < 0x3e800000) { // |x| < 0.25: the series to x^9; the next term is below 1e-8 x
        float z = x * x;
        return x + x * z * (-1.0f / 3 + z * (2.0f / 15 + z * (-17.0f / 315 + z * (62.0f / 2835))));
    }
    if (magnitude > 0x7f800000) {
        return x; // NaN
    }
    float e = anne_exp_f32(-2.0f * float_of(magnitude));
    return float_of(bits_of((1.0f - e) / (1.0f + e)) | sign);
}

// ln(1 + e^x) = max(x, 0) + ln(1 + e^-|x|)
static float softplus(float x) {
    float e = anne_exp_f32(float_of(bits_of(x) | 0x80000000));
    return relu(x) + log1pf(e);
}

static float clamp06(float x) {
    return x < 0 ? 0 : x > 6 ? 6 : x;
}

static float apply(anne_activation_t activation, float alpha, float x) {
    switch (activation) {
    case ANNE_ACTIVATION_relu:
        return relu(x);
    case ANNE_ACTIVATION_relu6:
        return clamp06(x);
    case ANNE_ACTIVATION_leaky_relu:
        return x < 0 ? alpha * x : x;
    case ANNE_ACTIVATION_elu:
        return x < 0 ? alpha * expm1f(x) : x;
    case ANNE_ACTIVATION_sigmoid:
        return sigmoid(x);
    case ANNE_ACTIVATION_hard_sigmoid:
        return clamp06(x + 3) / 6;
    case ANNE_ACTIVATION_tanh:
        return tanh_f32(x);
    case ANNE_ACTIVATION_softplus:
        return softplus(x);
    case ANNE_ACTIVATION_swish:
        return x == -INFINITY ? -0.0f : x * sigmoid(x);
    case ANNE_ACTIVATION_hard_swish:
        return x == -INFINITY ? -0.0f : x * (clamp06(x + 3) / 6);
    case ANNE_ACTIVATION_gelu:
        return x == -INFINITY ? -0.0f : 0.5f * x * (1 + erff(x * 0.70710678f));
    default:
        return x;
    }
}

// e^(x - max) / sum: the shift keeps every exponent at or below 0.
static void softmax(float *x, size_t n) {
    float max = x[0];
    for (size_t i = 1; i < n; i++) {
        max = x[i] > max ? x[i] : max;
    }
    float sum = 0;
    for (size_t i = 0; i < n; i++) {
        x[i] = anne_exp_f32(x[i] - max);
        sum += x[i];
    }
    for (size_t i = 0; i < n; i++) {
        x[i] /= sum;
    }
}

void anne_activate_f32(anne_activation_t activation, float alpha, float *x, size_t n) {
    if (activation == ANNE_ACTIVATION_linear || n == 0) {
        return;
    }
    if (activation == ANNE_ACTIVATION_softmax) {
        softmax(x, n);
        return;
    }
    for (size_t i = 0; i < n; i++) {
        x[i] = apply(activation, alpha, x[i]);
    }
}
