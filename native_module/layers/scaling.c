// A factor and an offset for each feature: floats to floats or, rounded, to integers.
#include "kernels/arithmetic_f32.h"
#include "kernels/quantize.h"
#include "layers/checks.h"

// constants: scale, offset, each of `n` floats, n the last axis; that and the output's numbers are in the layer
static void run_scaling(const anne_layer_t *layer) {
    const float *x = layer->x, *scale = layer->constants[0], *offset = layer->constants[1];
    uint32_t n = anne_last_axis(layer->input);
    int32_t zero_point = layer->output->zero_point;
    float *y = layer->y;
    int8_t *y8 = layer->y;
    int16_t *y16 = layer->y;
    for (uint32_t i = 0, j = 0; i < layer->n_in; i++, j = j + 1 < n ? j + 1 : 0) {
        float value = anne_plus_f32(anne_times_f32(x[i], scale[j]), offset[j]);
        switch (layer->output->dtype) {
        case ANNE_INT8:
            y8[i] = anne_round(value, zero_point, INT8_MIN, INT8_MAX);
            break;
        case ANNE_INT16:
            y16[i] = anne_round(value, 0, INT16_MIN, INT16_MAX);
            break;
        default:
            y[i] = value;
        }
    }
}

static anne_status_t check_scaling(const anne_record_t *record, anne_needs_t *needs) {
    (void)needs;
    if (anne_check_counts(record, 2, 0) != ANNE_OK) {
        return ANNE_ERROR_LAYER;
    }
    if (record->input->dtype != ANNE_FLOAT32 || !anne_same_shape(record->input, record->output)) {
        return ANNE_ERROR_SHAPE;
    }
    uint32_t n = anne_last_axis(record->input);
    if (anne_check_floats(record, 0, n) != ANNE_OK) {
        return ANNE_ERROR_CONSTANT;
    }
    return anne_check_floats(record, 1, n);
}

static anne_layer_run_t *choose_scaling(const anne_record_t *record) {
    (void)record;
    return run_scaling;
}

const anne_layer_kind_t anne_scaling = {
    .check = check_scaling,
    .run = choose_scaling,
};
