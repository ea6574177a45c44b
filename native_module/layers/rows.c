// What kinds share that sum rows of integer weights.
#include "layers/rows.h"

#include "layers/checks.h"

anne_status_t anne_check_rows(const anne_record_t *record, uint32_t n_out) {
    if (anne_check_constant(record, 1, (uint64_t)n_out * sizeof(int32_t)) != ANNE_OK
        || anne_check_constant(record, 2, (uint64_t)n_out * sizeof(anne_rescale_t)) != ANNE_OK) {
        return ANNE_ERROR_CONSTANT;
    }
    const int32_t *bias = record->constants[1];
    const anne_rescale_t *factors = record->constants[2];
    for (uint32_t r = 0; r < n_out; r++) {
        if (bias[r] > ANNE_MAX_BIAS || bias[r] < -ANNE_MAX_BIAS || factors[r].multiplier < 0 || factors[r].shift < -31
            || factors[r].shift > ANNE_MAX_SHIFT) {
            return ANNE_ERROR_CONSTANT;
        }
    }
    return ANNE_OK;
}

uint32_t anne_prepare_rows_s8(const anne_layer_t *layer, uint32_t n_in, uint32_t n_out) {
    const int32_t *bias = layer->constants[1];
    uint32_t largest_bias = 0;
    for (uint32_t r = 0; r < n_out; r++) {
        uint32_t magnitude = (uint32_t)(bias[r] < 0 ? -bias[r] : bias[r]);
        largest_bias = magnitude > largest_bias ? magnitude : largest_bias;
    }
    // |w x| <= 2^14 for int8, and n_in < 2^14
    anne_approximate(layer->constants[2], n_out, (n_in << 14) + largest_bias, layer->derived);
    return anne_approximation_bytes(n_out) / sizeof(uint32_t);
}
