// Dense layer on float32, summed in integers.
//
// On a chip without floating point one multiply-accumulate costs about 220 cycles: two calls, each of which takes both
// numbers apart and puts the result together. Here x is taken apart once for all rows, and a row's result is put
// together once. With x = mx 2^(ex - 150), mx of 24 bits and a sign, and w likewise, the product is mw mx 2^(pe - 300),
// pe = ew + ex:
//
//   1. M = the greatest pe of the row, the bias counting as a product with 1; products with 0 do not count. A bias of
//      0 counts as 2^-127: what is 2^26 times smaller than that is below half of the least denormal.
//   2. T = (mw mx) >> 20 from four multiplications of 12-bit halves; T >> (M - pe) aligns it with the greatest.
//   3. The sum of these times 2^(M - 280) is the result; one conversion to float rounds it.
//
// Range: |mw mx| < 2^48, so |T| <= 2^28, and 7 of them with the bias stay within 2^31 - the sum is 2^31 only if all
// are -2^28, so only negative. Long rows are taken in blocks of 7 columns, the sum so far being the bias of the next.
// With mw = a1 2^12 + a0 and mx = b1 2^12 + b0 (a1, b1 signed, a0, b0 in 0..4095):
//   mw mx >> 20 = (a1 b1 2^4 + ((a1 b0 + a0 b1 + (a0 b0 >> 12)) >> 8)), where |a1 b1| <= 2^24.
// The largest product is at least 2^26 of these units: each term is rounded down by less than 2^-26 of it.
#include "kernels/dense_f32.h"

#include <math.h>
#include <stdbool.h>
#include <stdint.h>

#include "kernels/arithmetic_f32.h"
#include "kernels/flush_f32.h"
#include "kernels/processor.h"

#ifdef ANNE_FLOAT_UNIT
#ifndef ANNE_ARMV8M // else armv8m/dense_f32.S

// Four rows at once, as the floats that they are: 4 instructions a column, where integers would take 47.

static void four_rows(const float *weights, const float *bias, const float *x, size_t n_in, float *out) {
    float a = bias[0], b = bias[1], c = bias[2], d = bias[3];
    for (const float *end = x + n_in; x != end; x++, weights++) {
        const float value = *x;
        a += weights[0] * value;
        b += weights[n_in] * value;
        c += weights[2 * n_in] * value;
        d += weights[3 * n_in] * value;
    }
    out[0] = anne_normal_f32(a);
    out[1] = anne_normal_f32(b);
    out[2] = anne_normal_f32(c);
    out[3] = anne_normal_f32(d);
}

static void sum_rows(const float *weights, const float *bias, const float *x, size_t n_in, size_t n_out, float *out) {
    for (; n_out >= 4; n_out -= 4, weights += 4 * n_in, bias += 4, out += 4) {
        four_rows(weights, bias, x, n_in, out);
    }
    for (; n_out > 0; n_out--) {
        float sum = *bias++;
        for (size_t j = 0; j < n_in; j++) {
            sum += *weights++ * x[j];
        }
        *out++ = anne_normal_f32(sum);
    }
}

void anne_dense_f32(const float *weights, const float *bias, const float *x, size_t n_in, size_t n_out, float *out) {
    const uint32_t before = anne_flush_begin();
    sum_rows(weights, bias, x, n_in, n_out, out);
    anne_flush_end(before);
}

#endif
#else

static inline int32_t exponent_of(uint32_t bits) {
    return (int32_t)(bits << 1 >> 24);
}

// 24 bits and the sign; for numbers that are not 0 and not denormal.
static inline int32_t mantissa_of(uint32_t bits) {
    int32_t magnitude = (int32_t)((bits & 0x7fffff) | 0x800000);
    int32_t sign = (int32_t)bits >> 31;
    return (magnitude ^ sign) - sign;
}

// An x taken apart. Exponent 0 stands for 0 and denormals: far below every product that counts.
typedef struct {
    int16_t high; // mantissa >> 12, with the sign
    uint16_t low; // mantissa & 0xfff
    int32_t exponent;
} parts_t;

#define BLOCK   7
#define NOTHING (-1000)

// The parts of x[0..n-1]; false if one is NaN or infinite.
static bool take_apart(const float *x, size_t n, parts_t *parts) {
    bool finite = true;
    for (size_t j = 0; j < n; j++) {
        uint32_t bits = anne_bits_of(x[j]);
        int32_t exponent = exponent_of(bits);
        int32_t mantissa = mantissa_of(bits);
        finite &= exponent != 255;
        parts[j] = (parts_t){mantissa >> 12, mantissa & 0xfff, exponent != 0 ? exponent : NOTHING};
    }
    return finite;
}

// (mw mx) >> 20
static inline int32_t product(int32_t w, const parts_t *x) {
    int32_t a1 = w >> 12, a0 = w & 0xfff;
    int32_t middle = a1 * x->low + a0 * x->high + (int32_t)((uint32_t)(a0 * x->low) >> 12);
    return a1 * x->high * 16 + (middle >> 8);
}

// sum 2^exponent as a float; 0 where that is denormal.
static float scaled(int32_t sum, int32_t exponent) {
    uint32_t bits = anne_bits_of((float)sum);
    int32_t result = exponent_of(bits) + exponent;
    if (result > 254) {
        return sum < 0 ? -INFINITY : INFINITY;
    }
    if (sum == 0 || result < 0 || (result == 0 && (bits & 0x7fffff) != 0x7fffff)) {
        return 0.0f; // 24 bits of ones below 2^-126 are halfway between that and a denormal
    }
    return anne_float_of((result == 0 ? bits + 1 : bits) + ((uint32_t)exponent << 23));
}

// What IEEE 754 has for NaN and infinities, by the float operations themselves.
static float special(const float *weights, float bias, const float *x, size_t n_in) {
    float sum = bias;
    for (size_t j = 0; j < n_in; j++) {
        sum = anne_plus_f32(sum, anne_times_f32(weights[j], x[j]));
    }
    return sum;
}

// Whether one of the weights is NaN or infinite.
static bool has_special(const float *weights, size_t n) {
    for (size_t j = 0; j < n; j++) {
        if (exponent_of(anne_bits_of(weights[j])) == 255) {
            return true;
        }
    }
    return false;
}

// The greatest exponent of a product of the row, not below `most`. Products with 0 or a denormal do not count.
static int32_t greatest_exponent(const float *weights, const parts_t *parts, size_t n, int32_t most) {
    for (size_t j = 0; j < n; j++) {
        int32_t own = exponent_of(anne_bits_of(weights[j])), exponent = own + parts[j].exponent;
        if (exponent > most && own != 0) {
            most = exponent;
        }
    }
    return most;
}

// One row of a block whose x are finite and taken apart.
static float dense_row(const float *weights, float bias, const float *x, const parts_t *parts, size_t n) {
    int32_t own = exponent_of(anne_bits_of(bias));
    if (own == 255) { // a product alone may be beyond the floats, but the sum of all is finite: nothing beside infinity
        return has_special(weights, n) ? special(weights, bias, x, n) : bias;
    }
    int32_t most = greatest_exponent(weights, parts, n, own + 126), shift_of_bias = most - own - 126;
    int32_t sum = 0;
    if (own != 0 && shift_of_bias < 32) {
        sum = (mantissa_of(anne_bits_of(bias)) * 16) >> shift_of_bias;
    }
    for (size_t j = 0; j < n; j++) {
        uint32_t w = anne_bits_of(weights[j]);
        int32_t exponent = exponent_of(w);
        uint32_t shift = (uint32_t)(most - exponent - parts[j].exponent);
        if (shift < 32 && (uint32_t)exponent - 1 < 254) {
            sum += product(mantissa_of(w), &parts[j]) >> shift;
        } else if (exponent == 255) {
            return special(weights, bias, x, n);
        }
    }
    return scaled(sum, most - 280);
}

void anne_dense_f32(const float *weights, const float *bias, const float *x, size_t n_in, size_t n_out, float *out) {
    for (size_t first = 0; first < n_in; first += BLOCK) {
        size_t n = n_in - first < BLOCK ? n_in - first : BLOCK;
        parts_t parts[BLOCK];
        bool finite = take_apart(x + first, n, parts);
        const float *row = weights + first;
        for (size_t r = 0; r < n_out; r++, row += n_in) {
            float sum = first == 0 ? bias[r] : out[r];
            out[r] = finite ? dense_row(row, sum, x + first, parts, n) : special(row, sum, x + first, n);
        }
    }
}

#endif
