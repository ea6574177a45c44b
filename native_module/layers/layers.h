// What a kind of layer is: how it is checked, prepared and run. Each has a room, a file of its name in this folder,
// which knows records, memory and its kernels, which know only arithmetic; but no file, and no other room.
#ifndef ANNE_LAYERS_H
#define ANNE_LAYERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "anne.h"
#include "tensor.h"

#define ANNE_MAX_CONSTANTS 6

// Kinds of layers and layouts of dense layers' weights: X(name), in the order of their numbers in the file, from 1
// (FORMAT.md, "Layers"); python_api/anne/model_file.py has the same.
#define ANNE_KINDS(X)   X(dense) X(activation) X(scaling) X(reshape)
#define ANNE_LAYOUTS(X) X(f32) X(s8_quad) X(s4) X(s8_f32) X(s16) X(f32_aligned)

typedef enum {
    ANNE_KIND_none,
#define ANNE_KIND_ENUM(name) ANNE_KIND_##name,
    ANNE_KINDS(ANNE_KIND_ENUM)
#undef ANNE_KIND_ENUM
} anne_kind_t;

// A layer's record from the file (FORMAT.md, "Layers"), with everything it points to found and inside the file.
typedef struct {
    uint16_t kind;
    uint8_t n_inputs;
    uint8_t n_outputs;
    uint8_t n_constants;
    anne_activation_t activation;
    float alpha;
    const uint16_t *tensors;    // indices: inputs, then outputs
    const anne_tensor_t *input; // the first of each
    const anne_tensor_t *output;
    const void *constants[ANNE_MAX_CONSTANTS];
    uint32_t constant_bytes[ANNE_MAX_CONSTANTS];
    const int32_t *parameters;
    uint32_t n_parameters; // in words of 4 bytes
} anne_record_t;

// A layer ready to run: addresses and numbers, nothing left to look up. One for each record, in the workspace.
typedef struct anne_layer {
    void (*run)(const struct anne_layer *layer);
    const void *x;
    void *y;
    void *scratch;
    uint32_t n_in; // elements of the input and of the output
    uint32_t n_out;
    const anne_tensor_t *input;
    const anne_tensor_t *output;
    const void *constants[ANNE_MAX_CONSTANTS];
    void *derived; // what `prepare` worked out
    const int32_t *parameters;
    anne_activation_t activation;
    float alpha;
} anne_layer_t;

// Memory that a layer needs beside its tensors.
typedef struct {
    uint32_t scratch; // bytes, a multiple of 4, while it runs
    uint32_t derived; // words as long as the model is loaded: of 4 bytes on the chip, elsewhere of a pointer's size
} anne_room_t;

// What a kind of layer can do. `check` proves that the record is whole: shapes, types, constants, parameters, all
// preconditions of the kernel; and says in *room, which is 0 before, what the layer needs. `run` chooses the kernel.
// `prepare`, NULL for most, fills layer->derived and returns room->derived.
typedef struct {
    anne_status_t (*check)(const anne_record_t *record, anne_room_t *room);
    void (*(*run)(const anne_record_t *record))(const anne_layer_t *layer);
    uint32_t (*prepare)(const anne_layer_t *layer);
    bool in_place; // the output may lie where the input lies
} anne_layer_kind_t;

// The kinds, each in its own file.
#define ANNE_KIND_DECLARE(name) extern const anne_layer_kind_t anne_##name;
ANNE_KINDS(ANNE_KIND_DECLARE)
#undef ANNE_KIND_DECLARE

// The kind of that number in the file, NULL if there is none.
const anne_layer_kind_t *anne_layer_kind(uint32_t kind);

#endif // ANNE_LAYERS_H
