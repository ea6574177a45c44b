// Some elements along each axis: from one on, each so many further, backwards, too.
#include "kernels/strided.h"
#include "layers/checks.h"

// Parameters: the first index along each axis, then the step along each.
static int32_t begin_of(const int32_t *parameters, uint32_t axis) {
    return parameters[axis];
}

static int32_t step_of(const int32_t *parameters, uint32_t rank, uint32_t axis) {
    return parameters[rank + axis];
}

static void run_slice(const anne_layer_t *layer) {
    const anne_tensor_t *x = layer->input, *y = layer->output;
    anne_strided_t move = {0, {1, 1, 1, 1}, {0, 0, 0, 0}};
    uint32_t in_front = ANNE_STRIDED_AXES - x->rank;
    int32_t stride = 1;
    for (uint32_t a = x->rank; a-- > 0;) {
        move.n[in_front + a] = y->shape[a];
        // the step along an axis of one element may be anything, and is never taken
        move.step[in_front + a] = y->shape[a] > 1 ? step_of(layer->parameters, x->rank, a) * stride : 0;
        move.first += (uint32_t)(begin_of(layer->parameters, a) * stride);
        stride *= (int32_t)x->shape[a];
    }
    anne_move_strided(&move, layer->x, anne_item_bytes(y), layer->y);
}

static anne_status_t check_slice(const anne_record_t *record, anne_needs_t *needs) {
    (void)needs;
    const anne_tensor_t *x = record->input, *y = record->output;
    if (anne_check_counts(record, 0, 2u * x->rank) != ANNE_OK) {
        return ANNE_ERROR_LAYER;
    }
    if (!anne_same_values(x, y) || x->rank != y->rank) {
        return ANNE_ERROR_SHAPE;
    }
    for (uint32_t a = 0; a < x->rank; a++) {
        int64_t n = x->shape[a], begin = begin_of(record->parameters, a);
        int64_t step = step_of(record->parameters, x->rank, a), last = begin + (int64_t)(y->shape[a] - 1) * step;
        if (step == 0 || begin < 0 || begin >= n || last < 0 || last >= n) {
            return ANNE_ERROR_PARAMETER;
        }
    }
    return ANNE_OK;
}

static anne_layer_run_t *choose_slice(const anne_record_t *record) {
    (void)record;
    return run_slice;
}

const anne_layer_kind_t anne_slice = {
    .check = check_slice,
    .run = choose_slice,
};
