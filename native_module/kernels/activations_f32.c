// Activation functions on float32.
//
// The RP2040 has no floating point unit: a float add or multiply takes 60 to 70 cycles there, libm's expf 2,000. So
// everything here is computed in integers, from one function, e^-y for y >= 0:
//
//   y = n ln2/32 + r with n whole and |r| <= 0.012, so  e^-y = 2^-(n >> 5) * 2^-((n & 31)/32) * e^-r
//
// The first factor is an exponent, the second comes from a table of 32, the third is 1 - c r + r^2/2. With c = 1 the
// next term of the series, r^3/6, would be left as the error, 2.8e-7; c = 1 + 2^-16 takes it down to 7e-8.
//
// Unless said otherwise a number is a mantissa with 31 bits behind the point ("Q31") and a shift: mantissa 2^-shift.
// Products leave out the product of the low halves, and so come out up to 2^-29 too small.
#include "kernels/activations_f32.h"

#include <math.h>
#include <stdbool.h>

#include "kernels/arithmetic_f32.h"

// The file is compiled for size (flags.env): what is called often is inlined by name.
#define NOINLINE __attribute__((noinline))
#define INLINE   static inline __attribute__((always_inline))

// 2^(-i/32) in Q31, 1 as 1 - 2^-31: round(2 ** (31 - i / 32))
const uint32_t anne_exp2_table[32] = {
    0x7fffffff, 0x7d41d96e, 0x7a92be8b, 0x77f25cce, 0x75606374, 0x72dc8374, 0x70666f76, 0x6dfddbcc,
    0x6ba27e65, 0x69540ec9, 0x6712460b, 0x64dcdec3, 0x62b39509, 0x60962665, 0x5e8451d0, 0x5c7dd7a4,
    0x5a82799a, 0x5891fac1, 0x56ac1f75, 0x54d0ad5a, 0x52ff6b55, 0x51382182, 0x4f7a9930, 0x4dc69cdd,
    0x4c1bf829, 0x4a7a77d4, 0x48e1e9ba, 0x47521cc6, 0x45cae0f2, 0x444c0740, 0x42d561b4, 0x4166c34c,
};

#define SIGN          0x80000000
#define BITS_INFINITY 0x7f800000
#define EXP_MOST      0x42aea8f6 // 87.33: e^-y is a normal float up to here, with some room for errors; then it is 0

INLINE bool is_nan(float x) {
    return (anne_bits_of(x) & ~SIGN) > BITS_INFINITY;
}

// --- Arithmetic in Q31 -----------------------------------------------------------------------------------------------

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

// a b for 0 <= b < 2^31 in Q31 and any a: the upper 16 bits of a, with sign, by the upper 16 and the lower 15 of b stay
// within 2^31.
INLINE int32_t times_inline(int32_t a, uint32_t b) {
    int32_t a1 = a >> 16, b1 = (int32_t)(b >> 15), b0 = (int32_t)(b & 0x7fff);
    uint32_t a0 = a & 0xffff;
    return a1 * b1 + ((a1 * b0) >> 15) + (int32_t)((a0 * (uint32_t)b1) >> 16);
}

static NOINLINE int32_t times(int32_t a, uint32_t b) {
    return times_inline(a, b);
}

// Horner's rule: the n coefficients of t^(n - 1) ... t^0, n >= 2, all of one scale, which is the result's, too.
static NOINLINE int32_t polynomial(const int32_t *coefficients, uint32_t n, uint32_t t) {
    const int32_t *end = coefficients + n;
    int32_t sum = *coefficients++;
    do {
        sum = times_inline(sum, t);
        sum += *coefficients++;
    } while (coefficients != end);
    return sum;
}

#if !defined(__ARM_ARCH_6M__) || defined(ANNE_PORTABLE) // else armv6m/activations_f32.S
uint32_t anne_packed_f32(uint32_t mantissa, int32_t shift) {
    int32_t exponent = 125 - shift;
    for (; !(mantissa >> 30); mantissa <<= 1) {
        exponent -= 1;
    }
    if (exponent < 0) { // below 2^-126: that if it is nearer than the denormal beside it
        return exponent == -1 && mantissa >> 7 == 0xffffff ? ANNE_BITS_LEAST_F32 : 0;
    }
    // a carry out of the mantissa goes into the exponent, where it belongs
    return ((uint32_t)exponent << 23) + ((mantissa + 64) >> 7);
}
#endif

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

static NOINLINE uint32_t reciprocal(uint32_t d) {
    return reciprocal_inline(d);
}

// --- e^-y ------------------------------------------------------------------------------------------------------------

// y with 25 bits behind the point, for the bits of a float y, 0 <= y < 128.
INLINE uint32_t fixed25(uint32_t bits) {
    return shifted_right(leading_one(bits), 133 - (int32_t)(bits >> 23));
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

static NOINLINE number_t exp_minus(uint32_t y) {
    return exp_inline(y);
}

// 1 - e^-y for the bits of y >= 0. Below 1/4, where that would cancel, y (1 - y/2 + y^2/6 ...): the minimax polynomial
// of degree 4, coefficients with 30 bits behind the point.
static NOINLINE number_t one_minus_exp(uint32_t bits) {
    static const int32_t coefficients[] = {8064039, -44548425, 178939950, -536870377, 1073741821};
    bits = bits < 0x42000000 ? bits : 0x42000000; // 32: 1 - e^-32 is 1
    uint32_t y = fixed25(bits);
    if (bits < 0x3e800000) {
        uint32_t series = (uint32_t)polynomial(coefficients, 5, y << 6);
        return number((uint32_t)times((int32_t)series, leading_one(bits) >> 1), 125 - (int32_t)(bits >> 23));
    }
    return number(0x7fffffff - fraction_of(exp_minus(y)), 0);
}

// --- The functions ---------------------------------------------------------------------------------------------------
// A NaN in x comes out again.

typedef float (*function_t)(float x, float alpha);

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
    uint32_t mantissa = (uint32_t)times((int32_t)mantissa_of(rest), reciprocal((1 << 28) + (e >> 3)));
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
    number_t e = exp_minus(fixed25(magnitude));
    int32_t ratio = polynomial(coefficients, 8, fraction_of(e));
    float rest = anne_float_of(anne_packed_f32((uint32_t)times(ratio, mantissa_of(e)), shift_of(e) - 1));
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
    number_t e = exp_minus(shifted_right(shifted_right(square, shift), shift));
    uint32_t t = reciprocal((1 << 28) + ((shifted_right(z, shift) >> 5) * 33 >> 2));
    uint32_t share = (uint32_t)times(polynomial(coefficients, 8, t), mantissa_of(e));
    int32_t share_shift = shift_of(e) + 1;
    if (!(bits & SIGN)) {
        share = 0x7fffffff - shifted_right(share, share_shift);
        share_shift = 0;
    }
    return anne_float_of((bits & SIGN)
                         | anne_packed_f32((uint32_t)times((int32_t)share, z >> 1), shift + share_shift - 4));
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
        number_t e = exp_minus(fixed25(magnitude));
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
    float factor = anne_bits_of(nan) ? nan : anne_float_of(anne_packed_f32(reciprocal((uint32_t)(sum >> 3)), shift));
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
