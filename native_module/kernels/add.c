// The sum of two operands, element by element, or their difference. Floats are added as they are. Integers have scales
// of their own, so both are brought to one first, twice the greater of the two, with as many bits behind the point as
// there is room for: TensorFlow Lite Micro's way, bit for bit. With s = 20 for int8 and 15 for int16,
//
//   A = rescale((a - a_zero_point) 2^s, factor of a), B likewise
//   y = limit(zero_point + rescale(A + B, factor of the sum), least, most)
//
// and A - B for a difference: B cannot be rescaled with its sign changed, as its first rounding takes halves up.
//
// All that is rescaled lies within -2^30 <= x < 2^30, as anne_rescale_small demands: 2^s v does, for |v| <= 255 of
// int8, or v an int16, and is at most 2^30 - 2^15. A factor of at most 1/2 halves it, so A and B lie within -2^29 <= x
// < 2^29, their sum within -2^30 <= x < 2^30, and their difference, too: it is below 2^29 + 2^29.
//
// int8 results seldom need all that. With the product of the factors of a and the sum, f = 2^s factor factor, and g of
// b,
//
//   2^18 v = 2^18 (f (a - a_zero_point) + g (b - b_zero_point)) = A a + B b + C + error
//
// for A = 2^18 f and B = 2^18 g, rounded, and |error| <= 255: half of |a - a_zero_point| and of the other. A and B of
// above are each off by 1 at most, and the last first rounding by half a step: with F = 2^(18 + the sum's shift), what
// one is in units of 2^-18 at most, 3 F in all. As in requantize.c the whole part of q = A a + B b + C + 2^17 + E, with
// E = 256 + 3 F, is the result, unless its fraction is at most 2 E (2 in 1000 are). It fits 32 bits if 255 (A + |B|) is
// below 2^30 + 2^29: f + g <= 24.
#include "kernels/add.h"

#include "kernels/arithmetic_f32.h"
#include "kernels/flush_f32.h"
#include "kernels/processor.h"
#include "kernels/rescale.h"

#define INLINE   static inline __attribute__((always_inline))
#define ONE_BITS ANNE_SUM_BITS // of q, behind the point

// a and b without their zero points, shifted.
static inline int32_t add_one(const anne_binary_t *how, int32_t a, int32_t b) {
    int32_t sum = anne_rescale_small(a, how->a) + how->sign * anne_rescale_small(b, how->b);
    return anne_limited(anne_rescale_small(sum, how->whole), &how->output);
}

static int32_t add_exactly(const anne_binary_t *how, const anne_row_t *row, int32_t from_end) {
    uint32_t i = row->n + (uint32_t)from_end;
    int32_t a = ((const int8_t *)row->a)[i * row->a_step], b = ((const int8_t *)row->b)[i * row->b_step];
    return add_one(how, (a - how->a_zero_point) * (1 << ANNE_ADD_BITS_S8),
                   (b - how->b_zero_point) * (1 << ANNE_ADD_BITS_S8));
}

#ifdef ANNE_ARMV8M                                        // armv8m/add_s8.S
#elif !defined(__ARM_ARCH_6M__) || defined(ANNE_PORTABLE) // else armv6m/add.S

static inline __attribute__((always_inline)) void join_all(const anne_join_t *join, const anne_binary_t *how,
                                                           const anne_row_t *row, bool is_product) {
    int8_t *y = row->y;
    for (uint32_t i = 0; i < row->n; i++) {
        int32_t a = join->a[i], b = join->b[i], bits = is_product ? ANNE_PRODUCT_BITS : ANNE_SUM_BITS;
        uint32_t q = join->start;
        if (is_product) {
            q += (uint32_t)((a + join->b_factor) * (b + join->b_offset)) * (uint32_t)join->a_factor;
        } else {
            q += (uint32_t)a * (uint32_t)join->a_factor + (uint32_t)b * (uint32_t)join->b_factor;
        }
        if (q << (32 - bits) <= join->unsure) {
            y[i] = (int8_t)join->exactly(how, row, (int32_t)(i - row->n));
            continue;
        }
        int32_t above = (int32_t)q >> bits; // the least
        y[i] = (int8_t)(join->least + (above < 0 ? 0 : above > join->range ? join->range : above));
    }
}

void anne_join_sums_s8(const anne_join_t *join, const anne_binary_t *how, const anne_row_t *row) {
    join_all(join, how, row, false);
}

void anne_join_products_s8(const anne_join_t *join, const anne_binary_t *how, const anne_row_t *row) {
    join_all(join, how, row, true);
}

#endif

// 2^18 times the product of an operand's factor, the sum's and 2^20, rounded: below 2^24, else 2^24.
static int32_t joined_factor(anne_rescale_t factor, anne_rescale_t whole) {
    int32_t right = 62 - ONE_BITS - ANNE_ADD_BITS_S8 - factor.shift - whole.shift; // 24 at least
    uint64_t product = (uint64_t)factor.multiplier * (uint32_t)whole.multiplier;
    uint64_t rounded = right > 62 ? 0 : ((product >> (right - 1)) + 1) >> 1;
    return rounded < 1 << 24 ? (int32_t)rounded : 1 << 24;
}

// An operand of one value for all is part of the start; then the other stands for both.
static anne_join_t join_of(const anne_binary_t *how, const anne_row_t *row) {
    int32_t a = joined_factor(how->a, how->whole), b = joined_factor(how->b, how->whole);
    int32_t finest = ONE_BITS + how->whole.shift, error = 256 + 3 * (1 << (finest > 0 ? finest : 0));
    bool good = 255 * ((int64_t)a + b) < 3 << 29 && error < 1 << (ONE_BITS - 2);
    b *= how->sign;
    anne_join_t join = {
        .a_factor = a, .b_factor = b, .a = row->a, .b = row->b, .least = how->output.least, .exactly = add_exactly};
    uint32_t start = (uint32_t)(how->output.zero_point - how->output.least) << ONE_BITS;
    join.start = start + (1u << (ONE_BITS - 1)) + (uint32_t)error - (uint32_t)a * (uint32_t)how->a_zero_point
                 - (uint32_t)b * (uint32_t)how->b_zero_point;
    join.unsure = good ? (uint32_t)error << (33 - ONE_BITS) : UINT32_MAX;
    join.range = how->output.most - how->output.least;
    if (row->a_step == 0) {
        join.start += (uint32_t)a * (uint32_t)*join.a;
        join.a_factor = 0, join.a = join.b;
    } else if (row->b_step == 0) {
        join.start += (uint32_t)b * (uint32_t)*join.b;
        join.b_factor = 0, join.b = join.a;
    }
    return join;
}

void anne_add_s8(const anne_binary_t *how, const anne_row_t *row) {
    if (row->n >= ANNE_LEAST_JOINED && row->a_step + row->b_step > 0) {
        const anne_join_t join = join_of(how, row);
        anne_join_sums_s8(&join, how, row);
        return;
    }
    int8_t *y = row->y;
    for (int32_t i = -(int32_t)row->n; i < 0; i++) {
        *y++ = (int8_t)add_exactly(how, row, i);
    }
}

#ifdef __ARM_ARCH_6M__

void anne_add_s16(const anne_binary_t *how, const anne_row_t *row) {
    const anne_binary_t own = *how;
    const int16_t *a = row->a, *b = row->b;
    int16_t *y = row->y;
    uint32_t a_step = row->a_step, b_step = row->b_step;
    for (uint32_t n = row->n; n > 0; n--, a += a_step, b += b_step) {
        *y++ = (int16_t)add_one(&own, *a * (1 << ANNE_ADD_BITS_S16), *b * (1 << ANNE_ADD_BITS_S16));
    }
}

#else

// Both operands have a step of 1. `a_one` and `b_one`, constants where this is used: that operand's factor has no
// shift. That of the sum has one.
INLINE void add_all_s16(const anne_binary_t *how, const anne_row_t *row, bool a_one, bool b_one) {
    const anne_small_t a_factor = anne_small_of(how->a), b_factor = anne_small_of(how->b);
    const anne_small_t whole = anne_small_of(how->whole);
    const anne_output_t output = how->output;
    const int32_t sign = how->sign;
    const int16_t *a = row->a, *b = row->b;
    int16_t *y = row->y;
    for (const int16_t *end = y + row->n; y != end;) {
        const int32_t first = anne_rescale_by(*a++ * (1 << ANNE_ADD_BITS_S16), &a_factor, a_one);
        const int32_t second = anne_rescale_by(*b++ * (1 << ANNE_ADD_BITS_S16), &b_factor, b_one);
        *y++ = (int16_t)anne_limited(anne_rescale_by(first + sign * second, &whole, false), &output);
    }
}

void anne_add_s16(const anne_binary_t *how, const anne_row_t *row) {
    if (how->whole.shift == 0 || row->a_step + row->b_step < 2) {
        const int16_t *a = row->a, *b = row->b;
        int16_t *y = row->y;
        for (uint32_t n = row->n; n > 0; n--, a += row->a_step, b += row->b_step) {
            *y++ = (int16_t)add_one(how, *a * (1 << ANNE_ADD_BITS_S16), *b * (1 << ANNE_ADD_BITS_S16));
        }
    } else if (how->a.shift == 0 && how->b.shift == 0) {
        add_all_s16(how, row, true, true);
    } else if (how->a.shift == 0) {
        add_all_s16(how, row, true, false);
    } else if (how->b.shift == 0) {
        add_all_s16(how, row, false, true);
    } else {
        add_all_s16(how, row, false, false);
    }
}

#endif

#ifdef ANNE_FLUSHES // sums below the normal floats are exact

INLINE void add_all_f32(const anne_row_t *row, bool subtracts, uint32_t a_step, uint32_t b_step) {
    const float *a = row->a, *b = row->b;
    float *y = row->y;
    const float *end = y + row->n;
    for (const float *fours = y + row->n / 4 * 4; y != fours; a += 4 * a_step, b += 4 * b_step, y += 4) {
        const float a0 = a[0], a1 = a[a_step], a2 = a[2 * a_step], a3 = a[3 * a_step];
        const float b0 = b[0], b1 = b[b_step], b2 = b[2 * b_step], b3 = b[3 * b_step];
        y[0] = subtracts ? a0 - b0 : a0 + b0;
        y[1] = subtracts ? a1 - b1 : a1 + b1;
        y[2] = subtracts ? a2 - b2 : a2 + b2;
        y[3] = subtracts ? a3 - b3 : a3 + b3;
    }
    for (; y != end; a += a_step, b += b_step) {
        *y++ = subtracts ? *a - *b : *a + *b;
    }
}

void anne_add_f32(const anne_binary_t *how, const anne_row_t *row) {
    const uint32_t before = anne_flush_begin();
    const bool both = row->a_step + row->b_step == 2;
    if (how->sign < 0 && both) {
        add_all_f32(row, true, 1, 1);
    } else if (how->sign < 0) {
        add_all_f32(row, true, row->a_step, row->b_step);
    } else if (both) {
        add_all_f32(row, false, 1, 1);
    } else {
        add_all_f32(row, false, row->a_step, row->b_step);
    }
    anne_flush_end(before);
}

#else

void anne_add_f32(const anne_binary_t *how, const anne_row_t *row) {
    const float *a = row->a, *b = row->b;
    float *y = row->y;
    uint32_t sign = (uint32_t)how->sign & 0x80000000;
    for (uint32_t n = row->n; n > 0; n--, a += row->a_step, b += row->b_step) {
        *y++ = anne_plus_f32(*a, anne_float_of(anne_bits_of(*b) ^ sign));
    }
}

#endif
