// Axes of a tensor taken together: their mean, sum, greatest or least.
#ifndef ANNE_REDUCE_H
#define ANNE_REDUCE_H

#include "kernels/requantize.h"

#define ANNE_REDUCE_AXES 4

typedef enum { ANNE_REDUCE_MEAN, ANNE_REDUCE_SUM, ANNE_REDUCE_MAX, ANNE_REDUCE_MIN } anne_reduction_t;

typedef struct {
    uint32_t rank;
    uint32_t shape[ANNE_REDUCE_AXES];
    uint32_t axes; // bit i: axis i goes; one at least
    anne_reduction_t operation;
    // of the mean and the sum of integers: y = rescale(sum of (x - zero_point)), the factor's mean being part of it
    int32_t zero_point;
    anne_rescale_t factor;
    anne_output_t output;
} anne_reduce_t;

// How many elements of x make one of y.
uint32_t anne_reduced(const anne_reduce_t *reduce);

// y = x without those axes. Sums of int8 are of at most 2^20 elements, those of int16 of at most 2^16 - 1. Floats:
// rounded to float32, denormals being 0, but for the greatest and the least, which are elements of x, -0 below 0, and
// NaN if there is one.
void anne_reduce_s8(const anne_reduce_t *reduce, const int8_t *x, int8_t *y);
void anne_reduce_s16(const anne_reduce_t *reduce, const int16_t *x, int16_t *y);
void anne_reduce_f32(const anne_reduce_t *reduce, const float *x, float *y);

#endif // ANNE_REDUCE_H
