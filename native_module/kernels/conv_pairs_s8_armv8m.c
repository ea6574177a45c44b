// A convolution on int8 with rewritten weights (dense_s8_armv8m.c), two pixels at a time.
//
// What two windows see is spread to halves of words once for all rows of weights, side by side: for each four columns
// x0 and x2 of the first window, of the second, x1 and x3 of the first, of the second. Four rows of weights times that
// are a loop without anything else in it (armv8m/pairs_s8.S). Weights are gone over once for each two pixels, which
// costs nothing where they are in RAM: there they were rewritten, or a band of rows is, in a copy, for all pixels.
#include <stddef.h>

#include "kernels/armv8m/rescale.h"
#include "kernels/conv_s8.h"
#include "kernels/pairs_s8.h"

#ifdef ANNE_REPACKS

// As armv8m/pairs_s8.S has them.
_Static_assert(offsetof(anne_pairs_job_t, pairs) == 4 && offsetof(anne_pairs_job_t, columns) == 8, "PAIRS, COLUMNS");
_Static_assert(offsetof(anne_pairs_job_t, fours) == 12 && offsetof(anne_pairs_job_t, starts) == 16, "FOURS, STARTS");
_Static_assert(offsetof(anne_pairs_job_t, bias) == 24 && offsetof(anne_pairs_job_t, factors) == 28, "BIAS, FACTORS");
_Static_assert(offsetof(anne_pairs_job_t, y) == 32 && offsetof(anne_pairs_job_t, offset) == 40, "Y, OFFSET");
_Static_assert(offsetof(anne_pairs_job_t, own) == 44, "BACK_AND_BOTH");

typedef struct {
    int32_t top, left;
    bool inside;    // with all taps
    int32_t origin; // number of the image with which it begins; 0 if not inside
} place_t;

typedef struct {
    const anne_conv_s8_t *layer;
    const anne_window_t *window;
    uint32_t channels; // of a group
    uint32_t n_in;     // of a group's window
    uint32_t columns;
    bool whole_words;        // runs have whole words and begin at such
    bool usual;              // nothing but a byte limits results, and no sum is shifted to the left
    bool good_inside;        // runs are those of a window inside the image, from its first number on
    uint32_t y_step;         // from pixel to pixel
    const uint32_t *weights; // of the rows at hand
    const int32_t *bias;
    const anne_rescale_t *factors;
    uint32_t rows;
    uint32_t n_runs;
    anne_run_t *runs;
    uint32_t *pairs; // what two windows see; columns
    int8_t *seen;    // of one window, unless whole_words
} work_t;

static bool usual(const anne_conv_s8_t *layer) {
    int32_t all = -1;
    for (uint32_t r = 0; r < layer->n_out * layer->groups; r++) {
        all &= layer->factors[r].shift;
    }
    return all < 0 && anne_whole_byte(layer->output);
}

static work_t work_of(const anne_conv_s8_t *layer, int32_t *scratch) {
    const anne_window_t *w = layer->window;
    const uint32_t channels = (uint32_t)w->channels / layer->groups;
    const uint32_t n_in = anne_conv_s8_n_in(layer), columns = anne_dense_s8_columns(n_in);
    int32_t *pairs = scratch + anne_conv_s8_run_words(layer);
    return (work_t){
        .layer = layer,
        .window = w,
        .channels = channels,
        .n_in = n_in,
        .columns = columns,
        .whole_words = channels % 4 == 0,
        .usual = usual(layer),
        .y_step = layer->n_out * layer->groups,
        .runs = (anne_run_t *)(void *)scratch,
        .pairs = (uint32_t *)pairs,
        .seen = (int8_t *)(pairs + columns),
    };
}

// --- What windows see -----------------------------------------------------------------------------------------------

static place_t place_of(const anne_window_t *w, uint32_t pixel) {
    const uint32_t width = (uint32_t)w->out_w, row = pixel / width;
    place_t place = {
        .top = (int32_t)row * w->stride_h - w->pad_top,
        .left = (int32_t)(pixel - row * width) * w->stride_w - w->pad_left,
    };
    place.inside = anne_window_inside(w, place.top, place.left);
    place.origin = place.inside ? (place.top * w->in_w + place.left) * w->channels : 0;
    return place;
}

// Runs of the window there, counted from its origin.
static void find_runs(work_t *work, const place_t *place) {
    if (place->inside && work->good_inside) {
        return;
    }
    const int32_t top = place->inside ? 0 : place->top, left = place->inside ? 0 : place->left;
    work->n_runs = anne_window_runs(work->window, work->channels, top, left, UINT32_MAX, work->runs);
    work->good_inside = place->inside;
}

static inline uint32_t word_at(const int8_t *x) {
    uint32_t word;
    memcpy(&word, __builtin_assume_aligned(x, 4), sizeof word);
    return word;
}

// n numbers from x on, n a multiple of 4, or the word `outside` as often if x is NULL, of one window: each second word
// of pairs. Returns sum + all of them.
static int32_t spread(const int8_t *x, uint32_t n, uint32_t outside, uint32_t *pairs, int32_t sum) {
    for (const uint32_t *end = pairs + n; pairs != end; pairs += 4) {
        const anne_spread_t both = anne_spread(x != NULL ? word_at(x) : outside);
        pairs[0] = both.even;
        pairs[2] = both.odd;
        sum = anne_spread_sum(both, sum);
        x += x != NULL ? 4 : 0;
    }
    return sum;
}

// One window, x being the group's part of the image; returns the sum of what it sees.
static int32_t see_one(work_t *work, const place_t *place, const int8_t *x, uint32_t *pairs) {
    const int8_t zero_point = (int8_t)work->layer->zero_point;
    find_runs(work, place);
    x += place->origin;
    if (!work->whole_words) {
        anne_gather(work->runs, work->n_runs, x, 1, zero_point, work->seen);
        memset(work->seen + work->n_in, 0, work->columns - work->n_in);
        return spread(work->seen, work->columns, 0, pairs, 0);
    }
    int32_t sum = 0;
    for (const anne_run_t *run = work->runs, *end = run + work->n_runs; run != end; run++) {
        const bool outside = run->at == ANNE_OUTSIDE;
        sum = spread(outside ? NULL : x + run->at, run->n, (uint8_t)zero_point * 0x01010101u, pairs, sum);
        pairs += run->n;
    }
    return sum;
}

// Two windows inside the image, where runs are whole words.
static void see_two(work_t *work, const place_t *places, const int8_t *x, int32_t *sums) {
    find_runs(work, places);
    int32_t first_sum = 0, second_sum = 0;
    uint32_t *pairs = work->pairs;
    for (const anne_run_t *run = work->runs, *last = run + work->n_runs; run != last; run++) {
        const int8_t *first = x + places[0].origin + run->at, *second = x + places[1].origin + run->at;
#pragma GCC unroll 2
        for (const int8_t *end = first + run->n; first != end; first += 4, second += 4, pairs += 4) {
            const anne_spread_t a = anne_spread(word_at(first)), b = anne_spread(word_at(second));
            pairs[0] = a.even;
            pairs[1] = b.even;
            pairs[2] = a.odd;
            pairs[3] = b.odd;
            first_sum = anne_spread_sum(a, first_sum);
            second_sum = anne_spread_sum(b, second_sum);
        }
    }
    sums[0] = first_sum;
    sums[1] = second_sum;
}

// Both windows to `pairs`; sums: of all that each sees.
static void see(work_t *work, const place_t *places, const int8_t *x, int32_t *sums) {
    if (work->whole_words && places[0].inside && places[1].inside) {
        see_two(work, places, x, sums);
    } else {
        sums[0] = see_one(work, &places[0], x, work->pairs);
        sums[1] = see_one(work, &places[1], x, work->pairs + 1);
    }
}

// --- Sums -----------------------------------------------------------------------------------------------------------

// A and B of rows 0 and 1, then of rows 2 and 3.
typedef struct {
    uint32_t a01, b01, a23, b23;
} quad_t;

static inline quad_t begun(const int32_t *bias, uint32_t start) {
    const uint32_t b0 = (uint32_t)bias[0], b1 = (uint32_t)bias[1], b2 = (uint32_t)bias[2], b3 = (uint32_t)bias[3];
    return (quad_t){b0 + (b1 << 8) + start, b1, b2 + (b3 << 8) + start, b3};
}

static inline void decode(const quad_t *quad, int32_t *sums) {
    sums[0] = (int32_t)(quad->a01 - (quad->b01 << 8));
    sums[1] = (int32_t)quad->b01;
    sums[2] = (int32_t)(quad->a23 - (quad->b23 << 8));
    sums[3] = (int32_t)quad->b23;
}

// Rows 4 i to 4 i + 3 of all panels.
static inline void sum_four(const work_t *work, uint32_t i, quad_t *quads) {
    const uint32_t fours = (work->rows + 3) / 4, *weights = work->weights, *pairs = work->pairs;
    for (uint32_t left = work->columns, columns; left > 0; left -= columns) {
        columns = left < ANNE_DENSE_S8_PANEL ? left : ANNE_DENSE_S8_PANEL;
        const anne_pairs_four_t four = anne_pairs_four(weights, i, work->rows, columns);
        (four.alternates ? anne_pairs_s8_sums_16 : anne_pairs_s8_sums_8)(four.weights, pairs, columns, &quads[0].a01);
        weights += fours * columns;
        pairs += columns;
    }
}

// n rows from `row` on, up to four, of one or two pixels.
static void finish(const work_t *work, const quad_t *quads, uint32_t row, uint32_t n, uint32_t pixels, int8_t *y) {
    const anne_byte_t byte = anne_byte_of(work->layer->output);
    for (uint32_t pixel = 0; pixel < pixels; pixel++, y += work->y_step) {
        int32_t sums[4];
        decode(&quads[pixel], sums);
        for (uint32_t r = 0; r < n; r++) {
            y[row + r] = (int8_t)anne_requantize_byte(sums[r], &work->factors[row + r], &byte, false);
        }
    }
}

// Rows by fours, those that alternate and then the last; returns how many rows.
static uint32_t run_usual(const work_t *work, const uint32_t *starts, int8_t *y) {
    const uint32_t fours = work->rows / 4, alternate = (work->rows + 3) / 8 * 2;
    anne_pairs_job_t job = {
        .weights = work->weights,
        .pairs = work->pairs,
        .columns = work->columns,
        .fours = fours < alternate ? fours : alternate,
        .starts = {starts[0], starts[1]},
        .bias = work->bias,
        .factors = work->factors,
        .y = {y, y + work->y_step},
        .offset = 2 * work->layer->output->zero_point + 1,
    };
    if (job.fours > 0) {
        anne_pairs_s8_results_16(&job);
    }
    if (fours > alternate) {
        job.fours = 1;
        anne_pairs_s8_results_8(&job);
    }
    return 4 * fours;
}

// All rows of one or two pixels. sums: of what each sees.
static void run_rows(const work_t *work, const int32_t *sums, uint32_t pixels, int8_t *y) {
    const uint32_t starts[2] = {0u - 128 * (uint32_t)sums[0], 0u - 128 * (uint32_t)sums[1]};
    const bool quick = pixels == 2 && work->usual && work->columns <= ANNE_DENSE_S8_PANEL;
    uint32_t row = quick ? run_usual(work, starts, y) : 0;
    for (uint32_t n; row < work->rows; row += n) {
        int32_t bias[4] = {0}; // of four, some of which may be nobody's
        n = work->rows - row < 4 ? work->rows - row : 4;
        for (uint32_t i = 0; i < n; i++) {
            bias[i] = work->bias[row + i];
        }
        quad_t quads[2] = {begun(bias, starts[0]), begun(bias, starts[1])};
        sum_four(work, row / 4, quads);
        finish(work, quads, row, n, pixels, y);
    }
}

// --- All pixels -----------------------------------------------------------------------------------------------------

// Of a group its rows `first` to first + n - 1, the weights of which are rewritten.
static void run_band(work_t *work, uint32_t group, uint32_t first, uint32_t n, const uint32_t *weights, const int8_t *x,
                     int8_t *y) {
    const anne_conv_s8_t *layer = work->layer;
    const uint32_t row = group * layer->n_out + first, count = (uint32_t)(work->window->out_h * work->window->out_w);
    work->weights = weights;
    work->rows = n;
    work->bias = layer->bias + row;
    work->factors = layer->factors + row;
    x += group * work->channels;
    y += row;
    for (uint32_t pixel = 0, pixels; pixel < count; pixel += pixels, y += pixels * work->y_step) {
        pixels = count - pixel > 1 ? 2 : 1;
        const place_t places[2] = {place_of(work->window, pixel), place_of(work->window, pixel + pixels - 1)};
        int32_t sums[2];
        see(work, places, x, sums);
        run_rows(work, sums, pixels, y);
    }
}

void anne_conv_s8_repacked(const anne_conv_s8_t *layer, const int8_t *x, int32_t *scratch, int8_t *y) {
    work_t work = work_of(layer, scratch);
    const uint32_t *weights = layer->weights;
    for (uint32_t group = 0; group < layer->groups; group++) {
        run_band(&work, group, 0, layer->n_out, weights, x, y);
        weights += anne_dense_s8_words(work.n_in, layer->n_out);
    }
}

// Rows `first` to first + n - 1 of a group's weights as packed, first being a multiple of 8.
static void copy_rows(const uint32_t *weights, uint32_t n_in, uint32_t n_out, uint32_t first, uint32_t n,
                      uint32_t *copy) {
    for (uint32_t left = anne_dense_s8_columns(n_in), columns; left > 0; left -= columns) {
        columns = left < ANNE_DENSE_S8_PANEL ? left : ANNE_DENSE_S8_PANEL;
        const uint32_t words = (n + 3) / 4 * columns;
        memcpy(copy, weights + first / 4 * columns, words * sizeof *copy);
        copy += words;
        weights += (n_out + 3) / 4 * columns;
    }
}

void anne_conv_s8_copied(const anne_conv_s8_t *layer, const int8_t *x, int32_t *scratch, int8_t *y) {
    work_t work = work_of(layer, scratch);
    const uint32_t n_in = work.n_in, n_out = layer->n_out, band = anne_conv_s8_band(layer);
    const uint32_t *weights = layer->weights;
    uint32_t *copy = (uint32_t *)(scratch + anne_conv_s8_repacked_scratch(layer));
    for (uint32_t group = 0; group < layer->groups; group++, weights += anne_dense_s8_words(n_in, n_out)) {
        for (uint32_t first = 0, n; first < n_out; first += n) {
            n = n_out - first < band ? n_out - first : band;
            copy_rows(weights, n_in, n_out, first, n, copy);
            anne_dense_s8_repack(copy, n_in, n, false);
            run_band(&work, group, first, n, copy, x, y);
        }
    }
}

#endif
