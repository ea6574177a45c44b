// A layer that is an activation: floats by their formula, integers by a table in the file.
#include <string.h>

#include "kernels/activations_f32.h"
#include "kernels/tables.h"
#include "layers/checks.h"

static void run_activation_f32(const anne_layer_t *layer) {
    if (layer->y != layer->x) {
        memcpy(layer->y, layer->x, layer->n_in * sizeof(float));
    }
    uint32_t n = anne_of_rows(layer->activation) ? anne_last_axis(layer->input) : layer->n_in;
    for (float *y = layer->y, *end = y + layer->n_in; y != end; y += n) {
        anne_activate_f32(layer->activation, layer->alpha, y, n);
    }
}

static void run_table_s8(const anne_layer_t *layer) {
    anne_table_s8(layer->constants[0], layer->x, layer->n_in, layer->y);
}

static void run_table_s16(const anne_layer_t *layer) {
    anne_table_s16(layer->constants[0], layer->x, layer->n_in, layer->y);
}

static void run_softmax_s8(const anne_layer_t *layer) {
    uint32_t n = anne_last_axis(layer->input);
    for (uint32_t i = 0; i < layer->n_in; i += n) {
        anne_softmax_s8(layer->constants[0], (const int8_t *)layer->x + i, n, (int8_t *)layer->y + i);
    }
}

static void run_log_softmax_s8(const anne_layer_t *layer) {
    uint32_t n = anne_last_axis(layer->input);
    for (uint32_t i = 0; i < layer->n_in; i += n) {
        anne_log_softmax_s8(layer->constants[0], (const int8_t *)layer->x + i, n, (int8_t *)layer->y + i);
    }
}

static void run_softmax_s16(const anne_layer_t *layer) {
    uint32_t n = anne_last_axis(layer->input);
    for (uint32_t i = 0; i < layer->n_in; i += n) {
        anne_softmax_s16(layer->constants[0], (const int16_t *)layer->x + i, n, (int16_t *)layer->y + i);
    }
}

// At most so many elements in a row, and an output of the scale and zero point that the kernel gives.
static bool softmax_fits(const anne_record_t *record, uint32_t most, float scale, int32_t zero_point) {
    const anne_tensor_t *output = record->output;
    return anne_last_axis(output) <= most && output->scale == scale && output->zero_point == zero_point;
}

static bool all_between(const int32_t *values, int32_t least, int32_t greatest) {
    for (uint32_t i = 0; i < 256; i++) {
        if (values[i] < least || values[i] > greatest) {
            return false;
        }
    }
    return true;
}

// E[0] = 1.0 keeps the sum positive, and entries below 2^31 keep it from wrapping.
static anne_status_t check_softmax_s8(const anne_record_t *record) {
    if (!softmax_fits(record, ANNE_SOFTMAX_S8_MAX, 0x1p-8f, -128)) {
        return ANNE_ERROR_SHAPE;
    }
    if (anne_check_constant(record, 0, 256 * sizeof(int32_t)) != ANNE_OK) {
        return ANNE_ERROR_CONSTANT;
    }
    const int32_t *exponentials = record->constants[0];
    return exponentials[0] == INT32_MAX && all_between(exponentials, 0, INT32_MAX) ? ANNE_OK : ANNE_ERROR_CONSTANT;
}

// Likewise; and differences from -16 on keep those of the logarithm from wrapping.
static anne_status_t check_log_softmax_s8(const anne_record_t *record) {
    if (!softmax_fits(record, ANNE_LOG_SOFTMAX_MAX, 0x1p-4f, 127)) {
        return ANNE_ERROR_SHAPE;
    }
    if (anne_check_constant(record, 0, 512 * sizeof(int32_t)) != ANNE_OK) {
        return ANNE_ERROR_CONSTANT;
    }
    const int32_t *table = record->constants[0];
    bool fits = table[0] == 1 << 19 && all_between(table, 0, 1 << 19) && all_between(table + 256, -(1 << 30), 0);
    return fits ? ANNE_OK : ANNE_ERROR_CONSTANT;
}

static anne_status_t check_softmax_s16(const anne_record_t *record) {
    if (!softmax_fits(record, ANNE_SOFTMAX_S16_MAX, 0x1p-15f, 0)) {
        return ANNE_ERROR_SHAPE;
    }
    if (anne_check_constant(record, 0, ANNE_TABLE_S16_ENTRIES * sizeof(int16_t)) != ANNE_OK) {
        return ANNE_ERROR_CONSTANT;
    }
    const int16_t *exponentials = record->constants[0];
    for (uint32_t i = 0; i < ANNE_TABLE_S16_ENTRIES; i++) {
        if (exponentials[i] < 0) {
            return ANNE_ERROR_CONSTANT;
        }
    }
    return exponentials[0] == INT16_MAX ? ANNE_OK : ANNE_ERROR_CONSTANT;
}

static anne_status_t check_table(const anne_record_t *record) {
    bool is_s8 = record->input->dtype == ANNE_INT8;
    switch (record->activation) {
    case ANNE_ACTIVATION_softmax:
        return is_s8 ? check_softmax_s8(record) : check_softmax_s16(record);
    case ANNE_ACTIVATION_log_softmax:
        return is_s8 ? check_log_softmax_s8(record) : ANNE_ERROR_PARAMETER;
    default: // an int16 constant has two bytes of padding behind it, so that sizes stay multiples of 4
        return anne_check_constant(record, 0, is_s8 ? 256 : ANNE_TABLE_S16_ENTRIES * sizeof(int16_t));
    }
}

static anne_status_t check_activation(const anne_record_t *record, anne_needs_t *needs) {
    (void)needs;
    uint8_t dtype = record->input->dtype;
    if (anne_check_counts(record, dtype == ANNE_FLOAT32 ? 0 : 1, 0) != ANNE_OK) {
        return ANNE_ERROR_LAYER;
    }
    if (record->output->dtype != dtype || !anne_same_shape(record->input, record->output)) {
        return ANNE_ERROR_SHAPE;
    }
    return dtype == ANNE_FLOAT32 ? ANNE_OK : check_table(record);
}

static anne_layer_run_t *choose_activation(const anne_record_t *record) {
    switch (record->activation) {
    case ANNE_ACTIVATION_softmax:
        return anne_run_of(record, run_activation_f32, run_softmax_s8, run_softmax_s16);
    case ANNE_ACTIVATION_log_softmax:
        return anne_run_of(record, run_activation_f32, run_log_softmax_s8, NULL);
    default:
        return anne_run_of(record, run_activation_f32, run_table_s8, run_table_s16);
    }
}

const anne_layer_kind_t anne_activation = {
    .check = check_activation,
    .run = choose_activation,
    .place = ANNE_PLACE_IN_PLACE,
};
