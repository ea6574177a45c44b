// Depthwise convolution, one pixel of the output after another.
//
// For each pixel there is a table of where the window's taps are, as offsets from its first one. Inside the image they
// are the same for all pixels; where the window reaches beyond it, its pixels are copied first, those outside as the
// value that stands for 0, and another table has their places in the copy. So the loop that counts knows no borders, no
// dilation and no stride: for each channel it goes through the table and the channel's weights, which lie in sequence,
// and adds to one number in a register. On a Cortex-M0+ the offset and the weight take two cycles each to load, x two
// more, as base plus offset is an address; multiplying and adding one each. Three taps at once, as most windows are
// three wide.
//
// Ranges: with at most 16383 taps of int8, |weights x| <= 2^14 each, a sum with its bias of at most 2^28 stays within
// 2^29. Sums of int16 are proven from the constants: 2^15 times the magnitudes, plus |bias|, is below 2^31, and so is
// each part of such a sum. An offset inside the image is below its bytes, at most 2^22; in the copy below taps times
// channels times 4, which is at most 2^30.
#include "kernels/depthwise.h"

#include <stdbool.h>
#include <string.h>

#include "kernels/arithmetic_f32.h"
#include "kernels/dense_f32.h"
#include "kernels/depthwise_armv8m.h"
#include "kernels/depthwise_unit_f32.h"
#include "kernels/flush_f32.h"
#include "kernels/processor.h"

// An image, and the window that is looked through.
typedef struct {
    const anne_window_t *window;
    const uint8_t *x;
    uint8_t *copy;    // of a window at the border
    int32_t *inside;  // offsets of the taps in bytes: in x from the window's first pixel,
    int32_t *in_copy; // and in the copy
    uint32_t taps;
    uint32_t threes; // of them that come in threes
    uint32_t pixel_bytes;
    int fill; // each byte of a value outside the image
} view_t;

static view_t view_of(const anne_depthwise_t *layer, const void *x, uint32_t element_bytes, int fill, int32_t *words) {
    const anne_window_t *w = layer->window;
    uint32_t taps = (uint32_t)w->kernel_h * (uint32_t)w->kernel_w;
    view_t view = {w,
                   x,
                   (uint8_t *)(words + 2 * taps),
                   words,
                   words + taps,
                   taps,
                   taps / 3 * 3,
                   (uint32_t)w->channels * element_bytes,
                   fill};
    uint32_t t = 0;
    for (int32_t i = 0; i < w->kernel_h; i++) {
        for (int32_t j = 0; j < w->kernel_w; j++, t++) {
            // beyond the image where the window never is inside it: unsigned, and not used then
            uint32_t pixel = (uint32_t)(i * w->dilation_h) * (uint32_t)w->in_w + (uint32_t)(j * w->dilation_w);
            view.inside[t] = (int32_t)(pixel * view.pixel_bytes);
            view.in_copy[t] = (int32_t)(t * view.pixel_bytes);
        }
    }
    return view;
}

static void copy_window(const view_t *view, int32_t top, int32_t left) {
    const anne_window_t *w = view->window;
    uint8_t *to = view->copy;
    for (int32_t i = 0, row = top; i < w->kernel_h; i++, row += w->dilation_h) {
        for (int32_t j = 0, column = left; j < w->kernel_w; j++, column += w->dilation_w, to += view->pixel_bytes) {
            if (row >= 0 && row < w->in_h && column >= 0 && column < w->in_w) {
                memcpy(to, view->x + (uint32_t)(row * w->in_w + column) * view->pixel_bytes, view->pixel_bytes);
            } else {
                memset(to, view->fill, view->pixel_bytes);
            }
        }
    }
}

// The first tap of the window at the output's row y and column x, and in *offsets where the others are.
static const uint8_t *look(const view_t *view, int32_t y, int32_t x, const int32_t **offsets) {
    const anne_window_t *w = view->window;
    int32_t top = y * w->stride_h - w->pad_top, left = x * w->stride_w - w->pad_left;
    bool inside = top >= 0 && top + (w->kernel_h - 1) * w->dilation_h < w->in_h && left >= 0
                  && left + (w->kernel_w - 1) * w->dilation_w < w->in_w;
    if (inside) {
        *offsets = view->inside;
        return view->x + (uint32_t)(top * w->in_w + left) * view->pixel_bytes;
    }
    copy_window(view, top, left);
    *offsets = view->in_copy;
    return view->copy;
}

// --- Integers -------------------------------------------------------------------------------------------------------

static inline int32_t value_at(const uint8_t *at, bool wide) {
    return wide ? *(const int16_t *)(const void *)at : *(const int8_t *)at;
}

// The sums of one pixel, `multiplier` for each of its channels; `wide`, which is a constant where this is used: values
// and weights are int16, else int8.
static inline void sum_pixel(const anne_depthwise_t *layer, const view_t *view, uint32_t multiplier,
                             const uint8_t *base, const int32_t *offsets, int32_t *sums, bool wide) {
    const uint32_t bytes = wide ? 2 : 1;
    const uint8_t *weights = layer->weights, *end_of_pixel = base + view->pixel_bytes;
    const int32_t *bias = layer->bias, *threes = offsets + view->threes, *end = offsets + view->taps;
    while (base < end_of_pixel) {
        uint32_t left = multiplier;
        do {
            int32_t sum = *bias++;
            const int32_t *at = offsets;
            for (; at < threes; at += 3, weights += 3 * bytes) {
                sum += value_at(weights, wide) * value_at(base + at[0], wide);
                sum += value_at(weights + bytes, wide) * value_at(base + at[1], wide);
                sum += value_at(weights + 2 * bytes, wide) * value_at(base + at[2], wide);
            }
            for (; at < end; at++, weights += bytes) {
                sum += value_at(weights, wide) * value_at(base + at[0], wide);
            }
            *sums++ = sum;
        } while (--left > 0);
        base += bytes;
    }
}

void anne_depthwise_s8(const anne_depthwise_t *layer, const anne_depthwise_output_t *out, int32_t zero_point_in,
                       const int8_t *x, int32_t *scratch, int8_t *y) {
    const view_t view = view_of(layer, x, sizeof *x, zero_point_in, scratch + layer->n_out);
    uint32_t multiplier = layer->n_out / (uint32_t)layer->window->channels;
    for (int32_t i = 0; i < view.window->out_h; i++) {
        for (int32_t j = 0; j < view.window->out_w; j++, y += layer->n_out) {
            const int32_t *offsets;
            const uint8_t *base = look(&view, i, j, &offsets);
            sum_pixel(layer, &view, multiplier, base, offsets, scratch, false);
            anne_requantize_s8(scratch, out->factors, out->approximation, layer->n_out, &out->output, y);
        }
    }
}

void anne_depthwise_s16(const anne_depthwise_t *layer, const anne_depthwise_output_t *out, const int16_t *x,
                        int32_t *scratch, int16_t *y) {
    const view_t view = view_of(layer, x, sizeof *x, 0, scratch + layer->n_out);
    uint32_t multiplier = layer->n_out / (uint32_t)layer->window->channels;
    for (int32_t i = 0; i < view.window->out_h; i++) {
        for (int32_t j = 0; j < view.window->out_w; j++, y += layer->n_out) {
            const int32_t *offsets;
            const uint8_t *base = look(&view, i, j, &offsets);
#ifdef ANNE_ARMV8M
            if (multiplier == 1 && layer->n_out % 2 == 0) {
                anne_depthwise_pairs_s16(layer->weights, layer->bias, base, offsets, view.taps, layer->n_out, scratch);
            } else
#endif
            {
                sum_pixel(layer, &view, multiplier, base, offsets, scratch, true);
            }
            anne_requantize_s16(scratch, out->factors, layer->n_out, out->output, y);
        }
    }
}

// --- Floats ---------------------------------------------------------------------------------------------------------

// One channel of a pixel: `seen` has its taps, `row` room for as many. Weights of outputs `first` and the next.
static void sum_channel_f32(const anne_depthwise_t *layer, const float *scale, const float *seen, uint32_t taps,
                            uint32_t first, uint32_t n, float *row, float *y) {
    const float *bias = (const float *)layer->bias + first;
    if (scale == NULL) {
        anne_dense_f32((const float *)layer->weights + (size_t)first * taps, bias, seen, taps, n, y);
        return;
    }
    const int8_t *weights = (const int8_t *)layer->weights + (size_t)first * taps;
    for (uint32_t o = 0; o < n; o++) {
        for (uint32_t t = 0; t < taps; t++) {
            row[t] = *weights++;
        }
        float sum, zero = 0.0f;
        anne_dense_f32(row, &zero, seen, taps, 1, &sum);
        y[o] = anne_plus_f32(anne_times_f32(sum, scale[first + o]), bias[o]);
    }
}

#ifdef ANNE_FLOAT_UNIT
static void sum_pixels(const anne_depthwise_t *layer, const view_t *view, uint32_t multiplier, float *y) {
    const uint32_t before = anne_flush_begin();
    for (int32_t i = 0; i < view->window->out_h; i++) {
        for (int32_t j = 0; j < view->window->out_w; j++, y += layer->n_out) {
            const int32_t *offsets;
            const uint8_t *base = look(view, i, j, &offsets);
            anne_depthwise_pixel_f32(layer->weights, layer->bias, base, offsets, view->taps, layer->n_out / multiplier,
                                     multiplier, y);
        }
    }
    anne_flush_end(before);
}
#endif

void anne_depthwise_f32(const anne_depthwise_t *layer, const float *scale, const float *x, int32_t *scratch, float *y) {
    uint32_t channels = (uint32_t)layer->window->channels, multiplier = layer->n_out / channels;
    uint32_t taps = (uint32_t)layer->window->kernel_h * (uint32_t)layer->window->kernel_w;
    float *seen = (float *)(void *)scratch, *row = seen + taps;
    const view_t view = view_of(layer, x, sizeof *x, 0, scratch + 2 * taps);
#ifdef ANNE_FLOAT_UNIT
    if (scale == NULL) {
        sum_pixels(layer, &view, multiplier, y);
        return;
    }
#endif
    for (int32_t i = 0; i < view.window->out_h; i++) {
        for (int32_t j = 0; j < view.window->out_w; j++) {
            const int32_t *offsets;
            const uint8_t *base = look(&view, i, j, &offsets);
            for (uint32_t c = 0; c < channels; c++, base += sizeof *x, y += multiplier) {
                for (uint32_t t = 0; t < taps; t++) {
                    seen[t] = *(const float *)(const void *)(base + offsets[t]);
                }
                sum_channel_f32(layer, scale, seen, taps, c * multiplier, multiplier, row, y);
            }
        }
    }
}
