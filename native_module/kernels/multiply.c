// The product of two operands, element by element; of integers as TensorFlow Lite Micro multiplies, bit for bit:
//
//   y = limit(zero_point + rescale((a - a_zero_point) (b - b_zero_point)), least, most)
//
// A product of int8 is at most 255^2 < 2^16 in magnitude; where the factor is above 1 it is shifted to the left first,
// by 13 at most, which leaves it below 2^29. One of int16 is at most 2^30, which (-2^15)^2 is; no factor is above 1
// there, and no shift below -30. So all that is rescaled is as anne_rescale_small demands.
#include "kernels/arithmetic_f32.h"
#include "kernels/binary.h"
#include "kernels/rescale.h"

static inline int32_t multiply_one(const anne_binary_t *how, int32_t product) {
    return anne_limited(anne_rescale_small(product, how->whole), &how->output);
}

void anne_multiply_s8(const anne_binary_t *how, const anne_row_t *row) {
    const anne_binary_t own = *how; // y might be taken for a part of it
    const int8_t *a = row->a, *b = row->b;
    int8_t *y = row->y;
    uint32_t a_step = row->a_step, b_step = row->b_step;
    for (uint32_t n = row->n; n > 0; n--, a += a_step, b += b_step) {
        int32_t product = (*a - own.a_zero_point) * (*b - own.b_zero_point);
        *y++ = (int8_t)multiply_one(&own, product * own.up);
    }
}

void anne_multiply_s16(const anne_binary_t *how, const anne_row_t *row) {
    const anne_binary_t own = *how;
    const int16_t *a = row->a, *b = row->b;
    int16_t *y = row->y;
    uint32_t a_step = row->a_step, b_step = row->b_step;
    for (uint32_t n = row->n; n > 0; n--, a += a_step, b += b_step) {
        *y++ = (int16_t)multiply_one(&own, *a * *b);
    }
}

void anne_multiply_f32(const anne_binary_t *how, const anne_row_t *row) {
    (void)how;
    const float *a = row->a, *b = row->b;
    float *y = row->y;
    for (uint32_t n = row->n; n > 0; n--, a += row->a_step, b += row->b_step) {
        *y++ = anne_times_f32(*a, *b);
    }
}
