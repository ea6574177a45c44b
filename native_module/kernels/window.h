// A window that moves over an image: what convolutions and pools have in common.
//
// An image is in_h rows of in_w pixels of `channels` numbers; a signal in time is an image of one row. At the output's
// row y and column x the window's tap (i, j), 0 <= i < kernel_h, 0 <= j < kernel_w, is the pixel in row
//
//   y stride_h - pad_top + i dilation_h
//
// and likewise in its column. Where there is no such pixel, the tap counts as a zero, or not at all.
#ifndef ANNE_WINDOW_H
#define ANNE_WINDOW_H

#include <stdint.h>

// All are below 2^21, pads and what is counted from them, too; so no sum of three wraps. Each first window begins with
// its pads before the first pixel's tap: pad_top <= (kernel_h - 1) dilation_h; each last one begins inside the image:
// (out_h - 1) stride_h - pad_top < in_h; likewise for columns.
typedef struct {
    int32_t in_h;
    int32_t in_w;
    int32_t channels;
    int32_t out_h;
    int32_t out_w;
    int32_t kernel_h;
    int32_t kernel_w;
    int32_t stride_h;
    int32_t stride_w;
    int32_t dilation_h;
    int32_t dilation_w;
    int32_t pad_top;
    int32_t pad_left;
} anne_window_t;

// The taps first <= i < last of one axis that are inside it, where the window begins at `start`, 0 or below or above;
// none if last <= first.
typedef struct {
    int32_t first;
    int32_t last;
} anne_taps_t;

static inline anne_taps_t anne_taps(int32_t start, int32_t size, int32_t kernel, int32_t dilation) {
    anne_taps_t taps = {0, kernel};
    if (start < 0) {
        taps.first = dilation == 1 ? -start : (dilation - 1 - start) / dilation;
    }
    if (start + (kernel - 1) * dilation >= size) {
        taps.last = dilation == 1 ? size - start : (size - start + dilation - 1) / dilation;
    }
    return taps;
}

#endif // ANNE_WINDOW_H
