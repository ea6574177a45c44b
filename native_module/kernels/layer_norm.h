// A row brought to mean 0 and deviation 1, then scaled and moved feature by feature.
#ifndef ANNE_LAYER_NORM_H
#define ANNE_LAYER_NORM_H

#include <stdint.h>

#define ANNE_LAYER_NORM_MAX 65536 // elements for which the sum of squares stays below 2^63

// y = (x - mean) / sqrt(variance + epsilon) gamma + beta, 1 <= n <= ANNE_LAYER_NORM_MAX, epsilon >= 2^-126; y may be x.
// A difference from the mean that is NaN or infinite makes all of y NaN. Denormals count as 0.
void anne_layer_norm_f32(const float *x, uint32_t n, const float *gamma, const float *beta, float epsilon, float *y);

#endif // ANNE_LAYER_NORM_H
