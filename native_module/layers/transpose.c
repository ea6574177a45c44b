// The axes in another order.
#include "kernels/strided.h"
#include "layers/checks.h"

// Parameters: for each axis of the output, which one of the input it is.

static void run_transpose(const anne_layer_t *layer) {
    const anne_tensor_t *x = layer->input, *y = layer->output;
    anne_strided_t move = {0, {1, 1, 1, 1}, {0, 0, 0, 0}};
    uint32_t in_front = ANNE_STRIDED_AXES - x->rank;
    int32_t stride[ANNE_MAX_RANK], n = 1;
    for (uint32_t a = x->rank; a-- > 0;) {
        stride[a] = n;
        n *= (int32_t)x->shape[a];
    }
    for (uint32_t a = 0; a < x->rank; a++) {
        move.n[in_front + a] = y->shape[a];
        move.step[in_front + a] = stride[layer->parameters[a]];
    }
    anne_move_strided(&move, layer->x, anne_item_bytes(y), layer->y);
}

static anne_status_t check_transpose(const anne_record_t *record, anne_needs_t *needs) {
    (void)needs;
    const anne_tensor_t *x = record->input, *y = record->output;
    if (anne_check_counts(record, 0, x->rank) != ANNE_OK) {
        return ANNE_ERROR_LAYER;
    }
    if (!anne_same_values(x, y) || x->rank != y->rank) {
        return ANNE_ERROR_SHAPE;
    }
    uint32_t seen = 0;
    for (uint32_t a = 0; a < x->rank; a++) {
        uint32_t from = (uint32_t)record->parameters[a];
        if (from >= x->rank || (seen >> from & 1)) {
            return ANNE_ERROR_PARAMETER;
        }
        seen |= 1u << from;
        if (x->shape[from] != y->shape[a]) {
            return ANNE_ERROR_SHAPE;
        }
    }
    return ANNE_OK;
}

static anne_layer_run_t *choose_transpose(const anne_record_t *record) {
    (void)record;
    return run_transpose;
}

const anne_layer_kind_t anne_transpose = {
    .check = check_transpose,
    .run = choose_transpose,
};
