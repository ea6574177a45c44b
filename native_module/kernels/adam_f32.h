// A step of Adam.
#ifndef ANNE_ADAM_F32_H
#define ANNE_ADAM_F32_H

#include <stdint.h>

// The step number `step`, from 1, of n weights by their gradients g. Means begin as 0: sums holds 10 times those of the
// gradients, squares 1000 times those of their squares:
//   sums = 0.9 sums + g;  squares = 0.999 squares + g^2;  mean = 0.1 sums;  square = 0.001 squares
//   w -= lr mean / (1 - 0.9^step) / (sqrt(square / (1 - 0.999^step)) + 1e-8)
// The new sums, squares and the step are within 1e-6 of what is added in them, relative. Where g, a sum or a square is
// not finite, w becomes NaN, and weights beside it.
void anne_adam_f32(float *weights, const float *gradients, float *sums, float *squares, uint32_t n, float lr,
                   uint32_t step);

#endif // ANNE_ADAM_F32_H
