// Model files of one layer of those kinds that only move elements; make_model.h makes the others.
#ifndef ANNE_MAKE_MOVES_H
#define ANNE_MAKE_MOVES_H

#include "layers/layers.h"

#define MOST_MOVED 5 // inputs and the output

// A layer in the making: what its file says.
typedef struct {
    anne_kind_t kind;
    uint32_t n_tensors;
    uint32_t n_outputs;                // of them; 0 stands for 1
    anne_tensor_t tensors[MOST_MOVED]; // inputs, then the output; arena_offset is set when it is written
    uint32_t n_parameters;
    int32_t parameters[16];
    uint32_t n_constants;
    uint32_t constant_bytes[ANNE_MAX_CONSTANTS];
    const void *constants[ANNE_MAX_CONSTANTS];
} move_t;

// Writes the file, tensors with `gap` bytes around each, and returns its length; 0 if it takes more than `room`.
uint32_t write_move(uint8_t *bytes, uint32_t room, const move_t *move, uint32_t gap);

// A layer of the kind that the loader must take: its first input has that type and shape, all else is random.
move_t any_move(anne_kind_t kind, anne_dtype_t dtype, uint32_t rank, const uint32_t *shape);

#endif // ANNE_MAKE_MOVES_H
