// Tensors one behind the other along an axis.
#include "kernels/rows.h"
#include "layers/checks.h"

enum { CONCATENATE_AXIS, CONCATENATE_PARAMETERS };

// A row is what one input has in one piece in the output: its elements from the axis on, for each index before it.
static uint32_t row_bytes_of(const anne_tensor_t *tensor, uint32_t axis) {
    uint32_t n_bytes = anne_tensor_bytes(tensor);
    for (uint32_t i = 0; i < axis; i++) {
        n_bytes /= tensor->shape[i];
    }
    return n_bytes;
}

// layer->derived begins with the addresses of the inputs and of the output, which is none of theirs; then come the
// bytes of each input's rows.
static void run_concatenate(const anne_layer_t *layer) {
    void *const *tensors = layer->derived;
    uint32_t n_inputs = 0;
    while (tensors[n_inputs] != layer->y) {
        n_inputs++;
    }
    const uint32_t *row_bytes = (const void *)(tensors + n_inputs + 1);
    uint32_t y_row_bytes = row_bytes_of(layer->output, (uint32_t)layer->parameters[CONCATENATE_AXIS]);
    uint32_t n_rows = anne_tensor_bytes(layer->output) / y_row_bytes;
    uint8_t *y = layer->y;
    for (uint32_t i = 0; i < n_inputs; i++) {
        anne_copy_rows(tensors[i], (ptrdiff_t)row_bytes[i], y, y_row_bytes, row_bytes[i], n_rows);
        y += row_bytes[i];
    }
}

static void run_copy(const anne_layer_t *layer) { // of one input, which keeps no addresses
    anne_copy_rows(layer->x, 0, layer->y, 0, anne_tensor_bytes(layer->output), 1);
}

static bool fits(const anne_tensor_t *x, const anne_tensor_t *y, uint32_t axis) {
    if (!anne_same_values(x, y) || x->rank != y->rank) {
        return false;
    }
    for (uint32_t i = 0; i < y->rank; i++) {
        if (i != axis && x->shape[i] != y->shape[i]) {
            return false;
        }
    }
    return true;
}

static anne_status_t check_concatenate(const anne_record_t *record, anne_needs_t *needs) {
    if (record->n_outputs != 1 || record->n_constants != 0 || record->n_parameters != CONCATENATE_PARAMETERS) {
        return ANNE_ERROR_LAYER;
    }
    const anne_tensor_t *y = record->output;
    uint32_t axis = (uint32_t)record->parameters[CONCATENATE_AXIS], n = 0; // at most 255 times 2^20
    if (axis >= y->rank) {
        return ANNE_ERROR_PARAMETER;
    }
    for (uint32_t i = 0; i < record->n_inputs; i++) {
        if (!fits(anne_record_tensor(record, i), y, axis)) {
            return ANNE_ERROR_SHAPE;
        }
        n += anne_record_tensor(record, i)->shape[axis];
    }
    needs->derived = record->n_inputs > 1 ? record->n_inputs : 0;
    return n == y->shape[axis] ? ANNE_OK : ANNE_ERROR_SHAPE;
}

static anne_layer_run_t *choose_concatenate(const anne_record_t *record) {
    return record->n_inputs > 1 ? run_concatenate : run_copy;
}

static uint32_t prepare_concatenate(const anne_layer_t *layer, const anne_record_t *record) {
    uint32_t n_inputs = record->n_inputs;
    if (n_inputs == 1) {
        return 0;
    }
    uint32_t *row_bytes = (void *)((void **)layer->derived + n_inputs + 1);
    for (uint32_t i = 0; i < n_inputs; i++) {
        row_bytes[i] = row_bytes_of(anne_record_tensor(record, i), (uint32_t)record->parameters[CONCATENATE_AXIS]);
    }
    return n_inputs;
}

const anne_layer_kind_t anne_concatenate = {
    .check = check_concatenate,
    .run = choose_concatenate,
    .prepare = prepare_concatenate,
};
