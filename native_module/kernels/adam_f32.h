// A step of Adam.
#ifndef ANNE_ADAM_F32_H
#define ANNE_ADAM_F32_H

#include <stdint.h>

// The step number `step`, from 1, of n weights by their gradients:
//   mean += 0.1 (g - mean);  square += 0.001 (g^2 - square)
//   w -= lr / (1 - 0.9^step) mean / (sqrt(square / (1 - 0.999^step)) + 1e-8)
void anne_adam_f32(float *weights, const float *gradients, float *means, float *squares, uint32_t n, float lr,
                   uint32_t step);

#endif // ANNE_ADAM_F32_H
