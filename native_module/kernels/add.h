// Sums and products of int8 by approximate factors (add.c, multiply.c).
#ifndef ANNE_ADD_H
#define ANNE_ADD_H

#include "kernels/binary.h"
#include "kernels/in_ram.h"

#define ANNE_SUM_BITS     18 // of what is computed, behind the point
#define ANNE_PRODUCT_BITS 21
#define ANNE_LEAST_JOINED 8 // elements for which it is worth while

// The result for element n + from_end, as TensorFlow Lite Micro has it.
typedef int32_t anne_exactly_t(const anne_binary_t *how, const anne_row_t *row, int32_t from_end);

// What is computed with, for a row of at least one operand with a step of 1.
typedef struct {
    int32_t a_factor; // of a product the factor,
    int32_t b_factor; // and what is added to a
    uint32_t start;
    uint32_t unsure;
    int32_t range; // most - least
    int32_t least;
    const int8_t *a; // with a step of 1, both
    const int8_t *b;
    anne_exactly_t *exactly;
    int32_t b_offset; // in a product
} anne_join_t;

// With q = a_factor a + b_factor b + start, or a_factor (a + b_factor) (b + b_offset) + start, and so many BITS of it
// behind the point: y = least + the whole part, limited to 0..range, unless the fraction is at most unsure, 2^32 being
// 1; then exactly's.
ANNE_IN_RAM void anne_join_sums_s8(const anne_join_t *join, const anne_binary_t *how, const anne_row_t *row);
ANNE_IN_RAM void anne_join_products_s8(const anne_join_t *join, const anne_binary_t *how, const anne_row_t *row);

#endif // ANNE_ADD_H
