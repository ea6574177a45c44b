// A model file as it stands in memory: its sections, its tensors, the records of its layers. model.c proves it whole;
// whoever knows that it is reads it here.
#ifndef ANNE_RECORDS_H
#define ANNE_RECORDS_H

#include <stdint.h>

#include "anne.h"
#include "layers/layers.h"
#include "tensor.h"

#define ANNE_MAX_TENSORS 257 // as many as a chain of the most layers has

typedef struct {
    const uint8_t *bytes;
    uint32_t n_bytes;
    uint32_t n_tensors;
    uint32_t n_layers;
    uint32_t arena_bytes;
    uint32_t scratch_bytes;   // the most any layer needs beside the arena, here and
    uint32_t repacked_bytes;  // where weights are rewritten (ANNE_REPACKS)
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

// The next input (output) of the network after `tensor`, or n_tensors. So all are gone through:
//   for (uint32_t t = model->input; t < model->n_tensors; t = anne_model_next(model, t, ANNE_ROLE_INPUT))
uint32_t anne_model_next(const anne_model_t *model, uint32_t tensor, anne_role_t role);

// Elements, and bytes, of all inputs (outputs) together.
uint32_t anne_model_elements(const anne_model_t *model, anne_role_t role);
uint32_t anne_model_bytes(const anne_model_t *model, anne_role_t role);

// Reads the record at `position` of a section of `layers_bytes`, and moves on. Proves that all of it is inside the
// section and all it points to inside the file, no more: what it means, its kind checks.
anne_status_t anne_record_read(const anne_model_t *model, uint32_t layers_bytes, uint32_t *position,
                               anne_record_t *record);

// Reads record after record of a checked model: `position` begins at 0 and is moved on. anne_model_record reads that of
// layer `index`, for words about it.
void anne_model_next_record(const anne_model_t *model, uint32_t *position, anne_record_t *record);
void anne_model_record(const anne_model_t *model, uint32_t index, anne_record_t *record);

#endif // ANNE_RECORDS_H
