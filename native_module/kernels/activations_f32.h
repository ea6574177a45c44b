// Activation functions on float32.
#ifndef ANNE_ACTIVATIONS_F32_H
#define ANNE_ACTIVATIONS_F32_H

#include "anne.h"

// x[0..n-1] = activation(x[0..n-1]) in place; softmax and log_softmax over all n. `alpha` is the slope of leaky_relu
// and the scale of elu; the others ignore it. NaN in gives NaN out; these two over a NaN or +inf are NaN throughout. A
// result that is denormal after rounding becomes 0, unless x is denormal and the result x itself.
void anne_activate_f32(anne_activation_t activation, float alpha, float *x, size_t n);

// Sigmoids of n >= 1 floats in place; on Cortex-M0+ in armv6m/activations_f32.S.
void anne_sigmoids_f32(float *x, size_t n);

#endif // ANNE_ACTIVATIONS_F32_H
