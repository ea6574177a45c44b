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

// Runs `n_samples` inputs, each as it stands in the arena, one after another; the outputs likewise.
EXPORT void anne_host_run(host_model_t *self, const uint8_t *inputs, size_t n_samples, uint8_t *outputs) {
    const anne_model_t *model = &self->model;
    size_t in_bytes = anne_tensor_bytes(&model->tensors[model->input]);
    size_t out_bytes = anne_tensor_bytes(&model->tensors[model->output]);
    for (size_t i = 0; i < n_samples; i++) {
        memcpy(anne_model_data(model, model->input), inputs + i * in_bytes, in_bytes);
        anne_model_run(model);
        memcpy(outputs + i * out_bytes, anne_model_data(model, model->output), out_bytes);
    }
}

// Runs one input through one layer after another and copies each layer's first output, `bytes` in all, to `outputs`.
EXPORT void anne_host_trace(host_model_t *self, const uint8_t *input, uint8_t *outputs) {
    const anne_model_t *model = &self->model;
    memcpy(anne_model_data(model, model->input), input, anne_tensor_bytes(&model->tensors[model->input]));
    uint32_t position = 0;
    for (uint32_t i = 0; i < model->n_layers; i++) {
        anne_record_t record;
        anne_model_next_record(model, &position, &record);
        anne_model_run_layers(model, i, i + 1);
        uint32_t bytes = anne_tensor_bytes(record.output);
        memcpy(outputs, anne_model_data(model, record.tensors[record.n_inputs]), bytes);
        outputs += bytes;
    }
}

// What the core needs beside the file, layers and arena, in bytes of the chip.
EXPORT uint32_t anne_host_scratch_bytes(const host_model_t *self) {
    return self->model.derived_words * sizeof(uint32_t) + self->model.scratch_bytes;
}
