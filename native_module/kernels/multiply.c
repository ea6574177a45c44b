// The product of two operands, element by element; of integers as TensorFlow Lite Micro multiplies, bit for bit:
//
//   y = limit(zero_point + rescale((a - a_zero_point) (b - b_zero_point)), least, most)
//
// A product of int8 is at most 255^2 < 2^16 in magnitude; where the factor is above 1 it is shifted to the left first,
// by 13 at most, which leaves it below 2^29. One of int16 is at most 2^30, which (-2^15)^2 is; no factor is above 1
// there, and no shift below -30. So all that is rescaled is as anne_rescale_small demands.
//
// int8 results seldom need all that. With the factor f = multiplier 2^(shift - 31) and F = 2^21 f, rounded,
//
//   2^21 v = 2^21 f (a - a_zero_point) (b - b_zero_point) = F (a - a_zero_point) (b - b_zero_point) + error
//
// for |error| <= P / 2, where P is the largest product. The first rounding moves v by half of 2^shift at most. With E =
// P / 2 + 2^(20 + shift) + 2 the whole part of q = 2^21 v + 2^20 + E is the result, unless its fraction is at most 2 E,
// as in add.c: up to 3 in 100 are. q fits 32 bits if P F and what is added to it are below 2^31 together.
#include "kernels/add.h"
#include "kernels/arithmetic_f32.h"
#include "kernels/flush_f32.h"
#include "kernels/rescale.h"

#define INLINE static inline __attribute__((always_inline))

#define LEAST_SHIFT (-20) // then half of 2^shift is a whole number of steps of q, and what is sure is most
#define MOST_SHIFT  (-3)

static inline int32_t multiply_one(const anne_binary_t *how, int32_t product) {
    return anne_limited(anne_rescale_small(product, how->whole), &how->output);
}

static inline int32_t multiply_exactly(const anne_binary_t *how, const anne_row_t *row, int32_t from_end) {
    uint32_t i = row->n + (uint32_t)from_end;
    int32_t a = ((const int8_t *)row->a)[i * row->a_step], b = ((const int8_t *)row->b)[i * row->b_step];
    return multiply_one(how, (a - how->a_zero_point) * (b - how->b_zero_point) * how->up);
}

// The largest |x - zero_point| of int8.
static inline int32_t largest(int32_t zero_point) {
    return zero_point < 0 ? 127 - zero_point : zero_point + 128;
}

// Whether the row can be joined: q has room, and enough is sure.
static bool join_of(const anne_binary_t *how, const anne_row_t *row, anne_join_t *join) {
    int32_t shift = how->whole.shift, zeros = how->output.zero_point - how->output.least;
    uint32_t most = (uint32_t)(largest(how->a_zero_point) * largest(how->b_zero_point)); // at most 2^16
    if (shift < LEAST_SHIFT || shift > MOST_SHIFT || how->up != 1 || zeros < 0) {
        return false;
    }
    uint32_t factor = (((uint32_t)how->whole.multiplier >> (9 - shift)) + 1) >> 1; // at most 2^18
    uint32_t error = most / 2 + 2 + (1u << (ANNE_PRODUCT_BITS - 1 + shift));       // at most 2^15 + 2 + 2^17
    uint32_t start = ((uint32_t)zeros << ANNE_PRODUCT_BITS) + (1u << (ANNE_PRODUCT_BITS - 1)) + error;
    *join = (anne_join_t){.a_factor = (int32_t)factor,
                          .b_factor = -how->a_zero_point,
                          .start = start,
                          .unsure = error << (33 - ANNE_PRODUCT_BITS),
                          .range = how->output.most - how->output.least,
                          .least = how->output.least,
                          .a = row->a,
                          .b = row->b,
                          .exactly = multiply_exactly,
                          .b_offset = -how->b_zero_point};
    return (most / 16 + 1) * factor < (0x80000000 - start) / 16; // a product below 2^31
}

#if defined(__ARM_ARCH_6M__) || defined(ANNE_ARMV8M)
#define JOINS // elsewhere that costs more than a product of 64 bits
#endif

#ifndef __ARM_ARCH_6M__
// All the exact way; `one`, a constant: the factor has no shift.
INLINE void multiply_all_s8(const anne_binary_t *how, const anne_row_t *row, bool one, int32_t up, uint32_t a_step,
                            uint32_t b_step) {
    const anne_small_t factor = anne_small_of(how->whole);
    const anne_output_t output = how->output;
    const int32_t a_zero_point = how->a_zero_point, b_zero_point = how->b_zero_point;
    const int8_t *a = row->a, *b = row->b;
    int8_t *y = row->y;
    for (const int8_t *end = y + row->n; y != end; a += a_step, b += b_step) {
        const int32_t product = (*a - a_zero_point) * (*b - b_zero_point) * up;
        *y++ = (int8_t)anne_limited(anne_rescale_by(product, &factor, one), &output);
    }
}

INLINE void multiply_all_s16(const anne_binary_t *how, const anne_row_t *row, bool one, uint32_t a_step,
                             uint32_t b_step) {
    const anne_small_t factor = anne_small_of(how->whole);
    const anne_output_t output = how->output;
    const int16_t *a = row->a, *b = row->b;
    int16_t *y = row->y;
    for (const int16_t *end = y + row->n; y != end; a += a_step, b += b_step) {
        *y++ = (int16_t)anne_limited(anne_rescale_by(*a * *b, &factor, one), &output);
    }
}
#endif

void anne_multiply_s8(const anne_binary_t *how, const anne_row_t *row) {
#ifdef JOINS
    anne_join_t join;
    if (row->n >= ANNE_LEAST_JOINED && row->a_step + row->b_step == 2 && join_of(how, row, &join)) {
        anne_join_products_s8(&join, how, row);
        return;
    }
#else
    (void)join_of, (void)multiply_exactly;
#endif
#ifdef __ARM_ARCH_6M__
    const anne_binary_t own = *how; // y might be taken for a part of it, or of row
    const anne_row_t from = *row;
    int8_t *y = row->y;
    for (int32_t i = -(int32_t)from.n; i < 0; i++) {
        *y++ = (int8_t)multiply_exactly(&own, &from, i);
    }
#else
    if (how->whole.shift == 0) {
        multiply_all_s8(how, row, true, how->up, row->a_step, row->b_step);
    } else if (row->a_step + row->b_step == 2 && how->up == 1) {
        multiply_all_s8(how, row, false, 1, 1, 1);
    } else {
        multiply_all_s8(how, row, false, how->up, row->a_step, row->b_step);
    }
#endif
}

void anne_multiply_s16(const anne_binary_t *how, const anne_row_t *row) {
#ifdef __ARM_ARCH_6M__
    const anne_binary_t own = *how;
    const int16_t *a = row->a, *b = row->b;
    int16_t *y = row->y;
    uint32_t a_step = row->a_step, b_step = row->b_step;
    for (uint32_t n = row->n; n > 0; n--, a += a_step, b += b_step) {
        *y++ = (int16_t)multiply_one(&own, *a * *b);
    }
#else
    if (how->whole.shift == 0) {
        multiply_all_s16(how, row, true, row->a_step, row->b_step);
    } else if (row->a_step + row->b_step == 2) {
        multiply_all_s16(how, row, false, 1, 1);
    } else {
        multiply_all_s16(how, row, false, row->a_step, row->b_step);
    }
#endif
}

#ifdef ANNE_FLUSHES

#define SOME 8

// The unit takes for 0 what would round up to the least normal float, and notes that in a flag. So some are multiplied
// at a time, and, if that is up, once more, one by one.
static void multiply_some(const float *a, uint32_t a_step, const float *b, uint32_t b_step, uint32_t n, float *y) {
    for (; n > 0; n--, a += a_step, b += b_step) {
        *y++ = anne_times_f32(*a, *b);
    }
}

INLINE void multiply_all_f32(const anne_row_t *row, uint32_t a_step, uint32_t b_step) {
    const float *a = row->a, *b = row->b;
    float *y = row->y;
    const uint32_t whole = row->n / SOME * SOME, before = anne_flush_begin();
    anne_flush_set(before & ~ANNE_UNDERFLOW);
    for (const float *end = y + whole; y != end; y += SOME, a += SOME * a_step, b += SOME * b_step) {
        float products[SOME];
#pragma GCC unroll 8
        for (uint32_t i = 0; i < SOME; i++) {
            products[i] = a[i * a_step] * b[i * b_step];
        }
        if (__builtin_expect(anne_flush_underflow(products), false)) {
            anne_flush_end(before);
            multiply_some(a, a_step, b, b_step, SOME, y);
            anne_flush_set(before & ~ANNE_UNDERFLOW);
            continue;
        }
#pragma GCC unroll 8
        for (uint32_t i = 0; i < SOME; i++) {
            y[i] = products[i];
        }
    }
    anne_flush_end(before);
    multiply_some(a, a_step, b, b_step, row->n % SOME, y);
}

void anne_multiply_f32(const anne_binary_t *how, const anne_row_t *row) {
    (void)how;
    if (row->a_step + row->b_step == 2) {
        multiply_all_f32(row, 1, 1);
    } else {
        multiply_all_f32(row, row->a_step, row->b_step);
    }
}

#else

void anne_multiply_f32(const anne_binary_t *how, const anne_row_t *row) {
    (void)how;
    const float *a = row->a, *b = row->b;
    float *y = row->y;
    for (uint32_t n = row->n; n > 0; n--, a += row->a_step, b += row->b_step) {
        *y++ = anne_times_f32(*a, *b);
    }
}

#endif
