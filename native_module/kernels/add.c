// The sum of two vectors. Floats are added as they are. Integers have scales of their own, so both are brought to one
// first, twice the greater of the two, with as many bits behind the point as there is room for: TensorFlow Lite Micro's
// way, bit for bit. With s = 20 for int8 and 15 for int16,
//
//   A = rescale((a - a_zero_point) 2^s, factor of a), B likewise
//   y = limit(zero_point + rescale(A + B, factor of the sum), least, most)
//
// The first rounding of A needs no 64-bit product, as v = a - a_zero_point has few bits: |v| <= 255, or v is an int16.
// With the multiplier m = 2^16 h + l, l < 2^16 and h < 2^15,
//
//   floor((2^s v m + 2^30) / 2^31) = floor((2^16 v h + v l + 2^(30 - s)) / 2^(31 - s))
//                                  = 2^(s - 15) v h + floor((v l + 2^(30 - s)) / 2^(31 - s))
//
// where |2^(s - 15) v h| < 2^30, and v l + 2^(30 - s) lies within -32768 65535 and 32767 65535 + 2^15 < 2^31.
//
// Nothing else overflows: |2^s v| <= 2^30, a factor of at most 1/2 halves that, and |A + B| <= 2^30, with 2^30 itself
// only below 0. The sum's factor is below 1, so the result is no larger; and what is added to round is at most 2^30.
#include "kernels/add.h"

#include "kernels/arithmetic_f32.h"

// x / 2^n, halves away from zero; -2^30 <= x < 2^30.
static inline int32_t divide(int32_t x, int32_t n) {
    return n == 0 ? x : (x + (x >> 31) + (1 << (n - 1))) >> n;
}

// A as above, for s = bits.
static inline int32_t rescale_one(int32_t v, anne_rescale_t factor, int32_t bits) {
    int32_t high = factor.multiplier >> 16, low = factor.multiplier & 0xffff;
    int32_t first = v * high * (1 << (bits - 15)) + ((v * low + (1 << (30 - bits))) >> (31 - bits));
    return divide(first, -factor.shift);
}

static inline int32_t add_one(const anne_add_t *add, int32_t a, int32_t b, int32_t bits) {
    int32_t sum = rescale_one(a, add->a, bits) + rescale_one(b, add->b, bits);
    int32_t y = divide(anne_high_mul(sum, add->sum.multiplier), -add->sum.shift) + add->output.zero_point;
    return y < add->output.least ? add->output.least : y > add->output.most ? add->output.most : y;
}

void anne_add_s8(const anne_add_t *add, const int8_t *a, const int8_t *b, size_t n, int8_t *y) {
    const anne_add_t own = *add; // y might be taken for a part of it
    for (size_t i = 0; i < n; i++) {
        y[i] = (int8_t)add_one(&own, a[i] - own.a_zero_point, b[i] - own.b_zero_point, ANNE_ADD_BITS_S8);
    }
}

void anne_add_s16(const anne_add_t *add, const int16_t *a, const int16_t *b, size_t n, int16_t *y) {
    for (size_t i = 0; i < n; i++) {
        y[i] = (int16_t)add_one(add, a[i], b[i], ANNE_ADD_BITS_S16);
    }
}

void anne_add_f32(const float *a, const float *b, size_t n, float *y) {
    for (size_t i = 0; i < n; i++) {
        y[i] = anne_plus_f32(a[i], b[i]);
    }
}
