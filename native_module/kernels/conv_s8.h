// A convolution on int8: weights packed as for dense_s8, the image read where it lies.
#ifndef ANNE_CONV_S8_H
#define ANNE_CONV_S8_H

#include <stdint.h>

#include "kernels/dense_s8.h"
#include "kernels/requantize.h"
#include "kernels/runs.h"

typedef struct {
    const anne_window_t *window;
    uint32_t groups;         // equal parts of the channels of input and output
    uint32_t n_out;          // of a group
    const uint32_t *weights; // group after group
    const int32_t *bias;     // of all outputs, as factors
    const anne_rescale_t *factors;
    const anne_output_t *output;
    int32_t zero_point; // what a tap outside the image counts as
} anne_conv_s8_t;

// Words of scratch: of `layer`, window, groups and n_out count.
uint32_t anne_conv_s8_scratch(const anne_conv_s8_t *layer);

// y = zero_point + rescale(bias + sum of weights times what the window sees), at each of its places, exact for any
// weights and numbers. A group's part of the window has at most ANNE_DENSE_S8_MAX_IN numbers; all 4-byte aligned.
void anne_conv_s8(const anne_conv_s8_t *layer, const int8_t *x, int32_t *scratch, int8_t *y);

// --- With weights that are rewritten (dense_s8.h), group by group, on a processor that does that

// Columns of a group's window up to which that is done, as each takes a word of scratch.
#define ANNE_CONV_S8_MOST_REPACKED 4096
// Words of a copy of weights that may not be rewritten, a band of rows at a time, if there are at least so many pixels.
#define ANNE_CONV_S8_MOST_COPIED  2048
#define ANNE_CONV_S8_LEAST_PIXELS 16

// Numbers that a group's window sees.
static inline uint32_t anne_conv_s8_n_in(const anne_conv_s8_t *layer) {
    const anne_window_t *w = layer->window;
    return (uint32_t)(w->kernel_h * w->kernel_w * w->channels) / layer->groups;
}

static inline uint32_t anne_conv_s8_run_words(const anne_conv_s8_t *layer) {
    const uint32_t channels = (uint32_t)layer->window->channels / layer->groups;
    return (uint32_t)(anne_window_most_runs(layer->window, channels, UINT32_MAX) * sizeof(anne_run_t)
                      / sizeof(int32_t));
}

// Rows of such a band, 0 if weights are not copied: all of a group, or a multiple of 8.
static inline uint32_t anne_conv_s8_band(const anne_conv_s8_t *layer) {
    const uint32_t rows = ANNE_CONV_S8_MOST_COPIED * 4 / anne_dense_s8_columns(anne_conv_s8_n_in(layer)) / 8 * 8;
    const uint32_t pixels = (uint32_t)layer->window->out_h * (uint32_t)layer->window->out_w;
    return pixels < ANNE_CONV_S8_LEAST_PIXELS ? 0 : rows < layer->n_out ? rows : layer->n_out;
}

// Words of scratch: runs of a window; what two see, spread; what one sees, if its channels are no whole words.
static inline uint32_t anne_conv_s8_repacked_scratch(const anne_conv_s8_t *layer) {
    const uint32_t columns = anne_dense_s8_columns(anne_conv_s8_n_in(layer));
    const bool whole_words = (uint32_t)layer->window->channels / layer->groups % 4 == 0;
    return anne_conv_s8_run_words(layer) + columns + (whole_words ? 0 : columns / 4);
}

// The same with a copy of a band behind it.
static inline uint32_t anne_conv_s8_copied_scratch(const anne_conv_s8_t *layer) {
    return anne_conv_s8_repacked_scratch(layer)
           + (uint32_t)anne_dense_s8_words(anne_conv_s8_n_in(layer), anne_conv_s8_band(layer));
}

#ifdef ANNE_REPACKS // conv_pairs_s8_armv8m.c
void anne_conv_s8_repacked(const anne_conv_s8_t *layer, const int8_t *x, int32_t *scratch, int8_t *y);
// The same with weights as packed, if there is a band.
void anne_conv_s8_copied(const anne_conv_s8_t *layer, const int8_t *x, int32_t *scratch, int8_t *y);
#endif

#endif // ANNE_CONV_S8_H
