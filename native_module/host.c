// The core as a shared library for the host tools and the fuzzers: models as opaque handles, memory from malloc.
#include <stdlib.h>
#include <string.h>

#include "kernels/activations_f32.h"
#include "kernels/dense_f32.h"
#include "kernels/quotient_f32.h"
#include "model.h"
#include "train/losses.h"
#include "train/passes.h"
#include "train/trainer.h"

#ifndef ANNE_VERSION // tests and the page do not ask for it
#define ANNE_VERSION ""
#endif

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

// Puts a sample where the model reads it; runs layers `first` to `last` - 1 on what is there; copies out a tensor.
EXPORT void anne_host_put(host_model_t *self, const uint8_t *inputs) {
    anne_model_put_inputs(&self->model, inputs);
}

EXPORT void anne_host_run_layers(host_model_t *self, uint32_t first, uint32_t last) {
    anne_model_run_layers(&self->model, first, last);
}

EXPORT void anne_host_get(const host_model_t *self, uint32_t tensor, uint8_t *values) {
    memcpy(values, anne_model_data(&self->model, tensor), anne_tensor_bytes(&self->model.tensors[tensor]));
}

// What the core needs beside the file, layers and arena, in bytes of the chip; and on a chip that rewrites weights.
EXPORT uint32_t anne_host_scratch_bytes(const host_model_t *self) {
    return self->model.derived_words * sizeof(uint32_t) + self->model.scratch_bytes;
}

EXPORT uint32_t anne_host_repacked_scratch_bytes(const host_model_t *self) {
    return self->model.derived_words * sizeof(uint32_t) + self->model.repacked_bytes;
}

// --- Functions -------------------------------------------------------------------------------------------------------

EXPORT const char *anne_host_version(void) {
    return ANNE_VERSION;
}

EXPORT void anne_host_dense(const float *weights, const float *bias, const float *x, size_t n_in, size_t n_out,
                            float *out) {
    anne_dense_f32(weights, bias, x, n_in, n_out, out);
}

EXPORT void anne_host_activate(uint32_t activation, float alpha, float *x, size_t n) {
    anne_activate_f32((anne_activation_t)activation, alpha, x, n);
}

// --- Training --------------------------------------------------------------------------------------------------------

typedef struct {
    anne_trainer_t trainer;
    float *memory;
} host_trainer_t;

// A trainer with all parameters 0, or NULL with *status telling why: 1 for settings that trainer.h does not take, -1
// without memory. sizes: n_layers + 1, activations: n_layers, by their numbers in anne.h; rates: lr, momentum, decay;
// random: the generator's state.
EXPORT host_trainer_t *anne_host_trainer_new(uint32_t n_layers, const uint32_t *sizes, const uint32_t *activations,
                                             uint32_t loss, uint32_t optimizer, const float *rates, uint32_t batch,
                                             uint32_t n_targets, uint32_t random, int *status) {
    anne_trainer_t trainer = {.n_layers = n_layers,
                              .loss = (anne_loss_t)loss,
                              .optimizer = (anne_optimizer_t)optimizer,
                              .lr = rates[0],
                              .momentum = rates[1],
                              .decay = rates[2],
                              .batch = batch,
                              .n_targets = n_targets,
                              .random = random};
    *status = 1;
    if (n_layers > ANNE_TRAINER_MOST_LAYERS) {
        return NULL;
    }
    memcpy(trainer.sizes, sizes, (n_layers + 1) * sizeof *sizes);
    for (uint32_t l = 0; l < n_layers; l++) {
        trainer.activations[l] = (anne_activation_t)activations[l];
    }
    if (!anne_trainer_valid(&trainer)) {
        return NULL;
    }
    host_trainer_t *self = malloc(sizeof *self);
    float *memory = calloc(1, anne_trainer_place(&trainer, NULL));
    if (self == NULL || memory == NULL) {
        *status = -1;
        free(memory);
        free(self);
        return NULL;
    }
    anne_trainer_place(&trainer, memory);
    *self = (host_trainer_t){trainer, memory};
    *status = 0;
    return self;
}

EXPORT void anne_host_trainer_free(host_trainer_t *self) {
    free(self->memory);
    free(self);
}

EXPORT uint32_t anne_host_trainer_parameters(const host_trainer_t *self) {
    return anne_trainer_parameters(&self->trainer);
}

EXPORT void anne_host_trainer_get(const host_trainer_t *self, float *parameters) {
    memcpy(parameters, self->trainer.parameters, anne_trainer_parameters(&self->trainer) * sizeof *parameters);
}

EXPORT void anne_host_trainer_set(host_trainer_t *self, const float *parameters) {
    memcpy(self->trainer.parameters, parameters, anne_trainer_parameters(&self->trainer) * sizeof *parameters);
}

// Python's own function that looks for Ctrl-C and says nothing but 0 if there is none.
typedef int (*check_t)(void);

static bool stop(void *check) {
    return (*(const check_t *)check)() != 0;
}

// Trains for up to n_epochs, fills their losses and returns how many are whole; none follows one whose loss is not
// finite. `check`, unless NULL, ends it where trainer.h says.
EXPORT uint32_t anne_host_trainer_run(host_trainer_t *self, const float *x, const float *y, uint16_t *order,
                                      uint32_t n_rows, float *losses, uint32_t n_epochs, check_t check) {
    for (uint32_t epoch = 0; epoch < n_epochs; epoch++) {
        if (!anne_trainer_epoch(&self->trainer, x, y, order, n_rows, check != NULL ? stop : NULL, &check,
                                losses + epoch)) {
            return epoch;
        }
        if (!(losses[epoch] - losses[epoch] == 0)) {
            return epoch + 1;
        }
    }
    return n_epochs;
}

// The outputs for a row; returns its loss for the targets y, unless that is NULL.
EXPORT float anne_host_trainer_predict(const host_trainer_t *self, const float *x, float *out, const float *y) {
    return anne_trainer_predict(&self->trainer, x, out, y);
}

// The outputs of all layers for x, one layer's behind the other's: every neuron's value.
EXPORT void anne_host_trainer_outputs(host_trainer_t *self, const float *x, float *outputs) {
    const anne_trainer_t *trainer = &self->trainer;
    uint32_t n = 0;
    for (uint32_t l = 1; l <= trainer->n_layers; l++) {
        n += trainer->sizes[l];
    }
    anne_forward(trainer, x);
    memcpy(outputs, trainer->outputs, n * sizeof *outputs);
}

// What the row's loss changes by each parameter, in their order; that by a bias is what it changes by the neuron's sum.
// Nothing is learnt.
EXPORT void anne_host_trainer_gradients(host_trainer_t *self, const float *x, const float *y, float *gradients) {
    const anne_trainer_t *trainer = &self->trainer;
    anne_loss_sum_t sum = ANNE_NO_LOSS;
    float scale = anne_quotient_f32(1, anne_loss_terms(trainer, 1));
    memset(gradients, 0, anne_trainer_parameters(trainer) * sizeof *gradients);
    anne_loss_add(&sum, trainer, anne_forward(trainer, x), y, scale, trainer->deltas[0]);
    anne_backward(trainer, gradients);
}

// The mean of the rows' losses; nothing is learnt. `check` as in run; what it ends has no loss, 0.
EXPORT float anne_host_trainer_loss(host_trainer_t *self, const float *x, const float *y, uint32_t n_rows,
                                    check_t check) {
    const anne_trainer_t *trainer = &self->trainer;
    anne_loss_sum_t sum = ANNE_NO_LOSS;
    for (uint32_t i = 0; i < n_rows; i++, x += trainer->sizes[0], y += trainer->n_targets) {
        anne_loss_add(&sum, trainer, anne_forward(trainer, x), y, 0, trainer->deltas[0]);
        if (check != NULL && stop(&check)) {
            return 0;
        }
    }
    return anne_loss_mean(&sum, trainer, n_rows);
}
