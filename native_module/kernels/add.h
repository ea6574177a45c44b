// The sum of two vectors, element by element. y may be a or b.
#ifndef ANNE_ADD_H
#define ANNE_ADD_H

#include <stddef.h>
#include <stdint.h>

#include "kernels/requantize.h"

// What integers become before they are rescaled: so many bits behind the point.
#define ANNE_ADD_BITS_S8  20
#define ANNE_ADD_BITS_S16 15

// How integers are added. Shifts are -31 to 0, the factors of a and b at most 1/2: with the converter, half their scale
// by the greater of both; that of the sum, twice the greater by 2^bits and by the output's scale.
typedef struct {
    int32_t a_zero_point; // 0 for int16, as is the output's
    int32_t b_zero_point;
    anne_rescale_t a;
    anne_rescale_t b;
    anne_rescale_t sum;
    anne_output_t output;
} anne_add_t;

void anne_add_s8(const anne_add_t *add, const int8_t *a, const int8_t *b, size_t n, int8_t *y);
void anne_add_s16(const anne_add_t *add, const int16_t *a, const int16_t *b, size_t n, int16_t *y);

// Rounded to float32; denormals count as 0.
void anne_add_f32(const float *a, const float *b, size_t n, float *y);

#endif // ANNE_ADD_H
