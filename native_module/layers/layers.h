// What a kind of layer is: how it is checked, prepared and run. Each has a room, a file of its name in this folder,
// which knows records, memory and its kernels, which know only arithmetic; but no file, and no other room.
#ifndef ANNE_LAYERS_H
#define ANNE_LAYERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "anne.h"
#include "kernels/processor.h"
#include "tensor.h"

#define ANNE_MAX_CONSTANTS 6

// Kinds of layers with their numbers in the file (FORMAT.md, "Layers"); python_api/anne/layers has the same.
// A chain of dense layers, a multilayer perceptron, has no other kinds than the first.
// clang-format off
#define ANNE_DENSE_KINDS(X) \
    X(dense, 1) \
    X(activation, 2) \
    X(scaling, 3) \
    X(reshape, 4)
#define ANNE_KINDS(X) \
    ANNE_DENSE_KINDS(X) \
    X(add, 5) \
    X(pad, 6) \
    X(conv, 7) \
    X(depthwise_conv, 8) \
    X(max_pool, 9) \
    X(average_pool, 10) \
    X(reduce, 11) \
    X(concatenate, 12) \
    X(slice, 13) \
    X(subtract, 14) \
    X(multiply, 15) \
    X(clip, 16) \
    X(prelu, 17) \
    X(transpose, 18) \
    X(resize, 19) \
    X(embedding, 20) \
    X(conv_transpose, 21) \
    X(quantize, 22) \
    X(delay, 23) \
    X(layer_norm, 24) \
    X(arg_max, 25)
// clang-format on

// The kinds that a build has. For MicroPython's own firmware there is one with those of dense chains alone, and without
// training, as it takes a third of the RAM: what the tables of kinds and types do not name, the linker leaves out.
#ifdef ANNE_DENSE_ALONE
#define ANNE_KINDS_BUILT(X) ANNE_DENSE_KINDS(X)
#else
#define ANNE_KINDS_BUILT(X) ANNE_KINDS(X)
#endif

// Layouts of weights in rows, in the order of their numbers in the file, from 1.
#define ANNE_LAYOUTS(X) X(f32) X(s8_quad) X(s4) X(s8_f32) X(s16) X(f32_aligned)

typedef enum {
    ANNE_KIND_none,
#define ANNE_KIND_ENUM(name, number) ANNE_KIND_##name = number,
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
    const anne_tensor_t *all; // of the file, which the indices mean
    const void *constants[ANNE_MAX_CONSTANTS];
    uint32_t constant_bytes[ANNE_MAX_CONSTANTS];
    const int32_t *parameters;
    uint32_t n_parameters; // in words of 4 bytes
} anne_record_t;

// The tensor that stands at `position` in the record: inputs, then outputs.
static inline const anne_tensor_t *anne_record_tensor(const anne_record_t *record, uint32_t position) {
    return &record->all[record->tensors[position]];
}

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
    void *derived; // with several inputs or outputs the addresses of all, as in the record; then what `prepare` made
    const int32_t *parameters;
    anne_activation_t activation;
    float alpha;
} anne_layer_t;

// Memory that a layer needs beside its tensors.
typedef struct {
    uint32_t scratch;  // bytes, a multiple of 4, while it runs
    uint32_t derived;  // words as long as the model is loaded: of 4 bytes on the chip, elsewhere of a pointer's size
    uint32_t repacked; // as scratch, with weights that are rewritten (ANNE_REPACKS); 0 if it is no more than that
} anne_needs_t;

// Where the outputs of a layer may lie in the arena (FORMAT.md, "Tensors").
typedef enum {
    ANNE_PLACE_OWN,      // where nothing lies that is needed, nor an input of the layer
    ANNE_PLACE_IN_PLACE, // or, its one output, where an input of the same bytes lies, if nothing needs that afterwards
    ANNE_PLACE_SAME,     // where its input lies, which it is under another shape
} anne_place_t;

// What runs a layer.
typedef void anne_layer_run_t(const anne_layer_t *layer);

// What a kind of layer can do. `check` proves that the record is whole: shapes, types, constants, parameters, all
// preconditions of the kernel; and says in *needs, which is 0 before, what the layer needs. `run` chooses the kernel.
// `prepare`, NULL for most, fills layer->derived, after the addresses that stand there, and returns needs->derived.
// `reset`, NULL for most, lets what the layer keeps there from one call to the next be as in the beginning.
// Of a checked record, for words about it: `layout` is the number of its weights' layout in ANNE_LAYOUTS, `macs` its
// multiplications (with additions); each NULL for a kind without. With ANNE_REPACKS, NULL for most: `repacked` is what
// runs the layer once `repack` has rewritten its weights in place, NULL if none; with `back` they become what they
// were.
typedef struct {
    anne_status_t (*check)(const anne_record_t *record, anne_needs_t *needs);
    anne_layer_run_t *(*run)(const anne_record_t *record);
    uint32_t (*prepare)(const anne_layer_t *layer, const anne_record_t *record);
    void (*reset)(const anne_layer_t *layer);
    uint32_t (*layout)(const anne_record_t *record);
    uint32_t (*macs)(const anne_record_t *record);
    anne_place_t place;
#ifdef ANNE_REPACKS
    anne_layer_run_t *(*repacked)(const anne_record_t *record);
    void (*repack)(const anne_record_t *record, bool back);
#endif
} anne_layer_kind_t;

// The kinds, each in its own file.
#define ANNE_KIND_DECLARE(name, number) extern const anne_layer_kind_t anne_##name;
ANNE_KINDS(ANNE_KIND_DECLARE)
#undef ANNE_KIND_DECLARE

// The kind of that number in the file, NULL if there is none.
const anne_layer_kind_t *anne_layer_kind(uint32_t kind);

#endif // ANNE_LAYERS_H
