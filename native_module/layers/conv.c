// A convolution: weights in rows as of a dense layer, each times what the window sees at every place of the image.
//
// int8 has a kernel of its own, which reads the image where it lies. For other types one window's numbers are copied
// into the scratch, as their kernels need them side by side; they may be dense layers' then, and give the same bits.
#include <string.h>

#include "kernels/activations_f32.h"
#include "kernels/conv_s8.h"
#include "kernels/dense_f32.h"
#include "kernels/dense_f32_aligned.h"
#include "kernels/dense_s16.h"
#include "kernels/dense_s4.h"
#include "kernels/dense_s8_f32.h"
#include "kernels/runs.h"
#include "layers/layouts.h"
#include "layers/rows.h"
#include "layers/windows.h"

// Parameters: those of the window; groups of channels; the layout of the weights, the limits of an integer result.
enum { CONV_GROUPS = WINDOW_PARAMETERS, CONV_LAYOUT, CONV_ACT_MIN, CONV_ACT_MAX, CONV_PARAMETERS };

// A layer at work.
typedef struct {
    const anne_layer_t *layer;
    anne_window_t window;
    uint32_t layout;
    uint32_t groups;
    uint32_t channels; // of a group
    uint32_t n_in;     // of a group: numbers that the window sees, and output channels
    uint32_t n_out;
    uint32_t group_words; // of weights
    uint32_t bytes;       // of a number of the image
    anne_run_t *runs;
    uint32_t n_runs;
    void *seen;
    int32_t *words; // what the kernel needs, beginning with the sums of a pixel where there are integers
} conv_t;

// The words of the scratch, one part after another: runs; what the window sees; the kernel's.
typedef struct {
    uint32_t runs;
    uint32_t seen;
    uint32_t kernel;
} parts_t;

static conv_t conv_of(const anne_tensor_t *x, const anne_tensor_t *y, const int32_t *parameters) {
    conv_t conv = {
        .window = anne_window_of(x, y, parameters),
        .layout = (uint32_t)parameters[CONV_LAYOUT],
        .groups = (uint32_t)parameters[CONV_GROUPS],
        .bytes = x->dtype == ANNE_FLOAT32 ? 4
                 : x->dtype == ANNE_INT16 ? 2
                                          : 1,
    };
    conv.channels = (uint32_t)conv.window.channels / conv.groups;
    conv.n_in = (uint32_t)(conv.window.kernel_h * conv.window.kernel_w) * conv.channels;
    conv.n_out = anne_last_axis(y) / conv.groups;
    return conv;
}

static parts_t parts_of(const conv_t *conv, const void *const *constants) {
    uint32_t n_in = conv->n_in, n_out = conv->n_out, kernel = n_out * conv->groups;
    switch (conv->layout) {
    case ANNE_LAYOUT_s4: // sums of eight rows at a time, of the last group more than there are
        kernel += 8 + anne_dense_s4_scratch(n_in, *(const uint32_t *)constants[3]);
        break;
    case ANNE_LAYOUT_s8_f32:
        kernel = anne_dense_s8_f32_scratch(n_in, n_out);
        break;
    case ANNE_LAYOUT_s16:
        kernel += anne_dense_s16_scratch(n_in);
        break;
    case ANNE_LAYOUT_f32_aligned:
        kernel = anne_dense_f32_aligned_scratch(n_in, n_out);
        break;
    default: // f32
        kernel = 0;
        break;
    }
    uint32_t runs = anne_window_most_runs(&conv->window, conv->channels, UINT32_MAX);
    return (parts_t){
        .runs = runs * sizeof(anne_run_t) / sizeof(int32_t),
        .seen = (n_in * conv->bytes + 3) / 4,
        .kernel = kernel,
    };
}

// --- A group of a pixel ---------------------------------------------------------------------------------------------

#ifdef ANNE_REPACKS
static void run_repacked_s16(const anne_layer_t *layer);
#endif

// From a copy of what the window sees: sums of integers, floats at y.
static void sum_of_copy(const conv_t *conv, uint32_t group, uint32_t origin, float *y) {
    const anne_layer_t *layer = conv->layer;
    const uint32_t n_in = conv->n_in, n_out = conv->n_out, row = group * n_out, first = group * conv->channels;
    const uint32_t *weights = (const uint32_t *)layer->constants[0] + group * conv->group_words;
    const void *bias = (const uint32_t *)layer->constants[1] + row;
    int32_t *words = conv->words, *sums = words + row, *rest = words + n_out * conv->groups;
    const void *x = (const uint8_t *)layer->x + (origin + first) * conv->bytes;
    anne_gather(conv->runs, conv->n_runs, x, conv->bytes, (int8_t)layer->input->zero_point, conv->seen);
#ifdef ANNE_REPACKS
    if (layer->run == run_repacked_s16) {
        anne_dense_s16_repacked(weights, bias, conv->seen, n_in, n_out, rest, sums);
        return;
    }
#endif
    switch (conv->layout) {
    case ANNE_LAYOUT_s4:
        anne_dense_s4(weights, bias, conv->seen, n_in, n_out, *(const uint32_t *)layer->constants[3], rest + 8, sums);
        break;
    case ANNE_LAYOUT_s8_f32:
        anne_dense_s8_f32(weights, (const float *)layer->constants[2] + row, bias, conv->seen, n_in, n_out, words,
                          y + row);
        break;
    case ANNE_LAYOUT_s16:
        anne_dense_s16(weights, bias, conv->seen, n_in, n_out, rest, sums);
        break;
    case ANNE_LAYOUT_f32_aligned: {
        anne_dense_f32_aligned_t dense;
        const int32_t *exponents = (const int32_t *)layer->constants[2] + row;
        anne_dense_f32_aligned_prepare(&dense, weights, bias, exponents, conv->seen, n_in, n_out, words, y + row,
                                       false);
        anne_dense_f32_aligned(&dense);
        break;
    }
    default:
        anne_dense_f32((const void *)weights, bias, conv->seen, n_in, n_out, y + row);
        break;
    }
}

// --- All pixels -----------------------------------------------------------------------------------------------------

// All groups of the pixel whose window begins there. `runs_good` says that the runs are those of a window inside the
// image, from its first number on; the same now.
static bool see_pixel(conv_t *conv, int32_t top, int32_t left, bool runs_good, void *y) {
    bool inside = anne_window_inside(&conv->window, top, left);
    if (!(inside && runs_good)) {
        conv->n_runs = anne_window_runs(&conv->window, conv->channels, inside ? 0 : top, inside ? 0 : left, UINT32_MAX,
                                        conv->runs);
    }
    uint32_t origin = inside ? (uint32_t)((top * conv->window.in_w + left) * conv->window.channels) : 0;
    for (uint32_t group = 0; group < conv->groups; group++) {
        sum_of_copy(conv, group, origin, y);
    }
    return inside;
}

static void run_conv(const anne_layer_t *layer) {
    conv_t conv = conv_of(layer->input, layer->output, layer->parameters);
    const parts_t parts = parts_of(&conv, layer->constants);
    conv.layer = layer;
    conv.group_words = (uint32_t)anne_layout_words(conv.layout, conv.n_in, conv.n_out);
    conv.runs = layer->scratch;
    conv.seen = (int32_t *)layer->scratch + parts.runs;
    conv.words = (int32_t *)conv.seen + parts.seen;
    const anne_window_t *window = &conv.window;
    const anne_output_t output = anne_output_of(layer, CONV_ACT_MIN);
    const uint32_t n = conv.n_out * conv.groups;
    uint8_t *y = layer->y;
    bool runs_good = false;
    for (int32_t row = 0; row < window->out_h; row++) {
        for (int32_t column = 0; column < window->out_w; column++) {
            runs_good = see_pixel(&conv, row * window->stride_h - window->pad_top,
                                  column * window->stride_w - window->pad_left, runs_good, y);
            if (layer->output->dtype == ANNE_INT8) {
                anne_requantize_s8(conv.words, layer->constants[2], layer->derived, n, &output, (int8_t *)y);
            } else if (layer->output->dtype == ANNE_INT16) {
                anne_requantize_s16(conv.words, layer->constants[2], n, output, (int16_t *)y);
            }
            y += n * conv.bytes;
        }
    }
    if (layer->output->dtype == ANNE_FLOAT32) {
        anne_activate_f32(layer->activation, layer->alpha, layer->y, layer->n_out);
    }
}

#ifdef ANNE_REPACKS
static void run_repacked_s16(const anne_layer_t *layer) {
    run_conv(layer);
}
#endif

// A window of one pixel goes along an image as along a signal.
static anne_conv_s8_t in_place(conv_t *conv) {
    anne_window_t *w = &conv->window;
    if (w->kernel_h == 1 && w->kernel_w == 1 && w->stride_h == 1 && w->stride_w == 1 && w->in_w == w->out_w) {
        w->in_w *= w->in_h;
        w->out_w *= w->out_h;
        w->in_h = w->out_h = 1;
    }
    return (anne_conv_s8_t){.window = &conv->window, .groups = conv->groups, .n_out = conv->n_out};
}

typedef void conv_s8_t(const anne_conv_s8_t *layer, const int8_t *x, int32_t *scratch, int8_t *y);

static void run_s8(const anne_layer_t *layer, conv_s8_t *run) {
    conv_t conv = conv_of(layer->input, layer->output, layer->parameters);
    const anne_output_t output = anne_output_of(layer, CONV_ACT_MIN);
    anne_conv_s8_t how = in_place(&conv);
    how.weights = layer->constants[0];
    how.bias = layer->constants[1];
    how.factors = layer->constants[2];
    how.output = &output;
    how.zero_point = layer->input->zero_point;
    run(&how, layer->x, layer->scratch, layer->y);
}

static void run_in_place(const anne_layer_t *layer) {
    run_s8(layer, anne_conv_s8);
}

#ifdef ANNE_REPACKS
static void run_copied_s8(const anne_layer_t *layer) {
    run_s8(layer, anne_conv_s8_copied);
}

static void run_repacked_s8(const anne_layer_t *layer) {
    run_s8(layer, anne_conv_s8_repacked);
}
#endif

// --- The record -----------------------------------------------------------------------------------------------------

static anne_status_t check_conv(const anne_record_t *record, anne_needs_t *needs) {
    const anne_tensor_t *x = record->input, *y = record->output;
    anne_status_t status = anne_check_layout(record, CONV_LAYOUT, CONV_PARAMETERS);
    if (status != ANNE_OK) {
        return status;
    }
    uint32_t channels = anne_last_axis(x), n_out = anne_last_axis(y);
    uint32_t groups = (uint32_t)record->parameters[CONV_GROUPS];
    if (groups == 0 || channels % groups != 0 || n_out % groups != 0) {
        return ANNE_ERROR_SHAPE;
    }
    status = anne_check_window(record, (uint64_t)n_out * (channels / groups));
    if (status != ANNE_OK) {
        return status;
    }
    conv_t conv = conv_of(x, y, record->parameters); // n_in n_out <= ANNE_MAX_STEPS
    status = anne_check_weights(record, conv.layout, conv.n_in, conv.n_out, groups);
    if (status != ANNE_OK) {
        return status;
    }
    if (conv.layout == ANNE_LAYOUT_s8_quad) {
        const anne_conv_s8_t how = in_place(&conv);
        needs->scratch = anne_conv_s8_scratch(&how) * sizeof(int32_t);
#ifndef __ARM_ARCH_6M__ // where nobody asks
        if (conv.n_in <= ANNE_CONV_S8_MOST_REPACKED) {
            needs->repacked = anne_conv_s8_copied_scratch(&how) * sizeof(int32_t);
        }
#endif
    } else {
        const parts_t parts = parts_of(&conv, record->constants);
        needs->scratch = (parts.runs + parts.seen + parts.kernel) * sizeof(int32_t);
    }
    if (y->dtype == ANNE_INT8 && conv.layout != ANNE_LAYOUT_s8_quad) {
        needs->derived = anne_approximation_bytes(n_out) / sizeof(uint32_t);
    }
    return ANNE_OK;
}

static anne_layer_run_t *choose_conv(const anne_record_t *record) {
#ifdef ANNE_REPACKS
    conv_t conv = conv_of(record->input, record->output, record->parameters);
    const anne_conv_s8_t how = in_place(&conv);
    if (conv.layout == ANNE_LAYOUT_s8_quad && anne_conv_s8_band(&how) > 0) {
        return run_copied_s8;
    }
#endif
    return record->parameters[CONV_LAYOUT] == ANNE_LAYOUT_s8_quad ? run_in_place : run_conv;
}

static uint32_t prepare_conv(const anne_layer_t *layer, const anne_record_t *record) {
    const conv_t conv = conv_of(layer->input, layer->output, record->parameters);
    const bool derives = layer->output->dtype == ANNE_INT8 && conv.layout != ANNE_LAYOUT_s8_quad;
    return derives ? anne_prepare_rows_s8(layer, conv.n_in, conv.n_out * conv.groups) : 0;
}

static uint32_t layout_of_conv(const anne_record_t *record) {
    return (uint32_t)record->parameters[CONV_LAYOUT];
}

static uint32_t macs_of_conv(const anne_record_t *record) {
    const conv_t conv = conv_of(record->input, record->output, record->parameters);
    return anne_window_taps(&conv.window) * conv.channels * conv.n_out * conv.groups;
}

#ifdef ANNE_REPACKS
static anne_layer_run_t *repacked_conv(const anne_record_t *record) {
    const conv_t conv = conv_of(record->input, record->output, record->parameters);
    const bool is_s8 = conv.layout == ANNE_LAYOUT_s8_quad && conv.n_in <= ANNE_CONV_S8_MOST_REPACKED;
    return is_s8 ? run_repacked_s8 : conv.layout == ANNE_LAYOUT_s16 ? run_repacked_s16 : NULL;
}

static void repack_conv(const anne_record_t *record, bool back) {
    const conv_t conv = conv_of(record->input, record->output, record->parameters);
    anne_layout_repack(record, conv.layout, conv.n_in, conv.n_out, conv.groups, back);
}
#endif

const anne_layer_kind_t anne_conv = {
    .check = check_conv,
    .run = choose_conv,
    .prepare = prepare_conv,
    .layout = layout_of_conv,
    .macs = macs_of_conv,
#ifdef ANNE_REPACKS
    .repacked = repacked_conv,
    .repack = repack_conv,
#endif
};
