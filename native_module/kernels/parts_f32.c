// Products of floats for training, in integers.
//
// On a chip without floating point a multiply-accumulate takes 150 cycles, most of them for taking numbers apart and
// putting them together. Here x is taken apart once for all rows, and a product with it takes three multiplications:
// with mantissas of 24 bits, w = wh 2^9 + wl and x = xh 2^9 + xl (xh with the sign, the rest 0 to 511),
//
//   T = wh xh + ((wh xl + wl xh) >> 9),  2^28 - 2 <= |T| <= 2^30
//
// is their product times 2^-18, up to 2 too small: wl xl is left out. It counts 2^(pe - 282), pe = ew + ex.
//
// Dot products are summed with one exponent, the greatest pe so far: where a greater one comes the sum is shifted, and
// by one more where it would not fit in 32 bits. The largest product or partial sum is at least 2^28 units, and a term
// is cut off by 3 of them at most, with its share of the shifts.
//
// y += a x is mostly a step that is small beside y. Then y keeps its exponent, and the float's bits are a number to
// which T, shifted to y's last place and rounded, is simply added: if no more than the 23 lower bits change, that was
// right. Otherwise y becomes an integer, too, with 6 bits behind its last place, and the sum is rounded.
#include "kernels/parts_f32.h"

#include <stddef.h>

#include "kernels/align_f32.h"

#define NOT_A_NUMBER 0x7fc00000
#define CHUNK        16

static inline int32_t exponent_of(uint32_t bits) {
    return (int32_t)(bits << 1 >> 24);
}

static inline int32_t with_sign_of(int32_t magnitude, uint32_t bits) {
    int32_t sign = (int32_t)bits >> 31;
    return (magnitude ^ sign) - sign;
}

static inline int32_t mantissa_of(uint32_t bits) {
    return with_sign_of((int32_t)((bits & 0x7fffff) | 0x800000), bits);
}

#if !defined(__ARM_ARCH_6M__) || defined(ANNE_PORTABLE) // else armv6m/parts_f32.S
bool anne_take_apart_f32(const float *x, uint32_t n, anne_parts_f32_t *parts) {
    bool finite = true;
    for (const float *end = x + n; x != end; x++, parts++) {
        uint32_t bits = anne_bits_of(*x);
        int32_t exponent = exponent_of(bits), mantissa = mantissa_of(bits);
        finite &= exponent != 255;
        if (exponent == 0) {
            exponent = ANNE_PARTS_NOTHING;
            mantissa = 0;
        }
        *parts = (anne_parts_f32_t){mantissa >> 9, (uint32_t)exponent << 16 | (mantissa & 0x1ff)};
    }
    return finite;
}

// (wh wl) times (xh xl) 2^-18.
static inline int32_t product(int32_t wh, int32_t wl, int32_t xh, int32_t xl) {
    return wh * xh + ((wh * xl + wl * xh) >> 9);
}

static inline int32_t exponent_in(const anne_parts_f32_t *x) {
    return (int32_t)x->rest >> 16;
}

static float dot(const anne_dots_f32_t *dots, const char *weights, float bias) {
    uint32_t bits = anne_bits_of(bias);
    int32_t sum = 0, most = 0; // products of 2^-254 and below are as nothing
    if (exponent_of(bits) == 255) {
        return anne_float_of(NOT_A_NUMBER);
    }
    if (exponent_of(bits) != 0) {
        sum = mantissa_of(bits) * 32;
        most = exponent_of(bits) + 127;
    }
    for (const anne_parts_f32_t *x = dots->x; x != dots->x_end; x++, weights += dots->column_bytes) {
        uint32_t w = anne_bits_of(*(const float *)weights);
        int32_t exponent = exponent_of(w);
        if (exponent == 255) {
            return anne_float_of(NOT_A_NUMBER);
        }
        int32_t shift = most - exponent - exponent_in(x);
        if (exponent == 0 || shift > 31) {
            continue;
        }
        if (shift < 0) {
            sum >>= shift > -31 ? -shift : 31;
            most -= shift;
            shift = 0;
        }
        int32_t xh = with_sign_of(x->high, w), xl = with_sign_of(x->rest & 0xffff, w);
        int32_t term = product((int32_t)(w << 9 >> 18 | 0x4000), w & 0x1ff, xh, xl) >> shift;
        if (__builtin_add_overflow(sum, term, &sum)) {
            sum = (int32_t)((uint32_t)sum >> 1 | (~(uint32_t)sum & 0x80000000)); // of 33 bits; the sign has turned
            most += 1;
        }
    }
    return anne_scaled_f32(sum, most - 282);
}

void anne_dots_f32(const anne_dots_f32_t *dots) {
    const char *weights = (const char *)dots->weights;
    const float *bias = dots->bias;
    const float *live = dots->live;
    for (float *out = dots->out; out != dots->out_end; out++, weights += dots->row_bytes) {
        if (live != NULL && (int32_t)anne_bits_of(*live++) <= 0) {
            *out = 0;
            continue;
        }
        *out = dot(dots, weights, bias != NULL ? *bias++ : 0.0f);
        if (dots->relu && anne_bits_of(*out) >> 31) {
            *out = 0;
        }
    }
}

float anne_narrowed_f32(int32_t m, int32_t e) {
    return anne_scaled_f32(m, e);
}

// y + T 2^-shift units of y's last place, unit = that of T, as anne_scaled_f32 takes it.
static float slow_sum(uint32_t y, int32_t term, int32_t shift, int32_t unit) {
    int32_t exponent = exponent_of(y);
    if (exponent == 0) {
        return anne_scaled_f32(term, unit);
    }
    if (exponent == 255 || shift > 30) {
        return anne_float_of(y);
    }
    int32_t wide = mantissa_of(y) * 64;
    if (shift >= 6) {
        return anne_scaled_f32(wide + (term >> (shift - 6)), exponent - 156);
    }
    return anne_scaled_f32(term + (wide >> (shift > -25 ? 6 - shift : 31)), unit);
}

// y + a x
static float plus_product(float y, const anne_parts_f32_t *a, const anne_parts_f32_t *x) {
    int32_t exponent = exponent_in(a) + exponent_in(x);
    if (exponent < 0) { // one of them is nothing
        return y;
    }
    uint32_t bits = anne_bits_of(y);
    int32_t term = product(a->high, a->rest & 0xffff, x->high, x->rest & 0xffff);
    int32_t shift = exponent_of(bits) + 132 - exponent;
    if (exponent_of(bits) != 0 && shift >= 1 && shift <= 30) {
        uint32_t sum = bits + (uint32_t)with_sign_of(((term >> (shift - 1)) + 1) >> 1, bits);
        if ((sum ^ bits) >> 23 == 0) {
            return anne_float_of(sum);
        }
    }
    return slow_sum(bits, term, shift, exponent - 282);
}

void anne_add_outer_f32(float *y, const anne_parts_f32_t *rows, uint32_t n_rows, const anne_parts_f32_t *x, uint32_t n,
                        float *bias) {
    static const anne_parts_f32_t one = {1 << 14, 127 << 16};
    for (const anne_parts_f32_t *end = rows + n_rows; rows != end; rows++) {
        for (uint32_t j = 0; j < n; j++, y++) {
            *y = plus_product(*y, rows, x + j);
        }
        if (bias != NULL) {
            *bias = plus_product(*bias, rows, &one);
            bias++;
        }
    }
}
#endif

void anne_add_scaled_f32(float *y, const float *x, uint32_t n, float a) {
    anne_parts_f32_t factor, parts[CHUNK];
    bool finite = anne_take_apart_f32(&a, 1, &factor);
    for (uint32_t size; n > 0; n -= size, x += size) {
        size = n < CHUNK ? n : CHUNK;
        if (anne_take_apart_f32(x, size, parts) && finite) {
            anne_add_outer_f32(y, &factor, 1, parts, size, NULL);
            y += size;
            continue;
        }
        for (const float *end = y + size; y != end; y++) {
            *y = anne_float_of(NOT_A_NUMBER);
        }
    }
}
