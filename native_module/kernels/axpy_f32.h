// y += a x on floats: every gradient and every update of training.
#ifndef ANNE_AXPY_F32_H
#define ANNE_AXPY_F32_H

#include <stdint.h>

// y[j] += a x[j] for all j below n; x and y do not overlap, or are the same.
void anne_axpy_f32(float *y, const float *x, uint32_t n, float a);

#endif // ANNE_AXPY_F32_H
