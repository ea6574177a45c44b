// A tensor in the middle of a larger one: of a constant value, or of what the tensor's own borders go on with.
#ifndef ANNE_PAD_H
#define ANNE_PAD_H

#include <stddef.h>
#include <stdint.h>

#define ANNE_PAD_AXES 4

typedef struct {
    uint32_t in[ANNE_PAD_AXES];     // shape of x, and of y; 1 in front of fewer axes
    uint32_t out[ANNE_PAD_AXES];    // at most 2^20 elements in all
    uint32_t before[ANNE_PAD_AXES]; // how many elements lie in front of x: before + in <= out
} anne_pad_t;

// y = x with the value around it: elements of 1, 2 or 4 bytes, the value's lowest. x and y share no byte, and are
// aligned as their elements are.
void anne_pad_any(const anne_pad_t *pad, const void *x, size_t element_bytes, uint32_t value, void *y);

// How a tensor goes on beyond its borders: of 1 2 3 with two in front, 3 2 1 2 3, 2 1 1 2 3 and 1 1 1 2 3.
typedef enum { ANNE_PAD_REFLECT = 1, ANNE_PAD_SYMMETRIC, ANNE_PAD_EDGE } anne_pad_mode_t;

// y = x with what it goes on with around it, axis by axis. On each axis as many elements lie in front of x, and behind
// it, as there are: at most in - 1 for ANNE_PAD_REFLECT, in for ANNE_PAD_SYMMETRIC. Else as above.
void anne_pad_border(const anne_pad_t *pad, anne_pad_mode_t mode, const void *x, size_t element_bytes, void *y);

#endif // ANNE_PAD_H
