// Where the greatest element of each row stands.
#include "kernels/arg_max.h"
#include "layers/checks.h"

// What an int16 counts up to.
#define MAX_ROW_S16 32768u

static void run_arg_max_f32(const anne_layer_t *layer) {
    uint32_t n = anne_last_axis(layer->input);
    for (uint32_t i = 0; i < layer->n_out; i++) {
        ((float *)layer->y)[i] = (float)anne_arg_max_f32((const float *)layer->x + i * n, n);
    }
}

static void run_arg_max_s8(const anne_layer_t *layer) {
    uint32_t n = anne_last_axis(layer->input);
    for (uint32_t i = 0; i < layer->n_out; i++) {
        ((int16_t *)layer->y)[i] = (int16_t)anne_arg_max_s8((const int8_t *)layer->x + i * n, n);
    }
}

static void run_arg_max_s16(const anne_layer_t *layer) {
    uint32_t n = anne_last_axis(layer->input);
    for (uint32_t i = 0; i < layer->n_out; i++) {
        ((int16_t *)layer->y)[i] = (int16_t)anne_arg_max_s16((const int16_t *)layer->x + i * n, n);
    }
}

// The input's without its last axis; (1) if there is no other.
static bool shape_good(const anne_tensor_t *x, const anne_tensor_t *y) {
    if (x->rank == 1) {
        return y->rank == 1 && y->shape[0] == 1;
    }
    for (uint32_t i = 0; i + 1 < x->rank; i++) {
        if (x->shape[i] != y->shape[i]) {
            return false;
        }
    }
    return y->rank + 1 == x->rank;
}

static anne_status_t check_arg_max(const anne_record_t *record, anne_needs_t *needs) {
    (void)needs;
    if (anne_check_counts(record, 0, 0) != ANNE_OK) {
        return ANNE_ERROR_LAYER;
    }
    const anne_tensor_t *x = record->input, *y = record->output;
    bool is_float = x->dtype == ANNE_FLOAT32;
    if (y->dtype != (is_float ? ANNE_FLOAT32 : ANNE_INT16) || y->scale != 1 || !shape_good(x, y)) {
        return ANNE_ERROR_SHAPE;
    }
    return is_float || anne_last_axis(x) <= MAX_ROW_S16 ? ANNE_OK : ANNE_ERROR_SHAPE;
}

static anne_layer_run_t *choose_arg_max(const anne_record_t *record) {
    return anne_run_of(record, run_arg_max_f32, run_arg_max_s8, run_arg_max_s16);
}

const anne_layer_kind_t anne_arg_max = {
    .check = check_arg_max,
    .run = choose_arg_max,
};
