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
#include "kernels/processor.h"
#include "kernels/rescale.h"

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

void anne_add_s16(const anne_binary_t *how, const anne_row_t *row) {
    const anne_binary_t own = *how;
    const int16_t *a = row->a, *b = row->b;
    int16_t *y = row->y;
    uint32_t a_step = row->a_step, b_step = row->b_step;
    for (uint32_t n = row->n; n > 0; n--, a += a_step, b += b_step) {
        *y++ = (int16_t)add_one(&own, *a * (1 << ANNE_ADD_BITS_S16), *b * (1 << ANNE_ADD_BITS_S16));
    }
}

void anne_add_f32(const anne_binary_t *how, const anne_row_t *row) {
    const float *a = row->a, *b = row->b;
    float *y = row->y;
    uint32_t sign = (uint32_t)how->sign & 0x80000000;
    for (uint32_t n = row->n; n > 0; n--, a += row->a_step, b += row->b_step) {
        *y++ = anne_plus_f32(*a, anne_float_of(anne_bits_of(*b) ^ sign));
    }
}
