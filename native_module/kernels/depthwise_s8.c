// Two output pixels of a channel lie in one word, x = a + 2^16 b, so that one product with a weight serves both. They
// are half a band of rows apart (in an image of one output row, half that row), so each value of the input is paired
// once, in `planes` of one channel each, with the zero point around them: the loops that multiply know no
// borders. What is done with pairs depthwise_pairs.c says.
//
// Large images are cut into bands, so that planes and sums take at most 8 KB; weights come from the file once a band.
#include "kernels/depthwise_s8.h"

#include <string.h>

#include "kernels/depthwise_pairs.h"

// --- How a layer is cut ---------------------------------------------------------------------------------------------

// Bands of output rows: in pairs of pixels `half` rows apart, or, in a layer of one output row, `half` columns.
typedef struct {
    int32_t half;
    int32_t columns;    // windows in a row of pairs
    int32_t plane_w;    // pairs in a row of a plane
    int32_t rows_apart; // in the input, between the lanes of a pair
    int32_t columns_apart;
    uint32_t channels; // that are paired at once: 4, or 1
    uint32_t plane_words;
    uint32_t sum_words;
    uint32_t segments; // the most that a channel has
} cut_t;

#define MOST_WORDS    2048 // of planes and sums, where bands can be made so small
#define MOST_SEGMENTS (ANNE_STREAM_END / 16 - 1)

// Rows of a plane for so many of the output.
static int32_t plane_rows(const anne_window_t *w, int32_t rows) {
    return (rows - 1) * w->stride_h + (w->kernel_h - 1) * w->dilation_h + 1;
}

static uint64_t set_half(const anne_window_t *w, cut_t *cut, int32_t half) {
    bool flat = w->out_h == 1;
    uint64_t rows = (uint64_t)plane_rows(w, flat ? 1 : half);
    cut->half = half;
    cut->columns = flat ? half : w->out_w;
    cut->plane_w = (cut->columns - 1) * w->stride_w + w->kernel_w;
    cut->rows_apart = flat ? 0 : half * w->stride_h;
    cut->columns_apart = flat ? half * w->stride_w : 0;
    uint64_t plane = rows * (uint64_t)cut->plane_w, sums = 2 * (uint64_t)half * (uint32_t)(flat ? 1 : w->out_w) + 2;
    cut->plane_words = (uint32_t)plane, cut->sum_words = (uint32_t)sums;
    return plane * cut->channels + (uint32_t)w->stride_w + 4 + sums;
}

// Whether a layer can be cut; else the windows are too large, or spread.
static bool cut_of(const anne_window_t *w, cut_t *cut) {
    uint64_t segments = 2 * (uint64_t)w->kernel_h * (((uint32_t)w->kernel_w + 2) / 3);
    if (w->dilation_w != 1 || segments > MOST_SEGMENTS) {
        return false;
    }
    int32_t size = w->out_h == 1 ? w->out_w : w->out_h, half = (size + 1) / 2;
    cut->segments = (uint32_t)segments;
    cut->channels = w->channels % 4 == 0 ? 4 : 1;
    while (set_half(w, cut, half) > MOST_WORDS && half > 1 && w->out_h > 1) {
        half--;
    }
    if (set_half(w, cut, half) > MOST_WORDS) {
        cut->channels = 1;
    }
    return set_half(w, cut, half) <= MOST_WORDS;
}

uint32_t anne_depthwise_s8_scratch(const anne_window_t *window) {
    cut_t cut;
    if (!cut_of(window, &cut)) {
        return 0;
    }
    uint32_t planes = cut.plane_words * cut.channels + (uint32_t)window->stride_w + 4;
    return 1 + planes + cut.sum_words + 2 + 4 * cut.segments + ANNE_STREAM_END / 4 - 1;
}

// --- Planes ---------------------------------------------------------------------------------------------------------

// A layer while it runs.
typedef struct {
    const anne_window_t *window;
    cut_t cut;
    const int8_t *x;
    int32_t *zero; // four zero points in a word
    int32_t *planes;
    int32_t *sums;
    int32_t *stream_end;
} run_t;

// Where the value of the first of the channels is, and how far from pixel to pixel; outside the image the zero point.
static const int8_t *lane(const run_t *run, int32_t row, int32_t column, uint32_t channel, uint32_t *step) {
    const anne_window_t *w = run->window;
    if (row < 0 || row >= w->in_h || column < 0 || column >= w->in_w) {
        *step = 0;
        return (const int8_t *)run->zero;
    }
    *step = (uint32_t)w->channels;
    return run->x + (uint32_t)(row * w->in_w + column) * (uint32_t)w->channels + channel;
}

// How many columns from this one on are outside the image, or inside, as it is; `most` at the most.
static int32_t alike(const anne_window_t *w, int32_t column, int32_t most) {
    int32_t n = column < 0 ? -column : column < w->in_w ? w->in_w - column : most;
    return n < most ? n : most;
}

// One row of all planes, from `first` to before `last`: the pairs of `row` of the input and that beyond.
static void pair_row(const run_t *run, int32_t row, uint32_t channel, int32_t *pairs, int32_t first, int32_t last) {
    const anne_window_t *w = run->window;
    const cut_t *cut = &run->cut;
    anne_pairing_t pairing = {.plane_words = cut->plane_words};
    for (int32_t i = first; i < last; i += (int32_t)pairing.n) {
        int32_t column = i - w->pad_left;
        pairing.a = lane(run, row, column, channel, &pairing.a_step);
        pairing.b = lane(run, row + cut->rows_apart, column + cut->columns_apart, channel, &pairing.b_step);
        pairing.pairs = pairs + i;
        pairing.n = (uint32_t)alike(w, column + cut->columns_apart, alike(w, column, last - i));
        (cut->channels == 4 ? anne_pair_four : anne_pair_one)(&pairing);
    }
}

static void pair_rows(const run_t *run, int32_t top, int32_t rows, uint32_t channel) {
    const anne_window_t *w = run->window;
    int32_t *pairs = run->planes, first = 0, last = run->cut.plane_w;
    if (run->cut.columns_apart == 0) { // what is beside the image stays
        first = w->pad_left < last ? w->pad_left : last;
        last = w->pad_left + w->in_w < last ? w->pad_left + w->in_w : last;
    }
    for (int32_t i = 0; i < rows; i++, pairs += run->cut.plane_w) {
        pair_row(run, top + i, channel, pairs, first, last);
    }
}

// --- A channel ------------------------------------------------------------------------------------------------------

static inline int32_t magnitude(int32_t w) {
    return (w ^ w >> 31) - (w >> 31);
}

static inline int32_t *put_segment(int32_t *end, int32_t offset, int32_t w0, int32_t w1, int32_t w2) {
    end[-4] = offset, end[-3] = w0, end[-2] = w1, end[-1] = w2;
    return end - 4;
}

// Writes the segments of a channel, backwards, and returns where the stream begins: with the sums' starts, for the bias
// `start` of both lanes.
static int32_t *put_stream(const run_t *run, const int8_t *weights, int32_t start) {
    const int32_t kernel_w = run->window->kernel_w, row_bytes = 4 * run->window->dilation_h * run->cut.plane_w;
    int32_t *at = run->stream_end;
    for (int32_t left = run->window->kernel_h, row = 0; left > 0; left--, row += row_bytes) {
        for (int32_t in_row = kernel_w, offset = row; in_row > 0; in_row -= 3, offset += 12) {
            int32_t w0 = *weights++, w1 = in_row > 1 ? *weights++ : 0, w2 = in_row > 2 ? *weights++ : 0;
            if (magnitude(w0) + magnitude(w1) + magnitude(w2) > 255) {
                int32_t t = w0 / 2;
                at = put_segment(at, offset, t, 0, w2);
                w0 -= t, w2 = 0;
            }
            at = put_segment(at, offset, w0, w1, w2);
        }
    }
    uint32_t n = (uint32_t)(run->stream_end - at) / 4;
    *--at = start;
    *--at = (int32_t)((uint32_t)start * 0x10001u - (n << 15));
    return at;
}

// --- The layer ------------------------------------------------------------------------------------------------------

// Windows of lower lanes, of one channel whose pairs begin at `plane`.
static void sum_plane(const run_t *run, const int32_t *stream, const int32_t *plane, int32_t rows) {
    const anne_window_t *w = run->window;
    const cut_t *cut = &run->cut;
    uint32_t apart = 4 * (uint32_t)w->stride_w, columns = (uint32_t)cut->columns;
    anne_windows_t windows = {.stream = stream, .sums = run->sums, .row = (const uint8_t *)(const void *)plane};
    windows.row_bytes = 4 * (uint32_t)(w->stride_h * cut->plane_w);
    windows.rows = (uint32_t)rows;
    windows.row_end = windows.row + columns * apart;
    windows.step = 2 * apart;
    windows.odd = columns % 2 * 8;
    windows.skip = windows.row_bytes - (columns + 1) / 2 * windows.step;
    if (apart <= 8) {
        (apart == 4 ? anne_sum_windows_1 : anne_sum_windows_2)(&windows);
        return;
    }
    // farther apart: each window for itself, a row of one column
    const uint8_t *row = windows.row;
    windows.odd = 8, windows.rows = columns, windows.skip = apart - windows.step;
    for (int32_t i = 0; i < rows; i++, row += windows.row_bytes, windows.sums += 2 * columns) {
        anne_windows_t in_row = windows;
        in_row.row = row, in_row.row_end = row + 4, in_row.row_bytes = apart;
        anne_sum_windows_2(&in_row);
    }
}

// Where a band's results are: so many of lower lanes, and of upper ones, these `second` bytes behind.
typedef struct {
    int8_t *y;
    int32_t rows;
    uint32_t lower;
    uint32_t upper;
    uint32_t second;
} band_t;

static void run_channel(const run_t *run, const anne_depthwise_t *layer, const anne_depthwise_output_t *out,
                        const band_t *band, const int32_t *plane, uint32_t channel) {
    uint32_t taps = (uint32_t)run->window->kernel_h * (uint32_t)run->window->kernel_w;
    anne_finish_t finish;
    finish.step = layer->n_out;
    finish.least = out->output.least, finish.most = out->output.most;
    finish.factor = &out->factors[channel], finish.output = &out->output;
    anne_finish_prepare(&finish);
    int32_t bias = ((const int32_t *)layer->bias)[channel];
    const int32_t *stream =
        put_stream(run, (const int8_t *)layer->weights + (size_t)channel * taps, bias - finish.least_sum);
    sum_plane(run, stream, plane, band->rows);
    int8_t *y = band->y + channel;
    if (band->upper > 0) {
        anne_finish_pairs(&finish, run->sums, band->upper, y, band->second);
    }
    if (band->lower > band->upper) { // lower lanes alone: written over the upper ones
        anne_finish_pairs(&finish, run->sums + 2 * band->upper, band->lower - band->upper,
                          y + band->upper * layer->n_out, 0);
    }
}

static band_t band_of(run_t *run, uint32_t n_out, int32_t top, int32_t half, int8_t *y) {
    const anne_window_t *w = run->window;
    int32_t row_pixels = w->out_w, rows = w->out_h - top < 2 * half ? w->out_h - top : 2 * half,
            pixels = rows * w->out_w;
    band_t band = {.y = y + (uint32_t)(top * row_pixels) * n_out, .rows = 1};
    int32_t lower = run->cut.half;
    if (run->cut.columns_apart == 0) {
        band.rows = (rows + 1) / 2;
        run->cut.rows_apart = band.rows * w->stride_h;
        lower = band.rows * row_pixels;
    }
    band.lower = (uint32_t)lower, band.upper = (uint32_t)(pixels - lower), band.second = band.lower * n_out;
    return band;
}

static run_t run_of(const anne_window_t *w, const cut_t *cut, const int8_t *x, int32_t zero_point, int32_t *scratch) {
    run_t run = {w, *cut, x, scratch, scratch + 1, NULL, NULL};
    run.sums = run.planes + cut->plane_words * cut->channels + w->stride_w + 4;
    uintptr_t end = (uintptr_t)(run.sums + cut->sum_words + 2 + 4 * cut->segments) + ANNE_STREAM_END - 1;
    run.stream_end = (int32_t *)(end / ANNE_STREAM_END * ANNE_STREAM_END);
    memset(run.zero, zero_point, sizeof *run.zero);
    int32_t pair = zero_point * 0x10001; // beside the image
    for (int32_t *at = run.planes; at < run.sums; at++) {
        *at = pair;
    }
    return run;
}

void anne_depthwise_s8_pairs(const anne_depthwise_t *layer, const anne_depthwise_output_t *out, int32_t zero_point_in,
                             const int8_t *x, int32_t *scratch, int8_t *y) {
    const anne_window_t *w = layer->window;
    cut_t cut;
    cut_of(w, &cut);
    run_t run = run_of(w, &cut, x, zero_point_in, scratch);
    uint32_t channels = (uint32_t)w->channels, multiplier = layer->n_out / channels;
    int32_t half = w->out_h == 1 ? 1 : cut.half;
    for (int32_t top = 0; top < w->out_h; top += 2 * half) {
        const band_t band = band_of(&run, layer->n_out, top, half, y);
        for (uint32_t c = 0; c < channels; c += cut.channels) {
            pair_rows(&run, top * w->stride_h - w->pad_top, plane_rows(w, band.rows), c);
            const int32_t *plane = run.planes;
            for (uint32_t i = 0; i < cut.channels; i++, plane += cut.plane_words) {
                for (uint32_t j = 0; j < multiplier; j++) {
                    run_channel(&run, layer, out, &band, plane, (c + i) * multiplier + j);
                }
            }
        }
    }
}
