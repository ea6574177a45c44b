// Everything is the value first, then x is laid over it, row by row: the last axis of x is in one piece in y, too. So
// each element of y is written once or twice, and nothing is computed for it.
//
// With in[a] + before[a] <= out[a] on every axis a, the row of x at (i, j, k) begins in y at element
//
//   ((i + before[0]) out[1] + j + before[1]) out[2] + k + before[2]) out[3] + before[3]
//
// and ends in[3] elements behind, both within the out[0] out[1] out[2] out[3] <= 2^20 elements of y.
#include "kernels/pad.h"

#include <string.h>

static void fill(void *y, size_t n, size_t element_bytes, uint32_t value) {
    uint32_t *words = y;
    uint16_t *halves = y;
    switch (element_bytes) {
    case sizeof *words:
        while (n > 0) {
            words[--n] = value;
        }
        break;
    case sizeof *halves:
        while (n > 0) {
            halves[--n] = (uint16_t)value;
        }
        break;
    default:
        memset(y, (int)value, n);
    }
}

void anne_pad_any(const anne_pad_t *pad, const void *x, size_t element_bytes, uint32_t value, void *y) {
    const uint32_t *in = pad->in, *out = pad->out, *before = pad->before;
    const uint8_t *from = x;
    size_t row_bytes = in[3] * element_bytes;
    fill(y, (size_t)out[0] * out[1] * out[2] * out[3], element_bytes, value);
    for (uint32_t i = 0; i < in[0]; i++) {
        for (uint32_t j = 0; j < in[1]; j++) {
            size_t row = ((i + before[0]) * out[1] + j + before[1]) * out[2] + before[2];
            uint8_t *to = (uint8_t *)y + (row * out[3] + before[3]) * element_bytes;
            for (uint32_t k = 0; k < in[2]; k++) {
                memcpy(to, from, row_bytes);
                from += row_bytes;
                to += out[3] * element_bytes;
            }
        }
    }
}
