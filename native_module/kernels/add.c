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
#include "kernels/binary.h"

#include "kernels/arithmetic_f32.h"
#include "kernels/rescale.h"

// a and b without their zero points, shifted.
static inline int32_t add_one(const anne_binary_t *how, int32_t a, int32_t b) {
    int32_t sum = anne_rescale_small(a, how->a) + how->sign * anne_rescale_small(b, how->b);
    return anne_limited(anne_rescale_small(sum, how->whole), &how->output);
}

void anne_add_s8(const anne_binary_t *how, const anne_row_t *row) {
    const anne_binary_t own = *how; // y might be taken for a part of it
    const int8_t *a = row->a, *b = row->b;
    int8_t *y = row->y;
    uint32_t a_step = row->a_step, b_step = row->b_step;
    for (uint32_t n = row->n; n > 0; n--, a += a_step, b += b_step) {
        *y++ = (int8_t)add_one(&own, (*a - own.a_zero_point) * (1 << ANNE_ADD_BITS_S8),
                               (*b - own.b_zero_point) * (1 << ANNE_ADD_BITS_S8));
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
