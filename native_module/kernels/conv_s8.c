// A convolution on int8, without a copy of what its window sees, nor of its weights.
//
// The image is taken in chunks of pixels: for each chunk all rows of weights, eight at a time, and for these all pixels
// of the chunk (conv_rows_s8.c). So eight rows are read from flash once a chunk: they lie in the RP2040's cache of 16
// KB from the chunk's first pixel to its last, if a window has no more than some 1,500 numbers. A word that the cache
// lacks costs 50 cycles, 12.5 a weight, so that a chunk of 128 pixels loses 0.1 cycles a multiply-accumulate, and an
// image of fewer pixels has each word once.
//
// What a pixel's window sees are the same runs as its neighbour's, a step further on, if both windows lie in the image
// with all their columns: those are one job. A table of runs is made anew only where the window's taps in the image
// are others; three tables do for most images: left, within, right.
//
// The sums of x, which take off the 128 that each weight has too much, are those of all rows, so they come first: for
// each column of the image its sum over the window's lines, of which the window's columns make one sum that slides.
#include "kernels/conv_s8.h"

#include <string.h>

#include "kernels/conv_rows_s8.h"
#include "kernels/conv_slide_s8.h"
#include "kernels/runs.h"

enum { CHUNK = 128, COLUMNS = 320 }; // words of sums
enum { CACHED_WORDS = 2048 };        // of weights, that lie in the cache from one chunk to the next
enum { GATHERED_BYTES = 1024 };      // of windows
enum { BY_BYTE = 24 };               // outputs, up to which numbers that are no whole words are read one by one
enum { LEFT, WITHIN, RIGHT, GATHERED, TABLES };

// The runs of windows with those taps in the image. They stand behind it in the scratch.
typedef struct {
    uint32_t n;
    uint32_t n_rows; // of weights, that it is entered for; 0 as long as there is nothing
    anne_taps_t rows, columns;
    uint32_t last_end; // which run is the end of the panel before the last, 0 if there is one panel
} table_t;

typedef struct {
    const anne_conv_s8_t *layer;
    const anne_window_t *window;
    uint32_t channels; // of a group
    uint32_t n_in;     // of a group's window
    uint32_t panels;
    uint32_t chunk;   // pixels
    uint32_t columns; // whose sums slide, 0 where each window is summed by itself
    uint32_t most_runs;
    bool whole_words;
    bool gathers;
    bool apart; // bias is not in the sums of a panel
    uint32_t largest_sum;
    int32_t first_within, end_within; // columns of the output whose windows are in the image with all their columns
    const int8_t *x;                  // of the group
    int8_t *y;                        // of the rows at hand
    int32_t *sums;                    // columns
    int32_t *starts;                  // for each pixel of the chunk, for each panel
    int8_t *outside;
    int8_t *seen;    // gathered: of each pixel of the chunk
    int32_t last_at; // last_end->at for the rows at hand
    int32_t *tables; // TABLES, or all but GATHERED
    int32_t bias[8]; // of the rows at hand
    anne_quad_s8_t added[2];
    anne_quick_t quick;
    anne_conv_rows_s8_t job;
} work_t;

static uint32_t least(uint32_t a, uint32_t b) {
    return a < b ? a : b;
}

// Pixels of a chunk: those of a line if all weights stay in the cache, for which tables are made anew least often.
static uint32_t chunk_of(const work_t *work) {
    const anne_window_t *w = work->window;
    uint32_t line = (uint32_t)w->out_w, pixels = line * (uint32_t)w->out_h;
    uint32_t chunk = work->panels < CHUNK ? CHUNK / work->panels : 1;
    uint64_t words = anne_dense_s8_words(work->n_in, work->layer->n_out) * work->layer->groups;
    if (work->gathers) {
        uint32_t most = GATHERED_BYTES / anne_dense_s8_columns(work->n_in);
        return most == 0 ? 1 : least(least(chunk, most), pixels);
    }
    return least(chunk, words <= CACHED_WORDS ? line : pixels);
}

static void set_sizes(work_t *work, const anne_conv_s8_t *layer) {
    const anne_window_t *w = layer->window;
    uint32_t channels = (uint32_t)w->channels / layer->groups, n_in = (uint32_t)(w->kernel_h * w->kernel_w) * channels;
    bool whole_words = w->channels % 4 == 0 && channels % 4 == 0;
    *work = (work_t){
        .layer = layer,
        .window = w,
        .channels = channels,
        .n_in = n_in,
        .panels = (n_in + ANNE_DENSE_S8_PANEL - 1) / ANNE_DENSE_S8_PANEL,
        .most_runs = anne_window_most_runs(w, channels, ANNE_DENSE_S8_PANEL),
        .gathers = !whole_words && layer->n_out > BY_BYTE,
        .whole_words = whole_words || layer->n_out > BY_BYTE,
    };
    work->chunk = chunk_of(work);
    uint32_t line = least(work->chunk, (uint32_t)w->out_w);
    uint32_t columns = (line - 1) * (uint32_t)w->stride_w + (uint32_t)w->kernel_w;
    bool slides = whole_words && work->panels == 1 && layer->groups == 1 && w->dilation_w == 1
                  && w->stride_w <= w->kernel_w && columns <= COLUMNS;
    work->columns = slides ? columns : 0;
}

static uint32_t outside_words(const work_t *work) {
    return (least(work->n_in, ANNE_DENSE_S8_PANEL) + 3) / 4;
}

static uint32_t tables(const work_t *work) {
    return work->gathers ? TABLES : GATHERED;
}

static uint32_t table_words(const work_t *work) {
    return (uint32_t)((sizeof(table_t) + work->most_runs * sizeof(anne_run_t)) / sizeof(int32_t));
}

static uint32_t gathered_words(const work_t *work) {
    return work->gathers ? work->chunk * anne_dense_s8_columns(work->n_in) / 4 : 0;
}

uint32_t anne_conv_s8_scratch(const anne_conv_s8_t *layer) {
    work_t work;
    set_sizes(&work, layer);
    return tables(&work) * table_words(&work) + outside_words(&work) + work.columns + work.chunk * work.panels
           + gathered_words(&work);
}

// --- Runs -----------------------------------------------------------------------------------------------------------

static table_t *at(const work_t *work, uint32_t which) {
    return (table_t *)(void *)(work->tables + which * table_words(work));
}

static anne_run_t *runs_of(const table_t *table) {
    return (anne_run_t *)(void *)(table + 1);
}

static bool same_taps(anne_taps_t a, anne_taps_t b) {
    return a.first == b.first && a.last == b.last;
}

// Of runs that count from number 0 of the image: from `base`; and how far the panels' weights lie apart.
static void finish_table(work_t *work, table_t *table, int32_t base) {
    uint32_t quads = (work->layer->n_out + 3) / 4, panel = 0;
    table->last_end = 0;
    for (anne_run_t *run = runs_of(table), *end = run + table->n; run != end; run++) {
        if (run->n > 0) {
            run->at -= run->at == ANNE_OUTSIDE ? 0 : base;
        } else if (++panel < work->panels) {
            run->at = (int32_t)(panel * ANNE_DENSE_S8_PANEL * quads * sizeof(uint32_t));
            table->last_end = (uint32_t)(run - runs_of(table));
        }
    }
    table->n_rows = work->job.rows;
    anne_conv_rows_s8_enter(&work->job, runs_of(table), table->n);
}

// Tables of different numbers of rows differ in how they are entered, which is one way up to four and one above.
static bool entered(const work_t *work, const table_t *table) {
    return table->n_rows > 0 && (table->n_rows <= 4) == (work->job.rows <= 4);
}

// The table of the windows whose first is there, and in *base the number of the image from which on it counts.
static table_t *table_of(work_t *work, uint32_t which, int32_t top, int32_t left, int32_t *base) {
    const anne_window_t *w = work->window;
    table_t *table = at(work, which);
    anne_taps_t rows = anne_taps(top, w->in_h, w->kernel_h, w->dilation_h);
    anne_taps_t columns = anne_taps(left, w->in_w, w->kernel_w, w->dilation_w);
    *base = 0;
    if (rows.first < rows.last && columns.first < columns.last) {
        int32_t row = top + rows.first * w->dilation_h, column = left + columns.first * w->dilation_w;
        *base = (row * w->in_w + column) * w->channels;
    }
    if (!entered(work, table) || !same_taps(rows, table->rows) || !same_taps(columns, table->columns)) {
        table->rows = rows;
        table->columns = columns;
        table->n = anne_window_runs(w, work->channels, top, left, ANNE_DENSE_S8_PANEL, runs_of(table));
        finish_table(work, table, *base);
    }
    if (table->last_end > 0) {
        runs_of(table)[table->last_end].at = work->last_at;
    }
    return table;
}

// That of a window which has been gathered: a run for each panel.
static const table_t *gathered_table(work_t *work) {
    table_t *table = at(work, GATHERED);
    if (!entered(work, table)) {
        anne_run_t *run = runs_of(table);
        uint32_t columns = anne_dense_s8_columns(work->n_in), part;
        for (uint32_t at = 0; at < columns; at += part) {
            part = least(columns - at, ANNE_DENSE_S8_PANEL);
            *run++ = (anne_run_t){.at = (int32_t)at, .n = part};
            *run++ = (anne_run_t){0};
        }
        table->n = (uint32_t)(run - runs_of(table));
        finish_table(work, table, 0);
    }
    if (table->last_end > 0) {
        runs_of(table)[table->last_end].at = work->last_at;
    }
    return table;
}

// --- Sums of x ------------------------------------------------------------------------------------------------------

// What is to be done with n windows that have the same runs from x on, the first of which is `pixel` of the chunk.
typedef void windows_t(work_t *work, const table_t *table, const int8_t *x, uint32_t n, uint32_t pixel);

// Their sums from their runs.
static void sum_windows(work_t *work, const table_t *table, const int8_t *x, uint32_t n, uint32_t pixel) {
    int32_t *starts = work->starts + pixel * work->panels;
    for (uint32_t i = 0; i < n; i++, x += work->job.x_step) {
        int32_t sum = 0;
        for (const anne_run_t *run = runs_of(table), *end = run + table->n; run != end; run++) {
            if (run->n == 0) {
                *starts++ = anne_conv_start(sum);
                sum = 0;
            } else if (run->at == ANNE_OUTSIDE) {
                sum += (int32_t)run->n * work->layer->zero_point;
            } else {
                anne_add_sums_s8(x + run->at, run->n, 1, &sum);
            }
        }
    }
}

// Their sums and a copy of what they see, in whole words.
static void gather_windows(work_t *work, const table_t *table, const int8_t *x, uint32_t n, uint32_t pixel) {
    const uint32_t columns = anne_dense_s8_columns(work->n_in);
    int32_t *starts = work->starts + pixel * work->panels;
    int8_t *seen = work->seen + pixel * columns;
    for (const int8_t *behind = seen + n * columns; seen != behind; x += work->job.x_step) {
        int32_t sum = 0;
        for (const anne_run_t *run = runs_of(table), *end = run + table->n; run != end; run++) {
            if (run->n == 0) {
                *starts++ = anne_conv_start(sum);
                sum = 0;
                continue;
            }
            const int8_t *from = run->at == ANNE_OUTSIDE ? work->outside : x + run->at;
            for (const int8_t *stop = seen + run->n; seen != stop;) {
                sum += *from;
                *seen++ = *from++;
            }
        }
        for (uint32_t j = work->n_in; j < columns; j++) {
            *seen++ = 0;
        }
    }
}

static void run_windows(work_t *work, const table_t *table, const int8_t *x, uint32_t n, uint32_t pixel) {
    work->job.runs = runs_of(table);
    work->job.x = x;
    work->job.y = work->y + pixel * work->job.y_step;
    work->job.n_pixels = n;
    work->job.starts = work->starts + pixel * work->panels;
    anne_conv_rows_s8(&work->job);
}

// --- Chunks ---------------------------------------------------------------------------------------------------------

// n windows of a line, the first of which is `pixel` of the chunk.
static void each_window(work_t *work, int32_t row, int32_t column, uint32_t n, uint32_t pixel, windows_t *windows) {
    const anne_window_t *w = work->window;
    for (uint32_t part; n > 0; n -= part, pixel += part, column += (int32_t)part) {
        uint32_t which = column < work->first_within ? LEFT : column < work->end_within ? WITHIN : RIGHT;
        uint32_t room = which == WITHIN ? (uint32_t)(work->end_within - column) : 1;
        part = least(n, room);
        int32_t base;
        const table_t *table =
            table_of(work, which, row * w->stride_h - w->pad_top, column * w->stride_w - w->pad_left, &base);
        windows(work, table, work->x + base, part, pixel);
    }
}

// The chunk's windows, line by line; with `sums` of what they see, or else what the rows at hand make of them.
static void each_line(work_t *work, uint32_t first, uint32_t n, bool sums) {
    const anne_window_t *w = work->window;
    uint32_t width = (uint32_t)w->out_w, row = first / width, column = first % width;
    for (uint32_t pixel = 0, part; pixel < n; pixel += part, row++, column = 0) {
        part = least(n - pixel, width - column);
        if (sums && work->columns > 0) {
            anne_conv_slide_s8(w, work->layer->zero_point, work->x, (int32_t)row * w->stride_h - w->pad_top,
                               (int32_t)column * w->stride_w - w->pad_left, part, work->sums, work->starts + pixel);
        } else {
            windows_t *windows = !sums ? run_windows : work->gathers ? gather_windows : sum_windows;
            each_window(work, (int32_t)row, (int32_t)column, part, pixel, windows);
        }
    }
}

// What the layer's bias and factors ask for: sums apart, where bias is more than n_in products leave of 2^23, or sums
// are to be shifted.
static void set_sums(work_t *work) {
    const anne_conv_s8_t *layer = work->layer;
    const uint32_t most = (1u << 23) - 1 - (least(work->n_in, ANNE_DENSE_S8_PANEL) << 14);
    uint32_t largest_bias = 0;
    work->apart = work->panels > 1;
    for (uint32_t i = 0; i < layer->n_out * layer->groups; i++) {
        uint32_t magnitude = (uint32_t)(layer->bias[i] < 0 ? -layer->bias[i] : layer->bias[i]);
        largest_bias = magnitude > largest_bias ? magnitude : largest_bias;
        work->apart |= magnitude > most || anne_quick_left(&layer->factors[i]);
    }
    work->largest_sum = (work->n_in << 14) + largest_bias;
}

// Rows r to r + 7 of a group's weights, or as many as there are.
static void set_rows(work_t *work, uint32_t group, uint32_t r, int8_t *y) {
    const anne_conv_s8_t *layer = work->layer;
    uint32_t left = layer->n_out - r, output = group * layer->n_out + r, quads = (layer->n_out + 3) / 4;
    uint32_t columns = anne_dense_s8_columns(work->n_in), full = ANNE_DENSE_S8_PANEL;
    uint32_t before = (work->panels - 1) * full, last = columns - before; // of the last panel
    const uint32_t *weights = layer->weights + group * columns * quads;
    work->last_at = (int32_t)((before * quads + last * (r / 4) - full * (r / 4)) * sizeof *weights);
    work->job = (anne_conv_rows_s8_t){
        .weights = weights + (work->panels > 1 ? full : columns) * (r / 4),
        .bias = work->bias,
        .x_step = (uint32_t)(work->window->stride_w * work->window->channels),
        .y_step = layer->groups * layer->n_out,
        .rows = least(left, 8),
        .outside = work->outside,
        .factors = layer->factors + output,
        .quick = &work->quick,
        .output = layer->output,
        .added = work->added,
        .apart = work->apart,
        .whole_words = work->whole_words,
    };
    work->y = y + output;
    memset(work->bias, 0, sizeof work->bias);
    memcpy(work->bias, layer->bias + output, work->job.rows * sizeof *work->bias);
    if (!work->apart) {
        work->added[0] = anne_quad_of(work->bias);
        work->added[1] = anne_quad_of(work->bias + (left > 4 ? 4 : 0));
    }
    anne_quick_rows(work->job.factors, work->job.rows, layer->output, work->largest_sum, &work->quick);
}

static void set_work(work_t *work, const anne_conv_s8_t *layer, int32_t *scratch) {
    set_sizes(work, layer);
    const anne_window_t *w = work->window;
    set_sums(work);
    work->tables = scratch;
    for (uint32_t i = 0; i < tables(work); i++, scratch += table_words(work)) {
        at(work, i)->n_rows = 0;
    }
    work->sums = scratch;
    work->starts = scratch + work->columns;
    memset(work->starts, 0, work->chunk * work->panels * sizeof *work->starts); // those of bytes
    work->outside = (int8_t *)(work->starts + work->chunk * work->panels);
    memset(work->outside, layer->zero_point, outside_words(work) * sizeof *scratch);
    work->seen = work->outside + outside_words(work) * sizeof *scratch;
    int32_t reach = w->in_w - 1 - (w->kernel_w - 1) * w->dilation_w + w->pad_left; // of the last window within
    work->first_within = (w->pad_left + w->stride_w - 1) / w->stride_w;
    work->end_within = reach < 0 ? 0 : reach / w->stride_w + 1;
}

// All rows of a group's weights over a chunk of n pixels, whose results begin at y.
static void run_chunk(work_t *work, uint32_t group, uint32_t first, uint32_t n, int8_t *y) {
    for (uint32_t r = 0; r < work->layer->n_out; r += 8) {
        set_rows(work, group, r, y);
        if (r == 0 && work->whole_words) {
            each_line(work, first, n, true);
        }
        if (work->gathers) {
            work->job.x_step = anne_dense_s8_columns(work->n_in);
            run_windows(work, gathered_table(work), work->seen, n, 0);
        } else {
            each_line(work, first, n, false);
        }
    }
}

void anne_conv_s8(const anne_conv_s8_t *layer, const int8_t *x, int32_t *scratch, int8_t *y) {
    work_t work;
    set_work(&work, layer, scratch);
    uint32_t pixels = (uint32_t)layer->window->out_h * (uint32_t)layer->window->out_w;
    for (uint32_t first = 0, n; first < pixels; first += n, y += n * layer->groups * layer->n_out) {
        n = least(pixels - first, work.chunk);
        for (uint32_t group = 0; group < layer->groups; group++) {
            work.x = x + group * work.channels;
            run_chunk(&work, group, first, n, y);
        }
    }
}
