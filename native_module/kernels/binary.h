// Two operands, element by element: sums, differences and products, row by row.
#ifndef ANNE_BINARY_H
#define ANNE_BINARY_H

#include <stddef.h>
#include <stdint.h>

#include "kernels/requantize.h"

// What integers become before they are added: so many bits behind the point.
#define ANNE_ADD_BITS_S8  20
#define ANNE_ADD_BITS_S16 15

// The greatest shift of a product of int8 to the left.
#define ANNE_MULTIPLY_SHIFT_S8 13

// How numbers are joined; products and floats need but a part of it.
typedef struct {
    int32_t sign;         // of b in a sum: 1, or -1 for a difference
    int32_t a_zero_point; // 0 for int16, as are b's and the output's
    int32_t b_zero_point;
    int32_t up;           // what a product of integers is multiplied with first: 2^0 to 2^13, of int16 1
    anne_rescale_t a;     // of a sum: factors of at most 1/2, shifts of -31 to 0
    anne_rescale_t b;     // with the converter, half their scale by the greater of both
    anne_rescale_t whole; // of a sum: twice the greater by 2^bits and by the output's scale, a shift of -31 to 0; of a
    anne_output_t output; // product: both scales by the output's, a shift of -30 to 0
} anne_binary_t;

// Elements that lie side by side in y. A step of 1 goes through an operand likewise, one of 0 takes its one value for
// all. y may be a or b where that has a step of 1.
typedef struct {
    const void *a;
    const void *b;
    void *y;
    uint32_t n;
    uint32_t a_step;
    uint32_t b_step;
} anne_row_t;

typedef void anne_binary_kernel_t(const anne_binary_t *how, const anne_row_t *row);

// Sums, or differences. Floats are rounded to float32; denormals count as 0.
anne_binary_kernel_t anne_add_s8, anne_add_s16, anne_add_f32;

// a where it is not negative, else a b; of integers, factors a and whole have shifts of -31 to ANNE_MAX_SHIFT.
anne_binary_kernel_t anne_prelu_s8, anne_prelu_s16, anne_prelu_f32;

// Products, likewise.
anne_binary_kernel_t anne_multiply_s8, anne_multiply_s16, anne_multiply_f32;

#endif // ANNE_BINARY_H
