// The last frames of a stream: what came in before, and what comes in now.
#include <string.h>

#include "kernels/rows.h"
#include "layers/checks.h"

// What is kept between two calls, at most: a file of many delays shall not ask for gigabytes.
#define MAX_STATE_BYTES (1u << 18)

// The state, all of the output that is not new, lies where layer->derived is.
static uint32_t state_bytes_of(const anne_tensor_t *x, const anne_tensor_t *y) {
    return anne_tensor_bytes(y) - anne_tensor_bytes(x);
}

static void run_delay(const anne_layer_t *layer) {
    uint8_t *y = layer->y;
    uint32_t x_bytes = anne_tensor_bytes(layer->input), kept = state_bytes_of(layer->input, layer->output);
    anne_copy_rows(layer->derived, 0, y, 0, kept, 1);
    anne_copy_rows(layer->x, 0, y + kept, 0, x_bytes, 1);
    anne_copy_rows(y + x_bytes, 0, layer->derived, 0, kept, 1);
}

static void reset_delay(const anne_layer_t *layer) {
    // of int8 the zero point fills bytes; that of other types is 0
    memset(layer->derived, layer->input->zero_point, state_bytes_of(layer->input, layer->output));
}

static anne_status_t check_delay(const anne_record_t *record, anne_needs_t *needs) {
    const anne_tensor_t *x = record->input, *y = record->output;
    if (anne_check_counts(record, 0, 0) != ANNE_OK) {
        return ANNE_ERROR_LAYER;
    }
    if (!anne_same_values(x, y) || x->rank != y->rank
        || memcmp(x->shape + 1, y->shape + 1, sizeof x->shape - sizeof x->shape[0]) != 0 || x->shape[0] > y->shape[0]
        || state_bytes_of(x, y) > MAX_STATE_BYTES) {
        return ANNE_ERROR_SHAPE;
    }
    needs->derived = (state_bytes_of(x, y) + 3) / 4;
    return ANNE_OK;
}

static anne_layer_run_t *choose_delay(const anne_record_t *record) {
    (void)record;
    return run_delay;
}

static uint32_t prepare_delay(const anne_layer_t *layer, const anne_record_t *record) {
    (void)layer; // which anne_model_reset begins
    return (state_bytes_of(record->input, record->output) + 3) / 4;
}

const anne_layer_kind_t anne_delay = {
    .check = check_delay,
    .run = choose_delay,
    .prepare = prepare_delay,
    .reset = reset_delay,
};
