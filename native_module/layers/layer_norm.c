// Each row of the last axis brought to mean 0 and deviation 1, then scaled and moved feature by feature.
#include <math.h>
#include <string.h>

#include "kernels/layer_norm.h"
#include "layers/checks.h"

static float epsilon_of(const int32_t *parameters) {
    float epsilon;
    memcpy(&epsilon, parameters, sizeof epsilon);
    return epsilon;
}

static void run_layer_norm(const anne_layer_t *layer) {
    uint32_t n = anne_last_axis(layer->input);
    for (uint32_t i = 0; i < layer->n_in; i += n) {
        anne_layer_norm_f32((const float *)layer->x + i, n, layer->constants[0], layer->constants[1],
                            epsilon_of(layer->parameters), (float *)layer->y + i);
    }
}

static anne_status_t check_layer_norm(const anne_record_t *record, anne_needs_t *needs) {
    (void)needs;
    if (anne_check_counts(record, 2, 1) != ANNE_OK) {
        return ANNE_ERROR_LAYER;
    }
    const anne_tensor_t *x = record->input, *y = record->output;
    if (x->dtype != ANNE_FLOAT32 || y->dtype != ANNE_FLOAT32 || !anne_same_shape(x, y)
        || anne_last_axis(x) > ANNE_LAYER_NORM_MAX) {
        return ANNE_ERROR_SHAPE;
    }
    float epsilon = epsilon_of(record->parameters);
    if (!(epsilon >= 0x1p-126f) || !isfinite(epsilon)) {
        return ANNE_ERROR_PARAMETER;
    }
    for (uint32_t i = 0; i < 2; i++) {
        if (anne_check_floats(record, i, anne_last_axis(x)) != ANNE_OK) {
            return ANNE_ERROR_CONSTANT;
        }
    }
    return ANNE_OK;
}

static anne_layer_run_t *choose_layer_norm(const anne_record_t *record) {
    (void)record;
    return run_layer_norm;
}

const anne_layer_kind_t anne_layer_norm = {
    .check = check_layer_norm,
    .run = choose_layer_norm,
    .place = ANNE_PLACE_IN_PLACE,
};
