// Where the greatest element of a row stands, the first of equal ones.
#ifndef ANNE_ARG_MAX_H
#define ANNE_ARG_MAX_H

#include <stdint.h>

// n >= 1. Of floats the first NaN, if there is one; 0 and -0 are equal.
uint32_t anne_arg_max_s8(const int8_t *x, uint32_t n);
uint32_t anne_arg_max_s16(const int16_t *x, uint32_t n);
uint32_t anne_arg_max_f32(const float *x, uint32_t n);

#endif // ANNE_ARG_MAX_H
