// The first operand where it is not negative, else the product of both; integers as TensorFlow Lite Micro's PRELU, bit
// for bit:
//
//   y = limit(zero_point + rescale(x - x_zero_point, factor above))                             x >= x_zero_point
//   y = limit(zero_point + rescale((x - x_zero_point) (slope - slope_zero_point), factor below))             else
//
// A product of int16 is at most 2^30, one of int8 below 2^16; anne_rescale saturates what a shift to the left makes
// more than 32 bits of it, and takes any factor.
#include "kernels/arithmetic_f32.h"
#include "kernels/binary.h"

static inline int32_t prelu_one(const anne_binary_t *how, int32_t x, int32_t slope) {
    return x >= 0 ? anne_requantize_one(x, &how->a, &how->output)
                  : anne_requantize_one(x * slope, &how->whole, &how->output);
}

void anne_prelu_s8(const anne_binary_t *how, const anne_row_t *row) {
    const int8_t *a = row->a, *b = row->b;
    int8_t *y = row->y;
    for (uint32_t n = row->n; n > 0; n--, a += row->a_step, b += row->b_step) {
        *y++ = (int8_t)prelu_one(how, *a - how->a_zero_point, *b - how->b_zero_point);
    }
}

void anne_prelu_s16(const anne_binary_t *how, const anne_row_t *row) {
    const int16_t *a = row->a, *b = row->b;
    int16_t *y = row->y;
    for (uint32_t n = row->n; n > 0; n--, a += row->a_step, b += row->b_step) {
        *y++ = (int16_t)prelu_one(how, *a, *b);
    }
}

void anne_prelu_f32(const anne_binary_t *how, const anne_row_t *row) {
    (void)how;
    const float *a = row->a, *b = row->b;
    float *y = row->y;
    for (uint32_t n = row->n; n > 0; n--, a += row->a_step, b += row->b_step) {
        // negative: the sign is set, but for -0, whatever the slope is there
        *y++ = anne_bits_of(*a) > 0x80000000u ? anne_times_f32(*a, *b) : anne_normal_f32(*a);
    }
}
