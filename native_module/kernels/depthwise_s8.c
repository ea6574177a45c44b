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
static uint32_t plane_rows(const anne_window_t *w, uint32_t rows) {
    return (rows - 1) * (uint32_t)w->stride_h + (uint32_t)((w->kernel_h - 1) * w->dilation_h) + 1;
}

// Takes the most rows that there is room for with `channels` at once; false if that is none.
static bool cut_rows(const anne_window_t *w, cut_t *cut, uint32_t channels) {
    bool in_one_row = w->out_h == 1;
    uint32_t rows = 1, most = in_one_row ? 1 : (uint32_t)(w->out_h + 1) / 2;
    uint32_t row_words = (uint32_t)cut->plane_w * channels, sums = 2 * (uint32_t)cut->columns; // of a row of windows
    uint32_t fixed = plane_rows(w, 1) * row_words + sums + (uint32_t)w->stride_w + 6;
    if (fixed > MOST_WORDS) {
        return false;
    }
    rows += (MOST_WORDS - fixed) / ((uint32_t)w->stride_h * row_words + sums); // at most 2^15 2^11 4 + 2^12
    rows = rows < most ? rows : most;
    cut->channels = channels;
    cut->half = in_one_row ? cut->columns : (int32_t)rows;
    cut->columns_apart = in_one_row ? cut->half * w->stride_w : 0;
    cut->plane_words = plane_rows(w, rows) * (uint32_t)cut->plane_w;
    cut->sum_words = rows * sums + 2;
    return true;
}

// Whether a layer can be cut; else the windows are too large, or spread.
static bool cut_of(const anne_window_t *w, cut_t *cut) {
    uint64_t segments = 2 * (uint64_t)w->kernel_h * (((uint32_t)w->kernel_w + 2) / 3);
    cut->columns = w->out_h == 1 ? (w->out_w + 1) / 2 : w->out_w;
    if (w->dilation_w != 1 || segments > MOST_SEGMENTS || cut->columns > MOST_WORDS || w->stride_w > MOST_WORDS) {
        return false;
    }
    cut->segments = (uint32_t)segments;
    cut->plane_w = (cut->columns - 1) * w->stride_w + w->kernel_w; // below 2^23
    cut->rows_apart = 0;
    if (cut->plane_w > MOST_WORDS || plane_rows(w, 1) > MOST_WORDS) {
        return false;
    }
    return (w->channels % 4 == 0 && cut_rows(w, cut, 4)) || cut_rows(w, cut, 1);
}

// An image of one column that is seen through windows of one is a signal.
static anne_window_t lying(const anne_window_t *window) {
    anne_window_t w = *window;
    if (w.in_w == 1 && w.out_w == 1 && w.kernel_w == 1) {
        w.in_w = w.in_h, w.out_w = w.out_h, w.kernel_w = w.kernel_h, w.stride_w = w.stride_h;
        w.dilation_w = w.dilation_h, w.pad_left = w.pad_top;
        w.in_h = w.out_h = w.kernel_h = w.stride_h = w.dilation_h = 1, w.pad_top = 0;
    }
    return w;
}

uint32_t anne_depthwise_s8_scratch(const anne_window_t *window) {
    const anne_window_t w = lying(window);
    cut_t cut;
    if (!cut_of(&w, &cut)) {
        return 0;
    }
    uint32_t planes = cut.plane_words * cut.channels + (uint32_t)w.stride_w + 4;
    return 1 + planes + cut.sum_words + 2 + 4 * cut.segments + ANNE_STREAM_END / 4 - 1;
}

// --- Planes ---------------------------------------------------------------------------------------------------------

// A layer while it runs.
typedef struct {
    const anne_window_t *window;
    cut_t cut;
    const int8_t *x;
    void (*pair)(const anne_pairing_t *pairing);
    int32_t *zero; // four zero points in a word
    int32_t *planes;
    int32_t *sums;
    int32_t *stream_end;
    uint32_t unsplit;       // segments of a channel without large weights
    anne_windows_t windows; // of the first plane, and of a band
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

// Rows of all planes that are pairs of columns.
static void pair_halves(const run_t *run, int32_t row, int32_t rows, uint32_t channel) {
    const anne_window_t *w = run->window;
    anne_pairing_t pairing = {.pairs = run->planes, .plane_words = run->cut.plane_words};
    for (; rows > 0; rows--, row++) {
        int32_t column = -w->pad_left, last = column + run->cut.plane_w, apart = run->cut.columns_apart;
        for (; column < last; column += (int32_t)pairing.n, pairing.pairs += pairing.n) {
            pairing.a = lane(run, row, column, channel, &pairing.a_step);
            pairing.b = lane(run, row, column + apart, channel, &pairing.b_step);
            pairing.n = (uint32_t)alike(w, column + apart, alike(w, column, last - column));
            run->pair(&pairing);
        }
    }
}

// Rows of all planes that are pairs of rows: what is beside the image stays.
static void pair_whole_rows(const run_t *run, int32_t row, int32_t rows, uint32_t channel) {
    const anne_window_t *w = run->window;
    int32_t plane_w = run->cut.plane_w, first = w->pad_left, last = w->pad_left + w->in_w;
    last = last < plane_w ? last : plane_w;
    if (first >= last) {
        return;
    }
    anne_pairing_t pairing = {.pairs = run->planes + first, .n = (uint32_t)(last - first)};
    pairing.plane_words = run->cut.plane_words;
    for (; rows > 0; rows--, row++, pairing.pairs += plane_w) {
        pairing.a = lane(run, row, 0, channel, &pairing.a_step);
        pairing.b = lane(run, row + run->cut.rows_apart, 0, channel, &pairing.b_step);
        run->pair(&pairing);
    }
}

// --- A channel ------------------------------------------------------------------------------------------------------

static inline int32_t magnitude(int32_t w) {
    return (w ^ w >> 31) - (w >> 31);
}

// Writes where the segments of each channel are, from the stream's end on backwards; returns how many there are.
static uint32_t put_offsets(const run_t *run) {
    const anne_window_t *w = run->window;
    int32_t *at = run->stream_end, row_bytes = 4 * w->dilation_h * run->cut.plane_w;
    for (int32_t i = 0; i < w->kernel_h; i++) {
        for (int32_t j = 0; j < w->kernel_w; j += 3) {
            at -= 4;
            at[0] = i * row_bytes + 4 * j;
        }
    }
    return (uint32_t)(run->stream_end - at) / 4;
}

// Writes the weights of a channel into its segments, and before these what is split off; returns the first. By itself,
// so that all has room in the few registers.
static __attribute__((noinline)) int32_t *put_weights(const int8_t *weights, int32_t kernel_w, int32_t *at,
                                                      int32_t *first) {
    const int32_t *last = first;
    while (at > last) {
        for (int32_t left = kernel_w; left > 0; left -= 3) {
            int32_t w0 = *weights++, w1 = left > 1 ? *weights++ : 0, w2 = left > 2 ? *weights++ : 0;
            at -= 4;
            if (magnitude(w0) + magnitude(w1) + magnitude(w2) > 255) {
                int32_t t = w0 / 2;
                first -= 4;
                first[0] = at[0], first[1] = t, first[2] = 0, first[3] = w2;
                w0 -= t, w2 = 0;
            }
            at[1] = w0, at[2] = w1, at[3] = w2;
        }
    }
    return first;
}

// Three segments of three taps each, in the stream; returns how they are summed, or ANNE_ANY_1 if that is no way.
static anne_way_t put_three(const int8_t *weights, int32_t *at) {
    int32_t two_most = 0, three_most = 0;
    for (const int8_t *end = weights + 9; weights < end; weights += 3, at -= 4) {
        int32_t w0 = weights[0], w1 = weights[1], w2 = weights[2];
        at[1] = w0, at[2] = w1, at[3] = w2;
        int32_t two = magnitude(w0) + magnitude(w1), three = two + magnitude(w2);
        two_most = two > two_most ? two : two_most;
        three_most = three > three_most ? three : three_most;
    }
    return three_most <= 255 ? ANNE_WHOLE_1 : two_most <= 255 ? ANNE_PARTED_1 : ANNE_ANY_1;
}

// Puts a channel's weights into the stream; how its windows are summed where they are one pair apart.
static anne_way_t put_stream(run_t *run, const int8_t *weights) {
    int32_t *first = run->stream_end - 4 * run->unsplit;
    anne_way_t way = ANNE_ANY_1;
    run->windows.stream = first;
    if (run->unsplit == 3 && run->window->kernel_w % 3 == 0) {
        way = put_three(weights, run->stream_end - 4);
    }
    if (way == ANNE_ANY_1) {
        run->windows.stream = put_weights(weights, run->window->kernel_w, run->stream_end, first);
    }
    return way;
}

// --- The layer ------------------------------------------------------------------------------------------------------

// What the windows of lower lanes are like, in one row.
static anne_windows_t windows_of(const run_t *run) {
    const anne_window_t *w = run->window;
    uint32_t apart = 4 * (uint32_t)w->stride_w, columns = (uint32_t)run->cut.columns;
    uint32_t row_bytes = 4 * (uint32_t)(w->stride_h * run->cut.plane_w), step = 2 * apart;
    const uint8_t *row = (const uint8_t *)(const void *)run->planes;
    uint32_t twos = columns / 2 * step;
    return (anne_windows_t){NULL, run->sums, step, row + twos, row_bytes, 1, columns % 2, row_bytes - twos, row, 0};
}

// Sums the windows of a channel whose pairs begin so many bytes behind the first plane's; `way` as for one pair apart.
static void sum_plane(run_t *run, anne_way_t way, uint32_t behind) {
    anne_windows_t windows = run->windows;
    windows.row += behind, windows.row_end += behind;
    uint32_t apart = windows.step / 2;
    windows.way = way + (apart == 8);
    if (apart <= 8) {
        anne_sum_windows(&windows);
        return;
    }
    // farther apart: each window for itself, a row of one column
    uint32_t row_bytes = windows.row_bytes, rows = windows.rows, columns = (uint32_t)run->cut.columns;
    windows.odd = 1, windows.rows = columns, windows.row_bytes = windows.skip = apart;
    for (; rows > 0; rows--, windows.row += row_bytes, windows.sums += 2 * columns) {
        windows.row_end = windows.row;
        anne_sum_windows(&windows);
    }
}

// Where a band's results are: so many of lower lanes, and of upper ones, these `second` bytes behind.
typedef struct {
    int8_t *y;
    uint32_t lower;
    uint32_t upper;
    uint32_t second;
} band_t;

static void run_channel(run_t *run, const anne_depthwise_t *layer, const anne_depthwise_output_t *out,
                        const band_t *band, uint32_t plane, uint32_t channel) {
    uint32_t taps = (uint32_t)run->window->kernel_h * (uint32_t)run->window->kernel_w;
    anne_finish_t finish;
    finish.step = layer->n_out;
    finish.least = out->output.least, finish.most = out->output.most;
    finish.factor = &out->factors[channel], finish.output = &out->output;
    anne_finish_prepare(&finish);
    finish.bias = ((const int32_t *)layer->bias)[channel] - finish.least_sum;
    anne_way_t way = put_stream(run, (const int8_t *)layer->weights + (size_t)channel * taps);
    sum_plane(run, way, plane * run->cut.plane_words * 4);
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
    band_t band = {.y = y + (uint32_t)(top * row_pixels) * n_out};
    int32_t lower = run->cut.half;
    run->windows = windows_of(run);
    if (run->cut.columns_apart == 0) {
        run->windows.rows = (uint32_t)(rows + 1) / 2;
        run->cut.rows_apart = (rows + 1) / 2 * w->stride_h;
        lower = (rows + 1) / 2 * row_pixels;
    }
    band.lower = (uint32_t)lower, band.upper = (uint32_t)(pixels - lower), band.second = band.lower * n_out;
    return band;
}

static run_t run_of(const anne_window_t *w, const cut_t *cut, const int8_t *x, int32_t zero_point, int32_t *scratch) {
    run_t run = {.window = w, .cut = *cut, .x = x, .zero = scratch, .planes = scratch + 1};
    run.pair = cut->channels == 4 ? anne_pair_four : anne_pair_one;
    run.sums = run.planes + cut->plane_words * cut->channels + w->stride_w + 4;
    uintptr_t end = (uintptr_t)(run.sums + cut->sum_words + 2 + 4 * cut->segments) + ANNE_STREAM_END - 1;
    run.stream_end = (int32_t *)(end / ANNE_STREAM_END * ANNE_STREAM_END);
    run.unsplit = put_offsets(&run);
    memset(run.zero, zero_point, sizeof *run.zero);
    int32_t pair = zero_point * 0x10001; // beside the image
    for (int32_t *at = run.planes; at < run.sums; at++) {
        *at = pair;
    }
    return run;
}

void anne_depthwise_s8_pairs(const anne_depthwise_t *layer, const anne_depthwise_output_t *out, int32_t zero_point_in,
                             const int8_t *x, int32_t *scratch, int8_t *y) {
    const anne_window_t window = lying(layer->window), *w = &window;
    cut_t cut;
    cut_of(w, &cut);
    run_t run = run_of(w, &cut, x, zero_point_in, scratch);
    uint32_t channels = (uint32_t)w->channels, multiplier = layer->n_out / channels;
    int32_t half = w->out_h == 1 ? 1 : cut.half;
    for (int32_t top = 0; top < w->out_h; top += 2 * half) {
        const band_t band = band_of(&run, layer->n_out, top, half, y);
        for (uint32_t c = 0; c < channels; c += cut.channels) {
            (w->out_h == 1 ? pair_halves : pair_whole_rows)(&run, top * w->stride_h - w->pad_top,
                                                            (int32_t)plane_rows(w, run.windows.rows), c);
            for (uint32_t i = 0; i < cut.channels; i++) {
                for (uint32_t j = 0; j < multiplier; j++) {
                    run_channel(&run, layer, out, &band, i, (c + i) * multiplier + j);
                }
            }
        }
    }
}
