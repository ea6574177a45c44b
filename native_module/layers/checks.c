// What the checks of several kinds share.
#include "layers/checks.h"

#include <math.h>
#include <string.h>

bool anne_same_shape(const anne_tensor_t *a, const anne_tensor_t *b) {
    return a->rank == b->rank && memcmp(a->shape, b->shape, sizeof a->shape) == 0;
}

bool anne_same_values(const anne_tensor_t *a, const anne_tensor_t *b) {
    return a->dtype == b->dtype && a->scale == b->scale && a->zero_point == b->zero_point;
}

bool anne_activation_good(const anne_record_t *record) {
    return record->output->dtype == ANNE_FLOAT32 ? !anne_of_rows(record->activation)
                                                 : record->activation <= ANNE_ACTIVATION_relu6;
}

bool anne_limits_good(uint8_t dtype, int32_t least, int32_t most) {
    switch (dtype) {
    case ANNE_INT8:
        return INT8_MIN <= least && least <= most && most <= INT8_MAX;
    case ANNE_INT16:
        return INT16_MIN <= least && least <= most && most <= INT16_MAX;
    default:
        return least == 0 && most == 0;
    }
}

anne_status_t anne_check_floats(const anne_record_t *record, uint32_t index, uint64_t n) {
    if (anne_check_constant(record, index, n * sizeof(float)) != ANNE_OK) {
        return ANNE_ERROR_CONSTANT;
    }
    const float *values = record->constants[index];
    for (uint32_t i = 0; i < n; i++) {
        if (!isfinite(values[i])) {
            return ANNE_ERROR_CONSTANT;
        }
    }
    return ANNE_OK;
}

anne_status_t anne_check_counts(const anne_record_t *record, uint32_t n_constants, uint32_t n_parameters) {
    return record->n_inputs == 1 && record->n_outputs == 1 && record->n_constants == n_constants
                   && record->n_parameters == n_parameters
               ? ANNE_OK
               : ANNE_ERROR_LAYER;
}

anne_layer_run_t *anne_run_of(const anne_record_t *record, anne_layer_run_t *f32, anne_layer_run_t *s8,
                              anne_layer_run_t *s16) {
    switch (record->input->dtype) {
    case ANNE_INT8:
        return s8;
    case ANNE_INT16:
        return s16;
    default:
        return f32;
    }
}
