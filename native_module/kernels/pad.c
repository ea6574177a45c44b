// Everything is the value first, then x is laid over it, row by row: the last axis of x is in one piece in y, too. So
// each element of y is written once or twice, and nothing is computed for it.
//
// With in[a] + before[a] <= out[a] on every axis a, the row of x at (i, j, k) begins in y at element
//
//   ((i + before[0]) out[1] + j + before[1]) out[2] + k + before[2]) out[3] + before[3]
//
// and ends in[3] elements behind, both within the out[0] out[1] out[2] out[3] <= 2^20 elements of y.
//
// What borders go on with is copied from y itself: along the last axis within the rows of x, then along the axis before
// it whole rows, with what they have got, and so on. So each element is one copy, from a place that is written by then:
// with in[a] - 1 or in[a] elements at most on either side, reflections lie inside x.
#include "kernels/pad.h"

#include <string.h>

#include "kernels/rows.h"

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

// x in its place in y.
static void lay(const anne_pad_t *pad, const void *x, size_t element_bytes, void *y) {
    const uint32_t *in = pad->in, *out = pad->out, *before = pad->before;
    const uint8_t *from = x;
    size_t row_bytes = in[3] * element_bytes;
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

void anne_pad_any(const anne_pad_t *pad, const void *x, size_t element_bytes, uint32_t value, void *y) {
    const uint32_t *out = pad->out;
    fill(y, (size_t)out[0] * out[1] * out[2] * out[3], element_bytes, value);
    lay(pad, x, element_bytes, y);
}

// One line along an axis, of elements of `n_bytes`: the first of x is at `first`, the last at `last`, of `n` in all.
static void go_on(anne_pad_mode_t mode, uint8_t *line, size_t n_bytes, uint32_t first, uint32_t last, uint32_t n) {
    uint32_t off = mode == ANNE_PAD_REFLECT ? 0 : 1; // by how much a reflection is nearer
    for (uint32_t i = 1; i <= first; i++) {
        uint32_t from = mode == ANNE_PAD_EDGE ? first : first + i - off;
        anne_copy_rows(line + from * n_bytes, 0, line + (first - i) * n_bytes, 0, n_bytes, 1);
    }
    for (uint32_t i = 1; last + i < n; i++) {
        uint32_t from = mode == ANNE_PAD_EDGE ? last : last + off - i;
        anne_copy_rows(line + from * n_bytes, 0, line + (last + i) * n_bytes, 0, n_bytes, 1);
    }
}

void anne_pad_border(const anne_pad_t *pad, anne_pad_mode_t mode, const void *x, size_t element_bytes, void *y) {
    lay(pad, x, element_bytes, y);
    size_t n_bytes = element_bytes; // of an element of the axis: all that is behind it
    for (uint32_t axis = ANNE_PAD_AXES; axis-- > 0;) {
        uint32_t first = pad->before[axis], last = first + pad->in[axis] - 1, n = pad->out[axis], n_lines = 1;
        for (uint32_t a = 0; a < axis; a++) {
            n_lines *= pad->in[a];
        }
        for (uint32_t i = 0; i < n_lines && n > pad->in[axis]; i++) { // the lines of x, from its place on
            size_t at = 0, step = n;
            for (uint32_t a = axis, rest = i; a-- > 0; rest /= pad->in[a]) {
                at += (rest % pad->in[a] + pad->before[a]) * step;
                step *= pad->out[a];
            }
            go_on(mode, (uint8_t *)y + at * n_bytes, n_bytes, first, last, n);
        }
        n_bytes *= n;
    }
}
