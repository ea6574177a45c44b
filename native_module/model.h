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
// All validation is in anne_model_open; nothing here allocates, and nothing is changed in the file (repack.h does). The
// file's bytes and the workspace must stay where they are as long as the model is used.
#ifndef ANNE_MODEL_H
#define ANNE_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "anne.h"
#include "records.h"

#define ANNE_MODEL_VERSION   1
#define ANNE_MAX_LAYERS      256
#define ANNE_MAX_ARENA_BYTES (1u << 30)
// Of all layers together, each time a constant is used: so a small file cannot take hours to check or to run.
#define ANNE_MAX_CONSTANT_BYTES (1u << 24)

// Proves that the `n_bytes` at `bytes` are a model file this core can run, and fills `model`. Whatever the bytes are,
// it reads only those, in the time that FORMAT.md states. On failure `model` must not be used.
anne_status_t anne_model_open(anne_model_t *model, const void *bytes, size_t n_bytes);

// Lays out the workspace, and resets. `model` comes from a successful anne_model_open, with `workspace` set.
void anne_model_prepare(anne_model_t *model);

// Lets all that layers keep from one run to the next (a delay) be as before the first.
void anne_model_reset(const anne_model_t *model);

// Runs layers `first` to `last - 1`; anne_model_run all of them, from the input tensors in the arena to the outputs.
void anne_model_run_layers(const anne_model_t *model, uint32_t first, uint32_t last);
void anne_model_run(const anne_model_t *model);

// A sample, as golden ones are in the file: all inputs (outputs) as they stand in the arena, one after another.
void anne_model_put_inputs(const anne_model_t *model, const void *sample);
void anne_model_get_outputs(const anne_model_t *model, void *sample);

// Where the arena, and a tensor in it, lies in the workspace.
uint8_t *anne_model_arena(const anne_model_t *model);
void *anne_model_data(const anne_model_t *model, uint32_t tensor);

#endif // ANNE_MODEL_H
