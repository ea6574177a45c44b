// Elements of a tensor in another order, or some of them: axes that change places, slices, backwards and with gaps.
#ifndef ANNE_STRIDED_H
#define ANNE_STRIDED_H

#include <stddef.h>
#include <stdint.h>

#define ANNE_STRIDED_AXES 4

// y[i][j][k][l] = x[first + i step[0] + j step[1] + k step[2] + l step[3]], in elements.
typedef struct {
    uint32_t first;
    uint32_t n[ANNE_STRIDED_AXES]; // the shape of y, at most 2^20 elements in all; 1 in front of fewer axes
    int32_t step[ANNE_STRIDED_AXES];
} anne_strided_t;

// y as above, of elements of 1, 2 or 4 bytes, aligned as these are. Every index is one of x, of at most 2^20 elements;
// so of axes of more than one element no step is 2^20 or more. x and y share no byte. `move` is changed.
void anne_move_strided(anne_strided_t *move, const void *x, size_t element_bytes, void *y);

#endif // ANNE_STRIDED_H
