// The sum of two vectors. Floats are added as they are. Integers have scales of their own, so both are brought to one
// first, twice the greater of the two, with as many bits behind the point as there is room for: TensorFlow Lite Micro's
// way, bit for bit. With s = 20 for int8 and 15 for int16,
//
//   A = rescale((a - a_zero_point) 2^s, factor of a), B likewise
//   y = limit(zero_point + rescale(A + B, factor of the sum), least, most)
//
// All that is rescaled lies within -2^30 <= x < 2^30: |2^s v| does, for |v| <= 255 of int8, or v an int16; a factor of
// at most 1/2 halves it, so A + B does, too. So four products of 32 bits make the first rounding, and not one of 64,
// which the Cortex-M0+ has not. With x = 2^16 xh + xl, -2^15 <= xl < 2^15, and the multiplier m = 2^16 mh + ml, 0 <= ml
// < 2^16,
//
//   floor((x m + 2^30) / 2^31) = 2 xh mh + floor((xh ml + xl mh + floor(xl ml / 2^16) + 2^14) / 2^15)
//
// |xh| <= 2^14 and mh < 2^15. Where |xh| is 2^14, xl mh has the other sign, or is 0; else |xh ml| <= (2^14 - 1)(2^16 -
// 1) and |xl mh| <= 2^15 (2^15 - 1) leave room for the rest below 2^31. A factor is below 1, so the result is no larger
// than x, and half a step can be added before the second rounding.
#include "kernels/add.h"

#include "kernels/arithmetic_f32.h"

// x multiplier 2^(shift - 31), rounded twice as by anne_rescale; -2^30 <= x < 2^30, shift <= 0.
static inline int32_t rescale(int32_t x, anne_rescale_t factor) {
    int32_t mh = factor.multiplier >> 16, ml = factor.multiplier & 0xffff;
    int32_t xl = (int16_t)x, xh = (x - xl) >> 16;
    int32_t first = 2 * xh * mh + ((xh * ml + xl * mh + (xl * ml >> 16) + (1 << 14)) >> 15);
    int32_t n = -factor.shift;
    return n == 0 ? first : (first + (first >> 31) + (1 << (n - 1))) >> n; // halves away from zero
}

// a and b without their zero points, shifted.
static inline int32_t add_one(const anne_add_t *add, int32_t a, int32_t b) {
    int32_t y = rescale(rescale(a, add->a) + rescale(b, add->b), add->sum) + add->output.zero_point;
    return y < add->output.least ? add->output.least : y > add->output.most ? add->output.most : y;
}

void anne_add_s8(const anne_add_t *add, const int8_t *a, const int8_t *b, size_t n, int8_t *y) {
    const anne_add_t own = *add; // y might be taken for a part of it
    for (size_t i = 0; i < n; i++) {
        y[i] = (int8_t)add_one(&own, (a[i] - own.a_zero_point) * (1 << ANNE_ADD_BITS_S8),
                               (b[i] - own.b_zero_point) * (1 << ANNE_ADD_BITS_S8));
    }
}

void anne_add_s16(const anne_add_t *add, const int16_t *a, const int16_t *b, size_t n, int16_t *y) {
    const anne_add_t own = *add;
    for (size_t i = 0; i < n; i++) {
        y[i] = (int16_t)add_one(&own, a[i] * (1 << ANNE_ADD_BITS_S16), b[i] * (1 << ANNE_ADD_BITS_S16));
    }
}

void anne_add_f32(const float *a, const float *b, size_t n, float *y) {
    for (size_t i = 0; i < n; i++) {
        y[i] = anne_plus_f32(a[i], b[i]);
    }
}
