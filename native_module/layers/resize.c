// An image, or a signal, of another size.
#include "kernels/resize.h"

#include "kernels/arithmetic_f32.h"
#include "layers/checks.h"
#include "layers/windows.h"

enum { RESIZE_MODE, RESIZE_PARAMETERS };
enum { NEAREST, BILINEAR };
// Constants: for each row and column of the output which one of the input it is, and the next one's weight.
enum { ROWS, COLUMNS, NEAREST_CONSTANTS, ROW_WEIGHTS = NEAREST_CONSTANTS, COLUMN_WEIGHTS, BILINEAR_CONSTANTS };

#define BITS_ONE_F32 0x3f800000u

// Rows and columns; a signal is an image of one row.
static uint32_t rows_of(const anne_tensor_t *tensor) {
    return tensor->rank == 3 ? tensor->shape[0] : 1;
}

static uint32_t columns_of(const anne_tensor_t *tensor) {
    return tensor->shape[tensor->rank - 2];
}

static anne_resize_t resize_of(const anne_layer_t *layer) {
    const anne_tensor_t *x = layer->input, *y = layer->output;
    return (anne_resize_t){
        .in_w = columns_of(x),
        .channels = anne_last_axis(x),
        .out_h = rows_of(y),
        .out_w = columns_of(y),
        .rows = layer->constants[ROWS],
        .columns = layer->constants[COLUMNS],
        .row_weights = layer->constants[ROW_WEIGHTS],
        .column_weights = layer->constants[COLUMN_WEIGHTS],
    };
}

static void run_nearest(const anne_layer_t *layer) {
    const anne_resize_t resize = resize_of(layer);
    anne_resize_nearest(&resize, layer->x, anne_item_bytes(layer->output), layer->y);
}

static void run_bilinear_f32(const anne_layer_t *layer) {
    const anne_resize_t resize = resize_of(layer);
    anne_resize_bilinear_f32(&resize, layer->x, layer->scratch, layer->y);
}

static void run_bilinear_s8(const anne_layer_t *layer) {
    const anne_resize_t resize = resize_of(layer);
    anne_resize_bilinear_s8(&resize, layer->x, layer->scratch, layer->y);
}

static void run_bilinear_s16(const anne_layer_t *layer) {
    const anne_resize_t resize = resize_of(layer);
    anne_resize_bilinear_s16(&resize, layer->x, layer->scratch, layer->y);
}

static bool weight_good(uint8_t dtype, uint32_t word) {
    return dtype != ANNE_FLOAT32 ? word < ANNE_RESIZE_ONE
                                 : word == 0 || (ANNE_BITS_LEAST_F32 <= word && word < BITS_ONE_F32);
}

// One axis of `in` elements to `out`: indices that are there, and so are their neighbours where these have a weight.
static anne_status_t check_axis(const anne_record_t *record, uint32_t axis, uint32_t in, uint32_t out) {
    bool bilinear = record->parameters[RESIZE_MODE] == BILINEAR;
    if (anne_check_constant(record, axis, 4ull * out) != ANNE_OK
        || (bilinear && anne_check_constant(record, ROW_WEIGHTS + axis, 4ull * out) != ANNE_OK)) {
        return ANNE_ERROR_CONSTANT;
    }
    const uint32_t *indices = record->constants[axis],
                   *weights = bilinear ? record->constants[ROW_WEIGHTS + axis] : NULL;
    for (uint32_t i = 0; i < out; i++) {
        uint32_t weight = bilinear ? weights[i] : 0;
        if (!weight_good(record->input->dtype, weight) || indices[i] >= in - (weight != 0 ? 1 : 0)) {
            return ANNE_ERROR_CONSTANT;
        }
    }
    return ANNE_OK;
}

static anne_status_t check_resize(const anne_record_t *record, anne_needs_t *needs) {
    const anne_tensor_t *x = record->input, *y = record->output;
    if (record->n_inputs != 1 || record->n_outputs != 1 || record->n_parameters != RESIZE_PARAMETERS) {
        return ANNE_ERROR_LAYER;
    }
    bool bilinear = record->parameters[RESIZE_MODE] == BILINEAR;
    if (!bilinear && record->parameters[RESIZE_MODE] != NEAREST) {
        return ANNE_ERROR_PARAMETER;
    }
    if (record->n_constants != (bilinear ? BILINEAR_CONSTANTS : NEAREST_CONSTANTS)) {
        return ANNE_ERROR_LAYER;
    }
    if (!anne_same_values(x, y) || x->rank != y->rank || x->rank < 2 || x->rank > 3
        || anne_last_axis(x) != anne_last_axis(y)) {
        return ANNE_ERROR_SHAPE;
    }
    // each row of the output is made of a whole one of the input
    uint32_t in_row = columns_of(x) * anne_last_axis(x);
    if (bilinear && (uint64_t)rows_of(y) * in_row > ANNE_MAX_STEPS) {
        return ANNE_ERROR_SHAPE;
    }
    needs->scratch = bilinear ? 4 * in_row : 0;
    anne_status_t status = check_axis(record, ROWS, rows_of(x), rows_of(y));
    return status == ANNE_OK ? check_axis(record, COLUMNS, columns_of(x), columns_of(y)) : status;
}

static anne_layer_run_t *choose_resize(const anne_record_t *record) {
    if (record->parameters[RESIZE_MODE] == NEAREST) {
        return run_nearest;
    }
    return anne_run_of(record, run_bilinear_f32, run_bilinear_s8, run_bilinear_s16);
}

const anne_layer_kind_t anne_resize = {
    .check = check_resize,
    .run = choose_resize,
};
