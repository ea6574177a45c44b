// What kinds with two operands share (FORMAT.md, "Two operands"): shapes that are broadcast, and a constant in the
// place of an input.
#ifndef ANNE_LAYERS_BINARY_H
#define ANNE_LAYERS_BINARY_H

#include "kernels/binary.h"
#include "layers/layers.h"

// Proves all but the factors and limits of integers, for a kind with that many parameters on integers; `*needs` is what
// anne_binary_prepare takes. ANNE_BINARY_CONSTANT_WORDS more parameters tell of a constant.
anne_status_t anne_binary_check(const anne_record_t *record, uint32_t n_parameters, anne_needs_t *needs);

// Fills layer->derived; zero points and the output are added to `how`, whose limits are the last of the parameters.
uint32_t anne_binary_prepare(const anne_layer_t *layer, const anne_record_t *record, uint32_t n_parameters,
                             anne_binary_t how);

// Runs the kernel over all rows, then, on floats, the activation.
void anne_binary_run(const anne_layer_t *layer, anne_binary_kernel_t *kernel);

// The factor in parameters `index` and the next.
static inline anne_rescale_t anne_factor_at(const int32_t *parameters, uint32_t index) {
    return (anne_rescale_t){parameters[index], parameters[index + 1]};
}

#define ANNE_BINARY_CONSTANT_WORDS (2 + ANNE_MAX_RANK)

#endif // ANNE_LAYERS_BINARY_H
