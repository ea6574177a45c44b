// What a window sees of an image, as runs of numbers that stand side by side there.
#ifndef ANNE_RUNS_H
#define ANNE_RUNS_H

#include <stdbool.h>
#include <stdint.h>

#include "kernels/window.h"

#define ANNE_OUTSIDE (-1)

// `n` numbers of the image from number `at` on; or as many that are outside of it, where `at` is ANNE_OUTSIDE. Without
// numbers, an end of a panel.
typedef struct {
    int32_t at;
    uint32_t n;
    uint32_t entry; // for machine code (conv_rows_s8.h)
} anne_run_t;

// Whether the window whose first tap is in row `top` and column `left` is inside the image with all its taps.
static inline bool anne_window_inside(const anne_window_t *window, int32_t top, int32_t left) {
    return top >= 0 && left >= 0 && top + (window->kernel_h - 1) * window->dilation_h < window->in_h
           && left + (window->kernel_w - 1) * window->dilation_w < window->in_w;
}

// The most runs of a window that sees `n` channels, where each `panel` numbers begin a new one.
static inline uint32_t anne_window_most_runs(const anne_window_t *window, uint32_t n, uint32_t panel) {
    bool touch = window->dilation_w == 1 && n == (uint32_t)window->channels;
    uint32_t in_a_row = touch && window->kernel_w > 3 ? 3 : (uint32_t)window->kernel_w;
    return in_a_row * (uint32_t)window->kernel_h
           + (uint32_t)window->kernel_h * (uint32_t)window->kernel_w * n / panel * 2
           + 1; // those that are cut, and ends
}

// The runs of that window, tap after tap, of the first `n` channels (for others, count from the first of those);
// returns how many. None goes beyond a multiple of `panel` numbers of them: there and behind the last stands an end.
uint32_t anne_window_runs(const anne_window_t *window, uint32_t n, int32_t top, int32_t left, uint32_t panel,
                          anne_run_t *runs);

// seen = the numbers of the runs one after another, of `bytes` each; those outside consist of bytes `fill`.
void anne_gather(const anne_run_t *runs, uint32_t n_runs, const void *x, uint32_t bytes, int8_t fill, void *seen);

#endif // ANNE_RUNS_H
