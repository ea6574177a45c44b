// The core as a shared library for the host tools and the fuzzers: models as opaque handles, memory from malloc.
#include <stdlib.h>
#include <string.h>

#include "model.h"

#if defined(_WIN32)
#define EXPORT __declspec(dllexport)
#else
#define EXPORT __attribute__((visibility("default")))
#endif

typedef struct {
    anne_model_t model;
    uint8_t *bytes;
} host_model_t;

// A handle for a copy of the model file, or NULL with *status telling why: an anne_status_t, or -1 without memory.
EXPORT host_model_t *anne_host_open(const void *bytes, size_t n_bytes, int *status) {
    host_model_t *self = calloc(1, sizeof *self);
    uint8_t *copy = self != NULL ? malloc(n_bytes > 0 ? n_bytes : 1) : NULL;
    *status = -1;
    if (copy != NULL) {
        if (n_bytes > 0) {
            memcpy(copy, bytes, n_bytes);
        }
        *status = anne_model_open(&self->model, copy, n_bytes);
        self->bytes = copy;
        if (*status == ANNE_OK) {
            self->model.workspace = calloc(1, self->model.workspace_bytes);
            if (self->model.workspace != NULL) {
                anne_model_prepare(&self->model);
                return self;
            }
            *status = -1;
        }
    }
    free(copy);
    free(self);
    return NULL;
}

EXPORT void anne_host_close(host_model_t *self) {
    free(self->model.workspace);
    free(self->bytes);
    free(self);
}

// The samples to come are a new stream.
EXPORT void anne_host_reset(host_model_t *self) {
    anne_model_reset(&self->model);
}

// Runs `n_samples` samples, one after another, each all inputs as they stand in the arena; the outputs likewise.
EXPORT void anne_host_run(host_model_t *self, const uint8_t *inputs, size_t n_samples, uint8_t *outputs) {
    const anne_model_t *model = &self->model;
    size_t in_bytes = anne_model_bytes(model, ANNE_ROLE_INPUT);
    size_t out_bytes = anne_model_bytes(model, ANNE_ROLE_OUTPUT);
    for (size_t i = 0; i < n_samples; i++) {
        anne_model_put_inputs(model, inputs + i * in_bytes);
        anne_model_run(model);
        anne_model_get_outputs(model, outputs + i * out_bytes);
    }
}

// Runs a sample through one layer after another and copies all outputs of each, in the record's order, to `outputs`.
EXPORT void anne_host_trace(host_model_t *self, const uint8_t *sample, uint8_t *outputs) {
    const anne_model_t *model = &self->model;
    anne_model_put_inputs(model, sample);
    uint32_t position = 0;
    for (uint32_t i = 0; i < model->n_layers; i++) {
        anne_record_t record;
        anne_model_next_record(model, &position, &record);
        anne_model_run_layers(model, i, i + 1);
        for (uint32_t k = record.n_inputs; k < (uint32_t)record.n_inputs + record.n_outputs; k++) {
            uint32_t tensor = record.tensors[k], n_bytes = anne_tensor_bytes(&model->tensors[tensor]);
            memcpy(outputs, anne_model_data(model, tensor), n_bytes);
            outputs += n_bytes;
        }
    }
}

// What the core needs beside the file, layers and arena, in bytes of the chip.
EXPORT uint32_t anne_host_scratch_bytes(const host_model_t *self) {
    return self->model.derived_words * sizeof(uint32_t) + self->model.scratch_bytes;
}
