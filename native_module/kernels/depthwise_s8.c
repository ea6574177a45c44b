// Two output pixels of a channel lie in one word, x = a + 2^16 b, so that one product with a weight serves both. They
// are half a band of rows apart (in an image of one output row, half that row), so each value of the input is paired
// once, in `planes` of one channel each, with the zero point around them: loops know no borders. depthwise_pairs.c says
// what is done with pairs. Of odd rows or columns the middle one is in both lanes.
//
// Two neighbouring pairs are summed at once, and what is left over of a row by itself. So a narrow image of odd rows,
// as 25x5, is turned on its side, and pairs are half of the longer side apart.
//
// Large images are cut into bands, so that planes and sums take at most 8 KB; weights come from the file once a band.
#include "kernels/depthwise_s8.h"

#include <string.h>

#include "kernels/depthwise_pairs.h"

// --- How a layer is cut ---------------------------------------------------------------------------------------------

// Bands of output rows: the lanes of a pair are half of these apart, or half of the columns.
typedef struct {
    bool turned;       // rows and columns have changed places
    bool of_columns;   // pairs of columns: all is one band then
    int32_t rows;      // of pairs, the most in a band
    int32_t columns;   // windows in a row of pairs
    int32_t plane_w;   // pairs in a row of a plane
    uint32_t channels; // that are paired at once: 4, or 1
    uint32_t plane_words;
    uint32_t sum_words;
    uint32_t segments; // the most that a channel has
} cut_t;

#define MOST_WORDS    2048 // of planes and sums, where bands can be made so small
#define MOST_SEGMENTS (ANNE_STREAM_END / 16 - 1)
#define MOST_BLOCKS   5 // along an axis: before the image in both lanes, in one, in none, behind it likewise
#define NARROW        8 // columns; wider images lose little by the last windows of their rows

// Rows of a plane for so many of the output.
static uint32_t plane_rows(const anne_window_t *w, uint32_t rows) {
    return (rows - 1) * (uint32_t)w->stride_h + (uint32_t)((w->kernel_h - 1) * w->dilation_h) + 1;
}

// Takes the most rows that there is room for with `channels` at once; false if that is none, or if they are not enough.
static bool cut_rows(const anne_window_t *w, cut_t *cut, uint32_t channels) {
    uint32_t rows = 1, most = cut->of_columns ? (uint32_t)w->out_h : (uint32_t)(w->out_h + 1) / 2;
    uint32_t row_words = (uint32_t)cut->plane_w * channels, sums = 2 * (uint32_t)cut->columns; // of a row of windows
    uint32_t fixed = plane_rows(w, 1) * row_words + sums;
    if (fixed > MOST_WORDS) {
        return false;
    }
    rows += (MOST_WORDS - fixed) / ((uint32_t)w->stride_h * row_words + sums); // at most 2^15 2^11 4 + 2^12
    rows = rows < most ? rows : most;
    cut->channels = channels;
    cut->rows = (int32_t)rows;
    cut->plane_words = plane_rows(w, rows) * (uint32_t)cut->plane_w;
    cut->sum_words = rows * sums;
    return rows == most || !cut->of_columns;
}

// Whether a layer can be cut; else the windows are too large, or spread.
static bool cut_of(const anne_window_t *w, cut_t *cut) {
    uint64_t segments = 2 * (uint64_t)w->kernel_h * (((uint32_t)w->kernel_w + 2) / 3);
    cut->columns = cut->of_columns ? (w->out_w + 1) / 2 : w->out_w;
    if (w->dilation_w != 1 || segments > MOST_SEGMENTS || cut->columns > MOST_WORDS || w->stride_w > MOST_WORDS) {
        return false;
    }
    cut->segments = (uint32_t)segments;
    cut->plane_w = (cut->columns - 1) * w->stride_w + w->kernel_w; // below 2^23
    if (cut->plane_w > MOST_WORDS || plane_rows(w, 1) > MOST_WORDS) {
        return false;
    }
    return (w->channels % 4 == 0 && cut_rows(w, cut, 4)) || cut_rows(w, cut, 1);
}

// An image of one column that is seen through windows of one is a signal; or one that is narrow.
static bool lies_better(const anne_window_t *w) {
    bool is_signal = w->in_w == 1 && w->out_w == 1 && w->kernel_w == 1;
    bool is_narrow = w->out_w < NARROW && w->out_w % 2 == 1 && w->out_h >= 2 * w->out_w && w->stride_h <= 2;
    return is_signal || (is_narrow && w->kernel_h == 3 && w->kernel_w == 3 && w->dilation_w == 1);
}

// How to cut the layer, and in *w its window as it lies then; false if that cannot be.
static bool lay_and_cut(const anne_window_t *window, anne_window_t *w, cut_t *cut) {
    if (lies_better(window)) {
        *w = (anne_window_t){window->in_w,     window->in_h,       window->channels,   window->out_w,
                             window->out_h,    window->kernel_w,   window->kernel_h,   window->stride_w,
                             window->stride_h, window->dilation_w, window->dilation_h, window->pad_left,
                             window->pad_top};
        cut->turned = cut->of_columns = true;
        if (cut_of(w, cut)) {
            return true;
        }
    }
    *w = *window;
    cut->turned = false, cut->of_columns = w->out_h == 1;
    return cut_of(w, cut);
}

uint32_t anne_depthwise_s8_scratch(const anne_window_t *window) {
    anne_window_t w;
    cut_t cut;
    if (!lay_and_cut(window, &w, &cut)) {
        return 0;
    }
    return 1 + cut.plane_words * cut.channels + cut.sum_words + 4 * cut.segments + ANNE_STREAM_END / 4 - 1;
}

// --- Planes ---------------------------------------------------------------------------------------------------------

// A layer while it runs.
typedef struct {
    const anne_window_t *window;
    cut_t cut;
    const int8_t *x;
    uint32_t column_bytes; // from a pixel of x to that of the next column, and of the next row
    uint32_t row_bytes;
    int32_t rows_apart; // in the input, between the lanes of a pair
    int32_t columns_apart;
    void (*pair)(const anne_pairing_t *pairing);
    int32_t *zero; // four zero points in a word
    int32_t *planes;
    int32_t *sums;
    int32_t *stream_end;
    uint32_t taps;
    bool one_band;
    uint32_t unsplit;  // segments of a channel without large weights
    bool three;        // segments, each of three taps
    uint32_t n_blocks; // of a band
    anne_pairing_t blocks[MOST_BLOCKS];
    anne_windows_t windows; // of a band and a plane
    anne_finish_t finish;
    int8_t *y; // of a band's first pixel
} run_t;

static inline bool within(int32_t at, int32_t size) {
    return (uint32_t)at < (uint32_t)size;
}

// How many rows or columns from this one on are outside the image, or inside, as it is; `most` at the most.
static int32_t alike(int32_t at, int32_t size, int32_t most) {
    int32_t n = at < 0 ? -at : at < size ? size - at : most;
    return n < most ? n : most;
}

// A lane of a block from this pixel on, for the first channel: its value, the step to the next, and behind a row;
// outside the image the zero point.
static const int8_t *lane(const run_t *run, int32_t row, int32_t column, uint32_t n, uint32_t *step, int32_t *skip) {
    if (!within(row, run->window->in_h) || !within(column, run->window->in_w)) {
        *step = 0, *skip = 0;
        return (const int8_t *)run->zero;
    }
    *step = run->column_bytes;
    *skip = (int32_t)(run->row_bytes - n * run->column_bytes);
    return run->x + (uint32_t)row * run->row_bytes + (uint32_t)column * run->column_bytes;
}

// The blocks of so many rows of pairs, the first of which begins at these rows of the image: each has both its lanes
// inside, or beside it, as a whole. What is beside it in both is there, unless other bands wrote over it.
static void find_row_blocks(run_t *run, int32_t row, int32_t upper, uint32_t rows, int32_t *pairs) {
    const anne_window_t *w = run->window;
    int32_t column = -w->pad_left, last = column + run->cut.plane_w, n;
    bool in_rows = within(row, w->in_h) || within(upper, w->in_h) || !run->one_band;
    for (; column < last; column += n, pairs += n) {
        int32_t right = column + run->columns_apart;
        n = alike(right, w->in_w, alike(column, w->in_w, last - column));
        if (in_rows && (within(column, w->in_w) || within(right, w->in_w))) {
            anne_pairing_t *block = &run->blocks[run->n_blocks++];
            block->pairs = pairs, block->n = (uint32_t)n, block->rows = rows;
            block->plane_words = run->cut.plane_words;
            block->row_skip = (uint32_t)(run->cut.plane_w - n);
            block->a = lane(run, row, column, block->n, &block->a_step, &block->a_skip);
            block->b = lane(run, upper, right, block->n, &block->b_step, &block->b_skip);
        }
    }
}

static void find_blocks(run_t *run, int32_t row, int32_t rows) {
    int32_t *pairs = run->planes, n;
    run->n_blocks = 0;
    for (int32_t end = row + rows; row < end; row += n, pairs += n * run->cut.plane_w) {
        int32_t upper = row + run->rows_apart;
        n = alike(upper, run->window->in_h, alike(row, run->window->in_h, end - row));
        find_row_blocks(run, row, upper, (uint32_t)n, pairs);
    }
}

// Fills the planes, and moves the blocks to the next channels.
static void fill_planes(run_t *run) {
    uint32_t channels = run->cut.channels;
    for (anne_pairing_t *block = run->blocks; block < run->blocks + run->n_blocks; block++) {
        run->pair(block);
        block->a += block->a_step > 0 ? channels : 0;
        block->b += block->b_step > 0 ? channels : 0;
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

// Three segments of three taps each, from `at` on downwards; returns how they are summed. A magnitude less 1 where w <
// 0 is at most 127, so 3 more for three are enough; two that have the most might both be -128.
static __attribute__((noinline)) anne_way_t put_three(const int8_t *weights, int32_t *at) {
    int32_t most = 0;
    for (const int8_t *end = weights + 9; weights < end; weights += 3, at -= 4) {
        int32_t w0 = weights[0], w1 = weights[1], w2 = weights[2];
        at[1] = w0, at[2] = w1, at[3] = w2;
        w0 = (w0 ^ w0 >> 31) + (w1 ^ w1 >> 31);
        if (w0 == 254) {
            return ANNE_ANY_1;
        }
        w0 += w2 ^ w2 >> 31;
        most = w0 > most ? w0 : most;
    }
    return most <= 252 ? ANNE_WHOLE_1 : ANNE_PARTED_1;
}

// Puts a channel's weights into the stream, and says how its windows are summed.
static void put_stream(run_t *run, const int8_t *weights) {
    int32_t *first = run->stream_end - 4 * run->unsplit;
    anne_windows_t *windows = &run->windows;
    windows->way = run->three ? put_three(weights, run->stream_end - 4) : ANNE_ANY_1;
    windows->stream = first;
    if (windows->way == ANNE_ANY_1) {
        windows->stream = put_weights(weights, run->window->kernel_w, run->stream_end, first);
        windows->way = run->window->stride_w == 2 ? ANNE_ANY_2 : ANNE_ANY_1;
    }
}

// --- The layer ------------------------------------------------------------------------------------------------------

// Sums the windows of a channel.
static void sum_plane(run_t *run) {
    const anne_windows_t *windows = &run->windows;
    uint32_t apart = windows->step / 2;
    if (apart <= 8) {
        anne_sum_windows(windows);
        return;
    }
    // farther apart: each window for itself, a row of one column
    anne_windows_t one = *windows;
    uint32_t columns = (uint32_t)run->cut.columns;
    one.odd = 1, one.rows = columns, one.row_bytes = one.skip = apart;
    for (uint32_t rows = windows->rows; rows > 0; rows--, one.row += windows->row_bytes, one.sums += 2 * columns) {
        one.row_end = one.row;
        anne_sum_windows(&one);
    }
}

// Nine taps of a window of three rows, row by row, become those column by column.
static void turn(const int8_t *weights, int8_t *turned) {
    for (uint32_t i = 0; i < 3; i++, weights++, turned += 3) {
        turned[0] = weights[0], turned[1] = weights[3], turned[2] = weights[6];
    }
}

static void run_channel(run_t *run, const anne_depthwise_t *layer, const anne_rescale_t *factors, uint32_t channel) {
    const int8_t *weights = (const int8_t *)layer->weights + channel * run->taps;
    int8_t turned[9];
    if (run->cut.turned && run->window->kernel_h == 3) {
        turn(weights, turned);
        weights = turned;
    }
    anne_finish_t *finish = &run->finish;
    finish->factor = &factors[channel];
    anne_finish_prepare(finish);
    finish->bias = ((const int32_t *)layer->bias)[channel] - finish->least_sum;
    put_stream(run, weights);
    sum_plane(run);
    anne_finish_pairs(finish, run->sums, run->y + channel);
}

// Begins a band of so many rows of the output; `from_plane` is as in the first one.
static void begin_band(run_t *run, uint32_t rows) {
    uint32_t of_pairs = run->cut.of_columns ? rows : (rows + 1) / 2;
    run->windows.rows = of_pairs;
    if (!run->cut.of_columns) {
        anne_finish_t *finish = &run->finish;
        uint32_t apart = rows - of_pairs, columns = (uint32_t)run->cut.columns;
        run->rows_apart = (int32_t)apart * run->window->stride_h;
        finish->second = apart * columns * finish->step;
        finish->row_bytes = of_pairs * columns * 8; // all are one row
    }
}

// Pairs of columns: by rows.
static void finish_by_rows(run_t *run, uint32_t n_out) {
    const anne_window_t *w = run->window;
    anne_finish_t *finish = &run->finish;
    uint32_t columns = (uint32_t)run->cut.columns, apart = (uint32_t)w->out_w - columns;
    run->columns_apart = (int32_t)apart * w->stride_w;
    finish->step = run->cut.turned ? (uint32_t)w->out_h * n_out : n_out;
    finish->second = apart * finish->step;
    finish->row_bytes = columns * 8;
    finish->rows = (uint32_t)w->out_h;
    finish->row_skip = (int32_t)((run->cut.turned ? n_out : (uint32_t)w->out_w * n_out) - columns * finish->step);
}

static anne_windows_t windows_of(const run_t *run) {
    const anne_window_t *w = run->window;
    uint32_t apart = 4 * (uint32_t)w->stride_w, columns = (uint32_t)run->cut.columns;
    uint32_t row_bytes = 4 * (uint32_t)(w->stride_h * run->cut.plane_w), twos = columns / 2 * 2 * apart;
    return (anne_windows_t){
        .sums = run->sums, .step = 2 * apart, .row_bytes = row_bytes, .odd = columns % 2, .skip = row_bytes - twos};
}

static void begin(run_t *run, const anne_depthwise_output_t *out, uint32_t n_out, int32_t zero_point,
                  int32_t *scratch) {
    const anne_window_t *w = run->window;
    const cut_t *cut = &run->cut;
    run->taps = (uint32_t)w->kernel_h * (uint32_t)w->kernel_w;
    run->column_bytes = (uint32_t)(cut->turned ? w->in_h * w->channels : w->channels);
    run->row_bytes = (uint32_t)(cut->turned ? w->channels : w->in_w * w->channels);
    run->pair = cut->channels == 4 ? anne_pair_four : anne_pair_one;
    run->zero = scratch, run->planes = scratch + 1;
    run->sums = run->planes + cut->plane_words * cut->channels; // where segments of fewer taps look, too, for nothing
    uintptr_t end = (uintptr_t)(run->sums + cut->sum_words + 4 * cut->segments) + ANNE_STREAM_END - 1;
    run->stream_end = (int32_t *)(end / ANNE_STREAM_END * ANNE_STREAM_END);
    run->unsplit = put_offsets(run);
    run->three = run->unsplit == 3 && w->kernel_w % 3 == 0 && w->stride_w == 1;
    memset(run->zero, zero_point, sizeof *run->zero);
    int32_t pair = anne_pair(zero_point, zero_point); // beside the image
    for (int32_t *at = run->planes; at < run->sums; at++) {
        *at = pair;
    }
    run->windows = windows_of(run);
    run->finish = (anne_finish_t){
        .step = n_out, .least = out->output.least, .most = out->output.most, .output = &out->output, .rows = 1};
    if (cut->of_columns) {
        finish_by_rows(run, n_out);
    }
}

// The channels of a band, its planes one after another.
static void run_band(run_t *run, const anne_depthwise_t *layer, const anne_rescale_t *factors, int32_t top) {
    const anne_window_t *w = run->window;
    anne_windows_t *windows = &run->windows;
    uint32_t columns = (uint32_t)run->cut.columns, multiplier = layer->n_out / (uint32_t)w->channels;
    uint32_t twos = columns / 2 * windows->step;
    find_blocks(run, top * w->stride_h - w->pad_top, (int32_t)plane_rows(w, windows->rows));
    for (uint32_t o = 0, c = 0; c < (uint32_t)w->channels; c += run->cut.channels) {
        fill_planes(run);
        windows->row = (const uint8_t *)(const void *)run->planes;
        for (uint32_t i = 0; i < run->cut.channels; i++, windows->row += 4 * run->cut.plane_words) {
            windows->row_end = windows->row + twos;
            for (uint32_t j = 0; j < multiplier; j++, o++) {
                run_channel(run, layer, factors, o);
            }
        }
    }
}

void anne_depthwise_s8_pairs(const anne_depthwise_t *layer, const anne_depthwise_output_t *out, int32_t zero_point_in,
                             const int8_t *x, int32_t *scratch, int8_t *y) {
    anne_window_t w;
    run_t run = {.window = &w, .x = x};
    lay_and_cut(layer->window, &w, &run.cut);
    begin(&run, out, layer->n_out, zero_point_in, scratch);
    int32_t most = run.cut.of_columns ? w.out_h : 2 * run.cut.rows, left = w.out_h;
    run.one_band = most >= w.out_h;
    for (int32_t top = 0; top < w.out_h; top += most, left -= most) {
        begin_band(&run, (uint32_t)(left < most ? left : most));
        run.y = y + (uint32_t)(top * w.out_w) * layer->n_out;
        run_band(&run, layer, out->factors, top);
    }
}
