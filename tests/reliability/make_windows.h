// Random windows of convolutions and pools, and axes of reductions, for models that the loader must take.
#ifndef ANNE_MAKE_WINDOWS_H
#define ANNE_MAKE_WINDOWS_H

#include "kernel_test.h"
#include "layers/windows.h"
#include "model_files.h"

// One axis of `size`: kernel, stride, dilation and pad; returns how many positions the window takes, some of those that
// it could.
static inline uint32_t any_axis(uint32_t size, int32_t *kernel, int32_t *stride, int32_t *dilation, int32_t *pad) {
    int32_t n = (int32_t)size;
    *kernel = any_of(1, any_of(0, 9) > 0 ? 3 : 12);
    *stride = any_of(1, any_of(0, 9) > 0 ? 2 : 12);
    *dilation = any_of(1, any_of(0, 3) > 0 ? 1 : n < 4 ? n : 4); // so that every window sees a pixel
    int32_t reach = (*kernel - 1) * *dilation;
    *pad = any_of(0, reach);
    int32_t most = (n - 1 + *pad) / *stride + 1; // the last one begins inside
    return (uint32_t)(any_of(0, 3) > 0 ? most : any_of(1, most));
}

// The window's words, and the output's rows and columns, of an image or a signal.
static inline void any_window(const anne_tensor_t *x, anne_tensor_t *y, int32_t *words) {
    words[WINDOW_KERNEL_H] = words[WINDOW_STRIDE_H] = words[WINDOW_DILATION_H] = 1;
    words[WINDOW_PAD_TOP] = 0;
    uint32_t columns = x->rank - 2u;
    for (uint32_t axis = 0; axis <= columns; axis++) {
        uint32_t at = axis == columns; // 0: rows
        y->shape[axis] = any_axis(x->shape[axis], &words[WINDOW_KERNEL_H + at], &words[WINDOW_STRIDE_H + at],
                                  &words[WINDOW_DILATION_H + at], &words[WINDOW_PAD_TOP + at]);
    }
}

// What stands behind the limits of an average pool: whether padding counts, and how much of it behind the image.
static inline uint32_t any_padding_that_counts(uint8_t *words) {
    int32_t counts = any_of(0, 1);
    put_word(words, 0, (uint32_t)counts);
    put_word(words, 4, counts ? (uint32_t)any_of(0, 9) : 0);
    put_word(words, 8, counts ? (uint32_t)any_of(0, any_of(0, 9) > 0 ? 3 : 1 << 15) : 0);
    return 12;
}

// The words of a reduction without its factor, operation and axes, and what is left of the input's shape.
static inline void any_axes(const anne_tensor_t *x, anne_tensor_t *y, int32_t *words) {
    words[0] = any_of(0, 3);
    words[1] = any_of(1, (1 << x->rank) - 1);
    y->rank = 0;
    memset(y->shape, 0, sizeof y->shape);
    for (uint32_t i = 0; i < x->rank; i++) {
        if ((words[1] >> i & 1) == 0) {
            y->shape[y->rank++] = x->shape[i];
        }
    }
    if (y->rank == 0) {
        y->shape[y->rank++] = 1;
    }
}

// All words of a reduction; returns how many bytes.
static inline uint32_t any_factor(uint8_t *bytes, const int32_t *words, uint8_t dtype) {
    bool has_factor = words[0] < 2 && dtype != ANNE_FLOAT32;
    memcpy(bytes, words, 8);
    put_word(bytes, 8, has_factor ? (uint32_t)any_of(0, INT32_MAX) : 0);
    put_word(bytes, 12, has_factor ? (uint32_t)any_of(-31, any_of(0, 1) ? 0 : 15) : 0);
    return 16;
}

// What an arg_max makes of a tensor like its input: a whole number for each row.
static inline void without_rows(anne_tensor_t *y) {
    y->scale = 1;
    y->zero_point = 0;
    y->shape[y->rank - 1] = y->rank == 1 ? 1 : 0;
    y->rank -= y->rank > 1;
}

#endif // ANNE_MAKE_WINDOWS_H
