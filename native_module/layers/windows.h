// What the records of convolutions and pools share: how their window lies (FORMAT.md, "Windows").
#ifndef ANNE_WINDOWS_H
#define ANNE_WINDOWS_H

#include "kernels/window.h"
#include "layers/layers.h"

// Words of parameters with which such a record begins.
enum {
    WINDOW_KERNEL_H,
    WINDOW_KERNEL_W,
    WINDOW_STRIDE_H,
    WINDOW_STRIDE_W,
    WINDOW_DILATION_H,
    WINDOW_DILATION_W,
    WINDOW_PAD_TOP,
    WINDOW_PAD_LEFT,
    WINDOW_PARAMETERS,
    POOL_ACT_MIN = WINDOW_PARAMETERS,
    POOL_ACT_MAX,
    POOL_PARAMETERS,
};

// The most steps that a layer may take: multiplications, or taps of a pool. A record of 100 bytes could ask for 2^40.
#define ANNE_MAX_STEPS (1u << 28)

// Of a record with one input, one output, and at least WINDOW_PARAMETERS parameters: proves that both are images, or
// both signals, and that those words are 1 to 2^15, pads 0 to 2^15.
anne_status_t anne_check_window_words(const anne_record_t *record);

// Of a record with one input, one output, and at least WINDOW_PARAMETERS parameters: proves what kernels/window.h says
// of a window, and that all its taps times `per_tap` are at most ANNE_MAX_STEPS.
anne_status_t anne_check_window(const anne_record_t *record, uint64_t per_tap);

// The window of such a record, as its input, output and parameters have it. The input's channels are its last axis.
anne_window_t anne_window_of(const anne_tensor_t *x, const anne_tensor_t *y, const int32_t *parameters);

// The same of a pool, which has the limits of its result behind the window, and `n_parameters` in all; and that it
// keeps type, scale and channels, and each window has a tap inside the image.
anne_status_t anne_check_pool(const anne_record_t *record, uint32_t n_parameters);

// Taps of all windows, inside the image or not: at most ANNE_MAX_STEPS once it is checked.
uint32_t anne_window_taps(const anne_window_t *window);

#endif // ANNE_WINDOWS_H
