// Activation functions on float32.
#ifndef ANNE_ACTIVATIONS_F32_H
#define ANNE_ACTIVATIONS_F32_H

#include "anne.h"

// x[0..n-1] = activation(x[0..n-1]) in place; softmax over all n. `alpha` is the slope of leaky_relu and the scale of
// elu; the others ignore it. NaN in gives NaN out; a softmax over a NaN or +inf is NaN throughout.
void anne_activate_f32(anne_activation_t activation, float alpha, float *x, size_t n);

#endif // ANNE_ACTIVATIONS_F32_H
