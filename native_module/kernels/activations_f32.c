// Activation functions on float32.
//
// The RP2040 has no floating point unit: a float add or multiply takes 60 to 70 cycles there, libm's expf 2,000. So
// everything here is computed in integers, most of it from e^-y for y >= 0 (q31.h, which says how numbers are written).
// unary_f32.c has logarithm, roots, and e^x itself.
#include "kernels/activations_f32.h"

#include <math.h>
#include <stdbool.h>

#include "kernels/arithmetic_f32.h"
#include "kernels/q31.h"
#include "kernels/unary_f32.h"

// 1 - e^-y for the bits of y >= 0. Below 1/4, where that would cancel, y (1 - y/2 + y^2/6 ...): the minimax polynomial
// of degree 4, coefficients with 30 bits behind the point.
static NOINLINE number_t one_minus_exp(uint32_t bits) {
    static const int32_t coefficients[] = {8064039, -44548425, 178939950, -536870377, 1073741821};
    bits = bits < 0x42000000 ? bits : 0x42000000; // 32: 1 - e^-32 is 1
    uint32_t y = fixed25(bits);
    if (bits < 0x3e800000) {
        uint32_t series = (uint32_t)anne_polynomial_q31(coefficients, 5, y << 6);
        return number((uint32_t)anne_times_q31((int32_t)series, leading_one(bits) >> 1), 125 - (int32_t)(bits >> 23));
    }
    return number(0x7fffffff - fraction_of(anne_exp_minus_q31(y)), 0);
}

// --- The functions ---------------------------------------------------------------------------------------------------
// A NaN in x comes out again.

typedef float (*function_t)(float x, float alpha);

static float abs_f32(float x, float alpha) {
    (void)alpha;
    return anne_float_of(anne_bits_of(x) & ~SIGN);
}

static float negative_f32(float x, float alpha) {
    (void)alpha;
    return anne_float_of(anne_bits_of(x) ^ SIGN);
}

static float square_f32(float x, float alpha) {
    (void)alpha;
    return anne_times_f32(x, x);
}

// By bits: a comparison of floats is a call of 40 cycles. -0 and below become 0, a NaN stays what it is.
static NOINLINE float relu(float x, float alpha) {
    (void)alpha;
    uint32_t bits = anne_bits_of(x);
    return bits >= SIGN && bits <= (SIGN | BITS_INFINITY) ? 0 : x;
}

static float relu6(float x, float alpha) {
    uint32_t bits = anne_bits_of(x);
    return bits > 0x40c00000 && bits <= BITS_INFINITY ? 6.0f : relu(x, alpha);
}

static float leaky_relu(float x, float alpha) {
    return anne_bits_of(x) & SIGN ? anne_times_f32(alpha, x) : x;
}

static float elu(float x, float alpha) {
    uint32_t bits = anne_bits_of(x);
    if (bits < (SIGN | ANNE_BITS_LEAST_F32) || is_nan(x)) {
        return x;
    }
    number_t rest = one_minus_exp(bits - SIGN);
    return anne_times_f32(alpha, anne_float_of(SIGN | anne_packed_f32(mantissa_of(rest), shift_of(rest))));
}

// 1 / (1 + e^-x) and, to keep the relative error small where the result is, e^x / (1 + e^x) below 0. This is the most
// frequent activation, so its loop calls nothing but the divider (and anne_packed_f32, below 0). n >= 1.
#if !defined(__ARM_ARCH_6M__) || defined(ANNE_PORTABLE) // else armv6m/activations_f32.S
NOINLINE void anne_sigmoids_f32(float *x, size_t n) {
    do {
        uint32_t bits = anne_bits_of(*x), magnitude = bits & ~SIGN;
        if (magnitude > EXP_MOST) {
            *x = magnitude > BITS_INFINITY ? *x : bits & SIGN ? 0.0f : 1.0f;
            continue;
        }
        number_t e = exp_inline(fixed25(magnitude));
        uint32_t r = reciprocal_inline((1 << 28) + (fraction_of(e) >> 3));
        *x =
            anne_float_of(bits & SIGN ? anne_packed_f32((uint32_t)times_inline((int32_t)mantissa_of(e), r), shift_of(e))
                                      : (125u << 23) + ((r + 64) >> 7));
    } while (x++, --n);
}
#endif

static float hard_sigmoid(float x, float alpha) {
    return relu6(x + 3, alpha) * (1.0f / 6);
}

// x f, and 0 where f is 0, as it is for -inf.
INLINE float product(float x, float f) {
    return anne_bits_of(f) ? anne_times_f32(x, f) : 0.0f;
}

static float swish(float x, float alpha) {
    (void)alpha;
    float share = x;
    anne_sigmoids_f32(&share, 1);
    return product(x, share);
}

static float hard_swish(float x, float alpha) {
    return product(x, hard_sigmoid(x, alpha));
}

// tanh |x| = (1 - e) / (1 + e) with e = e^-2|x|; of a NaN, a denormal and 0 itself.
static float tanh_f32(float x, float alpha) {
    (void)alpha;
    uint32_t bits = anne_bits_of(x);
    if ((bits & ~SIGN) - ANNE_BITS_LEAST_F32 > BITS_INFINITY - ANNE_BITS_LEAST_F32) {
        return x;
    }
    number_t rest = one_minus_exp((bits & ~SIGN) + (1 << 23));
    uint32_t e = 0x80000000 - fraction_of(rest);
    uint32_t mantissa = (uint32_t)anne_times_q31((int32_t)mantissa_of(rest), anne_reciprocal_q31((1 << 28) + (e >> 3)));
    return anne_float_of((bits & SIGN) | anne_packed_f32(mantissa, shift_of(rest)));
}

// ln(1 + e^x) = max(x, 0) + ln(1 + e) with e = e^-|x|; ln(1 + e) / e is a polynomial, 30 bits behind the point.
static float softplus(float x, float alpha) {
    static const int32_t coefficients[] = {-9168908,   47340903,  -115622408, 190538130,
                                           -263018056, 357292750, -536843053, 1073741615};
    uint32_t bits = anne_bits_of(x), magnitude = bits & ~SIGN;
    if (magnitude > EXP_MOST) {
        return relu(x, alpha);
    }
    number_t e = anne_exp_minus_q31(fixed25(magnitude));
    int32_t ratio = anne_polynomial_q31(coefficients, 8, fraction_of(e));
    float rest = anne_float_of(anne_packed_f32((uint32_t)anne_times_q31(ratio, mantissa_of(e)), shift_of(e) - 1));
    return bits & SIGN ? rest : x + rest;
}

// x P(x), where P(x) is the normal distribution's share below x: for z = |x|,
//   P(-z) = e^(-z^2/2) M(z),  P(z) = 1 - P(-z)
// and M, Mills' ratio over the root of 2 pi, is a polynomial in t = 1 / (1 + 33/128 z) to within 2.4e-7 relative; its
// coefficients have 32 bits behind the point, as M < 1/2.
static float gelu(float x, float alpha) {
    static const int32_t coefficients[] = {-350321798, 1163823370, -733690370, 940752911,
                                           203972478,  486155429,  436532132,  258979};
    uint32_t bits = anne_bits_of(x), magnitude = bits & ~SIGN;
    int32_t shift = 130 - (int32_t)(magnitude >> 23);
    if (magnitude >= 0x41500000) { // 13
        return relu(x, alpha);
    }
    uint32_t z = leading_one(bits), z1 = z >> 16, z0 = z & 0xffff;
    uint32_t square = z1 * z1 + (z1 * z0 >> 15); // z0 has 8 bits, so its square counts less than 1
    number_t e = anne_exp_minus_q31(shifted_right(shifted_right(square, shift), shift));
    uint32_t t = anne_reciprocal_q31((1 << 28) + ((shifted_right(z, shift) >> 5) * 33 >> 2));
    uint32_t share = (uint32_t)anne_times_q31(anne_polynomial_q31(coefficients, 8, t), mantissa_of(e));
    int32_t share_shift = shift_of(e) + 1;
    if (!(bits & SIGN)) {
        share = 0x7fffffff - shifted_right(share, share_shift);
        share_shift = 0;
    }
    return anne_float_of((bits & SIGN)
                         | anne_packed_f32((uint32_t)anne_times_q31((int32_t)share, z >> 1), shift + share_shift - 4));
}

// The bits of floats as integers in the order of the floats, and back; NaN is beyond the infinities.
INLINE int32_t ordered(uint32_t bits) {
    return (int32_t)(bits ^ (uint32_t)((int32_t)bits >> 31) >> 1);
}

// -ln(sum 2^-31), 2^31 <= sum < 2^52: the logarithm to base 2 bit by bit, as squaring doubles it; 26 behind the point.
static NOINLINE float minus_log(uint64_t sum) {
    uint32_t log = 0;
    for (; sum >> 32; sum >>= 1) {
        log += 1;
    }
    uint32_t mantissa = (uint32_t)sum; // 1 to 2
    for (uint32_t i = 0; i < 26; i++) {
        uint64_t square = (uint64_t)mantissa * mantissa >> 31; // 1 to 4
        uint32_t bit = (uint32_t)(square >> 32);
        log = 2 * log + bit;
        mantissa = (uint32_t)(square >> bit);
    }
    uint32_t natural = (uint32_t)((uint64_t)log * 0xb17217f8 >> 32); // ln 2
    return natural == 0 ? 0.0f : anne_float_of(SIGN | anne_packed_f32(natural, -5));
}

// e^(x - max) / sum, or the logarithm of that, x - max - ln(sum): the shift keeps every exponent at or below 0. The
// terms are cut off at 2^-31 in the sum; the greatest is 1, so the sum is at least that, unless max is no number, or
// infinite.
static NOINLINE void softmax(float *x, size_t n, bool is_log) {
    const float *end = x + n;
    int32_t top = INT32_MIN;
    for (const float *p = x; p != end; p++) {
        int32_t key = ordered(anne_bits_of(*p));
        top = key > top ? key : top;
    }
    float max = anne_float_of((uint32_t)ordered((uint32_t)top));
    uint64_t sum = 1; // as the greatest term, 1, is written 1 - 2^-31
    float nan = 0;
    for (float *p = x; p != end; p++) {
        float difference = *p - max;
        uint32_t magnitude = anne_bits_of(difference) & ~SIGN;
        if (magnitude > EXP_MOST) {
            nan = is_nan(difference) ? difference : nan;
            *p = is_log ? difference : 0;
            continue;
        }
        number_t e = anne_exp_minus_q31(fixed25(magnitude));
        sum += fraction_of(e);
        *p = is_log ? difference : anne_float_of(anne_packed_f32(mantissa_of(e), shift_of(e)));
    }
    if (is_log) {
        float addend = anne_bits_of(nan) ? nan : minus_log(sum);
        for (float *p = x; p != end; p++) {
            *p = anne_plus_f32(*p, addend);
        }
        return;
    }
    int32_t shift = 0;
    for (; sum >> 33; sum >>= 1) { // down to 4
        shift += 1;
    }
    float factor =
        anne_bits_of(nan) ? nan : anne_float_of(anne_packed_f32(anne_reciprocal_q31((uint32_t)(sum >> 3)), shift));
    for (float *p = x; p != end; p++) {
        *p = anne_times_f32(*p, factor);
    }
}

// A function of its own, as it needs registers that sigmoids, which come first below, then need not save.
static NOINLINE void each(function_t function, float alpha, float *x, size_t n) {
    const float *end = x + n;
    do {
        *x = function(*x, alpha);
    } while (++x != end);
}

void anne_activate_f32(anne_activation_t activation, float alpha, float *x, size_t n) {
    static const function_t functions[] = {
        [ANNE_ACTIVATION_relu] = relu,
        [ANNE_ACTIVATION_relu6] = relu6,
        [ANNE_ACTIVATION_leaky_relu] = leaky_relu,
        [ANNE_ACTIVATION_elu] = elu,
        [ANNE_ACTIVATION_hard_sigmoid] = hard_sigmoid,
        [ANNE_ACTIVATION_tanh] = tanh_f32,
        [ANNE_ACTIVATION_softplus] = softplus,
        [ANNE_ACTIVATION_swish] = swish,
        [ANNE_ACTIVATION_hard_swish] = hard_swish,
        [ANNE_ACTIVATION_gelu] = gelu,
        [ANNE_ACTIVATION_exp] = anne_exp_f32,
        [ANNE_ACTIVATION_log] = anne_log_f32,
        [ANNE_ACTIVATION_sqrt] = anne_sqrt_f32,
        [ANNE_ACTIVATION_rsqrt] = anne_rsqrt_f32,
        [ANNE_ACTIVATION_abs] = abs_f32,
        [ANNE_ACTIVATION_negative] = negative_f32,
        [ANNE_ACTIVATION_square] = square_f32,
    };
    if (activation == ANNE_ACTIVATION_linear || n == 0) {
        return;
    }
    if (activation == ANNE_ACTIVATION_sigmoid) {
        anne_sigmoids_f32(x, n);
        return;
    }
    if (activation == ANNE_ACTIVATION_softmax || activation == ANNE_ACTIVATION_log_softmax) {
        softmax(x, n, activation == ANNE_ACTIVATION_log_softmax);
        return;
    }
    each(functions[activation], alpha, x, n);
}
