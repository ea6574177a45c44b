// Transposed convolution, one pixel of the output after another: its sums are gathered, as those that the definition
// scatters would need room for the whole output in 32 bits. Which pixels of the input reach it, through which taps, is
// the same for all channels. A stride of s leaves one in s rows of taps, so the others are passed over before anything
// is multiplied. The weights of a tap are a small dense layer, n_out rows of n_in: floats are summed by that layer's
// kernel, with the sums so far for bias. Of int8 the pixel becomes x - zero_point once for all rows, in 16 bits; where
// no pixel reaches, nothing is to be corrected then.
//
// Ranges: |x - zero_point| <= 255 and |weight| <= 128 give products below 2^15, of which a sum has at most 16383, and a
// bias of 2^28: below 2^30. Sums of int16 are proven from the constants.
#include "kernels/conv_transpose.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "kernels/arithmetic_f32.h"
#include "kernels/dense_f32.h"

#define NO_SOURCE (-1)

// The row, or column, of the input that reaches the output's `at` through tap `i`; NO_SOURCE if none does.
static int32_t source_of(int32_t at, int32_t i, int32_t size, int32_t stride, int32_t dilation, int32_t pad) {
    int32_t from = at + pad - i * dilation;
    if (from < 0 || (stride > 1 && from % stride != 0)) {
        return NO_SOURCE;
    }
    from /= stride;
    return from < size ? from : NO_SOURCE;
}

// Goes through the taps that reach a pixel of the output: tap's number and the input's pixel.
typedef struct {
    int32_t i;
    int32_t j;
    int32_t row;
} walk_t;

// The next tap that reaches the output's pixel (y, x), and in *pixel the number of the input's; NO_SOURCE at the end.
// *walk is {0, -1, NO_SOURCE} before the first.
static int32_t next_tap(const anne_window_t *w, int32_t y, int32_t x, walk_t *walk, uint32_t *pixel) {
    for (;;) {
        if (walk->j < 0 || ++walk->j == w->kernel_w || walk->row == NO_SOURCE) {
            walk->i += walk->j < 0 ? 0 : 1;
            walk->j = 0;
            if (walk->i == w->kernel_h) {
                return NO_SOURCE;
            }
            walk->row = source_of(y, walk->i, w->in_h, w->stride_h, w->dilation_h, w->pad_top);
        }
        int32_t column = walk->row == NO_SOURCE
                             ? NO_SOURCE
                             : source_of(x, walk->j, w->in_w, w->stride_w, w->dilation_w, w->pad_left);
        if (column != NO_SOURCE) {
            *pixel = (uint32_t)(walk->row * w->in_w + column);
            return walk->i * w->kernel_w + walk->j;
        }
    }
}

// --- Integers -------------------------------------------------------------------------------------------------------

// sum + weights x over n; `wide`, which is a constant where this is used: weights are int16, else int8.
static inline int32_t plus_row(int32_t sum, const void *weights, const int16_t *x, uint32_t n, bool wide) {
    const int16_t *w16 = weights, *end = x + n, *fours = x + n / 4 * 4;
    const int8_t *w8 = weights;
#define WEIGHT(i) (wide ? w16[i] : w8[i])
    for (; x < fours; x += 4, w16 += 4, w8 += 4) {
        sum += WEIGHT(0) * x[0] + WEIGHT(1) * x[1] + WEIGHT(2) * x[2] + WEIGHT(3) * x[3];
    }
    for (; x < end; x++, w16++, w8++) {
        sum += WEIGHT(0) * x[0];
    }
#undef WEIGHT
    return sum;
}

void anne_conv_transpose_s8(const anne_transposed_t *layer, int32_t zero_point_in, const anne_rescale_t *factors,
                            const anne_approximation_t *approximation, const anne_output_t *output, const int8_t *x,
                            int32_t *scratch, int8_t *y) {
    const anne_window_t *w = layer->window;
    uint32_t n_in = (uint32_t)w->channels, n_out = layer->n_out, pixel;
    int16_t *centred = (int16_t *)(void *)(scratch + n_out);
    for (int32_t i = 0; i < w->out_h; i++) {
        for (int32_t j = 0; j < w->out_w; j++, y += n_out) {
            memcpy(scratch, layer->bias, n_out * sizeof *scratch);
            walk_t walk = {0, -1, NO_SOURCE};
            for (int32_t tap; (tap = next_tap(w, i, j, &walk, &pixel)) != NO_SOURCE;) {
                const int8_t *from = x + (size_t)pixel * n_in;
                const int8_t *row = (const int8_t *)layer->weights + (size_t)tap * n_out * n_in;
                for (uint32_t c = 0; c < n_in; c++) {
                    centred[c] = (int16_t)(from[c] - zero_point_in);
                }
                for (uint32_t o = 0; o < n_out; o++, row += n_in) {
                    scratch[o] = plus_row(scratch[o], row, centred, n_in, false);
                }
            }
            anne_requantize_s8(scratch, factors, approximation, n_out, output, y);
        }
    }
}

void anne_conv_transpose_s16(const anne_transposed_t *layer, const anne_rescale_t *factors, anne_output_t output,
                             const int16_t *x, int32_t *scratch, int16_t *y) {
    const anne_window_t *w = layer->window;
    uint32_t n_in = (uint32_t)w->channels, n_out = layer->n_out, pixel;
    for (int32_t i = 0; i < w->out_h; i++) {
        for (int32_t j = 0; j < w->out_w; j++, y += n_out) {
            memcpy(scratch, layer->bias, n_out * sizeof *scratch);
            walk_t walk = {0, -1, NO_SOURCE};
            for (int32_t tap; (tap = next_tap(w, i, j, &walk, &pixel)) != NO_SOURCE;) {
                const int16_t *row = (const int16_t *)layer->weights + (size_t)tap * n_out * n_in;
                for (uint32_t o = 0; o < n_out; o++, row += n_in) {
                    scratch[o] = plus_row(scratch[o], row, x + (size_t)pixel * n_in, n_in, true);
                }
            }
            anne_requantize_s16(scratch, factors, n_out, output, y);
        }
    }
}

// --- Floats ---------------------------------------------------------------------------------------------------------

// The sums with those of a tap: `sums` and `next` change places.
static void plus_tap(const anne_transposed_t *layer, bool is_s8, uint32_t tap, const float *x, float *row, float **sums,
                     float **next) {
    uint32_t n_in = (uint32_t)layer->window->channels, n_out = layer->n_out;
    size_t first = (size_t)tap * n_out * n_in;
    if (!is_s8) {
        anne_dense_f32((const float *)layer->weights + first, *sums, x, n_in, n_out, *next);
    }
    const int8_t *weights = (const int8_t *)layer->weights + first;
    for (uint32_t o = 0; is_s8 && o < n_out; o++) {
        for (uint32_t c = 0; c < n_in; c++) {
            row[c] = *weights++;
        }
        anne_dense_f32(row, *sums + o, x, n_in, 1, *next + o);
    }
    float *other = *sums;
    *sums = *next;
    *next = other;
}

void anne_conv_transpose_f32(const anne_transposed_t *layer, const float *scale, const float *x, int32_t *scratch,
                             float *y) {
    const anne_window_t *w = layer->window;
    uint32_t n_out = layer->n_out, pixel;
    const float *bias = layer->bias;
    float *sums = (float *)(void *)scratch, *next = sums + n_out, *row = next + n_out;
    for (int32_t i = 0; i < w->out_h; i++) {
        for (int32_t j = 0; j < w->out_w; j++) {
            for (uint32_t o = 0; o < n_out; o++) {
                sums[o] = scale == NULL ? anne_normal_f32(bias[o]) : 0.0f;
            }
            walk_t walk = {0, -1, NO_SOURCE};
            for (int32_t tap; (tap = next_tap(w, i, j, &walk, &pixel)) != NO_SOURCE;) {
                plus_tap(layer, scale != NULL, (uint32_t)tap, x + (size_t)pixel * (uint32_t)w->channels, row, &sums,
                         &next);
            }
            for (uint32_t o = 0; o < n_out; o++) {
                *y++ = scale == NULL ? sums[o] : anne_plus_f32(anne_times_f32(sums[o], scale[o]), bias[o]);
            }
        }
    }
}
