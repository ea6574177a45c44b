// Sums of int8 by approximate factors (add.c).
#ifndef ANNE_ADD_H
#define ANNE_ADD_H

#include "kernels/binary.h"
#include "kernels/in_ram.h"

// What is computed with, for a row of at least one operand with a step of 1.
typedef struct {
    int32_t a_factor;
    int32_t b_factor;
    uint32_t start;
    uint32_t unsure;
    int32_t range; // most - least
    int32_t least;
    const int8_t *a; // with a step of 1, both
    const int8_t *b;
} anne_join_t;

ANNE_IN_RAM void anne_join_s8(const anne_join_t *join, const anne_binary_t *how, const anne_row_t *row);

// The sum of element n + from_end, as TensorFlow Lite Micro has it.
int32_t anne_add_exactly_s8(const anne_binary_t *how, const anne_row_t *row, int32_t from_end);

#endif // ANNE_ADD_H
