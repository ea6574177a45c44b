// A tensor in the middle of a larger one of a constant value.
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

#endif // ANNE_PAD_H
