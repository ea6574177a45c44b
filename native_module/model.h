// A model file (FORMAT.md) as something that can run: check it, give it memory, run it.
//
//   anne_model_t model;
//   if (anne_model_open(&model, bytes, n_bytes) == ANNE_OK) {
//       model.workspace = aligned memory of model.workspace_bytes;
//       anne_model_prepare(&model);
//       anne_model_put_inputs(&model, x);
//       anne_model_run(&model);
//       anne_model_get_outputs(&model, y);
//   }
//
// All validation is in anne_model_open; nothing here allocates, and nothing is changed in the file. The file's bytes
// and the workspace must stay where they are as long as the model is used.
#ifndef ANNE_MODEL_H
#define ANNE_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "anne.h"
#include "layers/layers.h"
#include "tensor.h"

#define ANNE_MODEL_VERSION   1
#define ANNE_MAX_TENSORS     257 // the input, and what each layer makes
#define ANNE_MAX_LAYERS      256
#define ANNE_MAX_ARENA_BYTES (1u << 30)
// Of all layers together, each time a constant is used: so a small file cannot take hours to check or to run.
#define ANNE_MAX_CONSTANT_BYTES (1u << 24)

typedef struct {
    const uint8_t *bytes;
    uint32_t n_bytes;
    uint32_t n_tensors;
    uint32_t n_layers;
    uint32_t arena_bytes;
    uint32_t scratch_bytes;   // the most any layer needs beside the arena
    uint32_t derived_words;   // what layers keep beside their constants as long as the model is loaded (layers.h)
    uint32_t workspace_bytes; // layers, derived, arena and scratch, in this order
    const anne_tensor_t *tensors;
    const uint8_t *layers; // the records
    const uint8_t *metadata;
    const uint8_t *data;
    uint32_t metadata_bytes;
    uint32_t data_bytes;
    uint16_t n_inputs; // of the network, whose order is that of the tensors in the file
    uint16_t n_outputs;
    uint16_t input; // index of the first of each; anne_model_next finds the others
    uint16_t output;
    void *workspace; // set by the caller between open and prepare; 4-byte aligned
} anne_model_t;

// Proves that the `n_bytes` at `bytes` are a model file this core can run, and fills `model`. Whatever the bytes are,
// it reads only those, in the time that FORMAT.md states. On failure `model` must not be used.
anne_status_t anne_model_open(anne_model_t *model, const void *bytes, size_t n_bytes);

// Lays out the workspace. `model` comes from a successful anne_model_open, with `workspace` set.
void anne_model_prepare(anne_model_t *model);

// Runs layers `first` to `last - 1`; anne_model_run all of them, from the input tensors in the arena to the outputs.
void anne_model_run_layers(const anne_model_t *model, uint32_t first, uint32_t last);
void anne_model_run(const anne_model_t *model);

// The next input (output) of the network after `tensor`, or n_tensors. So all are gone through:
//   for (uint32_t t = model->input; t < model->n_tensors; t = anne_model_next(model, t, ANNE_ROLE_INPUT))
uint32_t anne_model_next(const anne_model_t *model, uint32_t tensor, anne_role_t role);

// Elements, and bytes, of all inputs (outputs) together.
uint32_t anne_model_elements(const anne_model_t *model, anne_role_t role);
uint32_t anne_model_bytes(const anne_model_t *model, anne_role_t role);

// A sample, as golden ones are in the file: all inputs (outputs) as they stand in the arena, one after another.
void anne_model_put_inputs(const anne_model_t *model, const void *sample);
void anne_model_get_outputs(const anne_model_t *model, void *sample);

// Where the arena, and a tensor in it, lies in the workspace.
uint8_t *anne_model_arena(const anne_model_t *model);
void *anne_model_data(const anne_model_t *model, uint32_t tensor);

// Reads record after record of a checked model: `position` begins at 0 and is moved on. anne_model_record reads that of
// layer `index`, for words about it.
void anne_model_next_record(const anne_model_t *model, uint32_t *position, anne_record_t *record);
void anne_model_record(const anne_model_t *model, uint32_t index, anne_record_t *record);

#endif // ANNE_MODEL_H
