// Rows of a table by their numbers.
#include "kernels/embedding.h"
#include "layers/checks.h"

enum { TABLE, EMBEDDING_CONSTANTS };

static size_t row_bytes_of(const anne_tensor_t *x, const anne_tensor_t *y) {
    return anne_tensor_bytes(y) / anne_tensor_elements(x);
}

// layer->derived is the number of rows.
static uint32_t n_rows_of(const anne_layer_t *layer) {
    return *(const uint32_t *)layer->derived;
}

static void run_embedding_f32(const anne_layer_t *layer) {
    anne_embedding_f32(layer->constants[TABLE], n_rows_of(layer), row_bytes_of(layer->input, layer->output), layer->x,
                       layer->n_in, layer->y);
}

static void run_embedding_s8(const anne_layer_t *layer) {
    anne_embedding_s8(layer->constants[TABLE], n_rows_of(layer), row_bytes_of(layer->input, layer->output), layer->x,
                      layer->n_in, layer->y);
}

static void run_embedding_s16(const anne_layer_t *layer) {
    anne_embedding_s16(layer->constants[TABLE], n_rows_of(layer), row_bytes_of(layer->input, layer->output), layer->x,
                       layer->n_in, layer->y);
}

static anne_status_t check_embedding(const anne_record_t *record, anne_needs_t *needs) {
    const anne_tensor_t *x = record->input, *y = record->output;
    if (anne_check_counts(record, EMBEDDING_CONSTANTS, 0) != ANNE_OK) {
        return ANNE_ERROR_LAYER;
    }
    if (x->scale != 1 || x->zero_point != 0 || y->rank != x->rank + 1) {
        return ANNE_ERROR_SHAPE;
    }
    for (uint32_t i = 0; i < x->rank; i++) {
        if (x->shape[i] != y->shape[i]) {
            return ANNE_ERROR_SHAPE;
        }
    }
    uint32_t n_bytes = record->constant_bytes[TABLE];
    if (n_bytes == 0 || n_bytes % row_bytes_of(x, y) != 0) {
        return ANNE_ERROR_CONSTANT;
    }
    needs->derived = 1;
    return y->dtype == ANNE_FLOAT32 ? anne_check_floats(record, TABLE, n_bytes / sizeof(float)) : ANNE_OK;
}

static anne_layer_run_t *choose_embedding(const anne_record_t *record) {
    return anne_run_of(record, run_embedding_f32, run_embedding_s8, run_embedding_s16);
}

static uint32_t prepare_embedding(const anne_layer_t *layer, const anne_record_t *record) {
    *(uint32_t *)layer->derived = record->constant_bytes[TABLE] / row_bytes_of(record->input, record->output);
    return 1;
}

const anne_layer_kind_t anne_embedding = {
    .check = check_embedding,
    .run = choose_embedding,
    .prepare = prepare_embedding,
};
