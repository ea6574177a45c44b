// anne_conv_s8 against sums over the taps of every window: random windows, groups, extremes, images of several chunks;
// anne_window_runs and anne_gather against the same taps.
#include "kernel_test.h"
#include "kernels/conv_s8.h"
#include "kernels/runs.h"

#define MOST 180000

typedef struct {
    anne_window_t window;
    uint32_t groups;
    uint32_t n_out; // of a group
} case_t;

static int8_t x[MOST], w[MOST];
static int8_t fill;

// What channel `c` of tap (i, j) is at row y and column column.
static int32_t seen_at(const anne_window_t *window, int32_t y, int32_t column, int32_t i, int32_t j, int32_t c) {
    int32_t row = y * window->stride_h - window->pad_top + i * window->dilation_h;
    int32_t at = column * window->stride_w - window->pad_left + j * window->dilation_w;
    bool inside = row >= 0 && row < window->in_h && at >= 0 && at < window->in_w;
    return inside ? x[(row * window->in_w + at) * window->channels + c] : fill;
}

// FORMAT.md, s8_quad, written down as it reads.
static void pack(const int8_t *weights, uint32_t n_in, uint32_t n_out, uint8_t *packed) {
    for (uint32_t first = 0; first < n_in; first += ANNE_DENSE_S8_PANEL) {
        uint32_t n = n_in - first < ANNE_DENSE_S8_PANEL ? n_in - first : ANNE_DENSE_S8_PANEL;
        for (uint32_t r = 0; r < (n_out + 3) / 4 * 4; r += 8) {
            uint32_t rows = (n_out + 3) / 4 * 4 - r < 8 ? 4 : 8;
            for (uint32_t j = 0; j < anne_dense_s8_columns(n); j++) {
                for (uint32_t k = 0; k < rows; k++) {
                    bool there = r + k < n_out && j < n;
                    *packed++ = (uint8_t)(there ? weights[(r + k) * n_in + first + j] + 128 : 128);
                }
            }
        }
    }
}

// anne_window_runs against the taps of each window, and anne_gather.
static void check_runs(const case_t *c) {
    const anne_window_t *window = &c->window;
    uint32_t n = (uint32_t)window->channels / c->groups, n_in = (uint32_t)(window->kernel_h * window->kernel_w) * n;
    uint32_t most = anne_window_most_runs(window, n, ANNE_DENSE_S8_PANEL);
    int32_t group = any_of(0, (int32_t)c->groups - 1), y = any_of(0, window->out_h - 1);
    int32_t column = any_of(0, window->out_w - 1);
    int32_t top = y * window->stride_h - window->pad_top, left = column * window->stride_w - window->pad_left;
    anne_run_t *runs = exactly(most * sizeof *runs);
    uint32_t n_runs = anne_window_runs(window, n, top, left, ANNE_DENSE_S8_PANEL, runs), in_panel = 0, ends = 0;
    CHECK(n_runs <= most, "%u runs, at most %u", n_runs, most);
    for (uint32_t i = 0; i < n_runs; i++) {
        in_panel = runs[i].n == 0 ? 0 : in_panel + runs[i].n;
        ends += runs[i].n == 0;
        CHECK(in_panel <= ANNE_DENSE_S8_PANEL, "a panel of %u", in_panel);
    }
    CHECK(ends == (n_in + ANNE_DENSE_S8_PANEL - 1) / ANNE_DENSE_S8_PANEL && runs[n_runs - 1].n == 0, "%u ends", ends);
    int8_t *seen = exactly(n_in);
    anne_gather(runs, n_runs, x + group * (int32_t)n, 1, fill, seen);
    for (uint32_t j = 0; j < n_in; j++) {
        int32_t tap = (int32_t)(j / n), value = seen_at(window, y, column, tap / window->kernel_w,
                                                        tap % window->kernel_w, group * (int32_t)n + (int32_t)(j % n));
        CHECK(seen[j] == value, "number %u: %d, expected %d", j, seen[j], value);
    }
    free(runs), free(seen);
}

static int64_t sum_at(const case_t *c, uint32_t output, int32_t y, int32_t column) {
    const anne_window_t *window = &c->window;
    uint32_t n = (uint32_t)window->channels / c->groups, n_in = (uint32_t)(window->kernel_h * window->kernel_w) * n;
    int32_t first = (int32_t)(output / c->n_out * n);
    int64_t sum = 0;
    for (uint32_t j = 0; j < n_in; j++) {
        int32_t tap = (int32_t)(j / n);
        sum += w[output * n_in + j]
               * seen_at(window, y, column, tap / window->kernel_w, tap % window->kernel_w, first + (int32_t)(j % n));
    }
    return sum;
}

static void check_outputs(const case_t *c, const anne_conv_s8_t *layer, const int8_t *got) {
    uint32_t outputs = c->groups * c->n_out;
    for (int32_t y = 0; y < c->window.out_h; y++) {
        for (int32_t column = 0; column < c->window.out_w; column++) {
            for (uint32_t r = 0; r < outputs; r++, got++) {
                int32_t sum = (int32_t)(layer->bias[r] + sum_at(c, r, y, column));
                int32_t expected = anne_requantize_one(sum, &layer->factors[r], layer->output);
                CHECK(*got == expected, "row %u of %u at %d, %d: %d, expected %d", r, outputs, y, column, *got,
                      expected);
            }
        }
    }
}

// A layer with the numbers in x and w; factors of all sizes, also such that each bit of a sum counts.
static void check_layer(const case_t *c) {
    uint32_t n_in = (uint32_t)(c->window.kernel_h * c->window.kernel_w * c->window.channels) / c->groups;
    uint32_t n = c->groups * c->n_out, pixels = (uint32_t)(c->window.out_h * c->window.out_w);
    uint32_t words = (uint32_t)anne_dense_s8_words(n_in, c->n_out);
    int32_t *bias = exactly(n * sizeof *bias), most = any_of(0, 1) ? 1 << 28 : 100;
    anne_rescale_t *factors = exactly(n * sizeof *factors);
    uint32_t *packed = exactly(c->groups * words * sizeof *packed);
    const anne_output_t output = {any_of(-128, 127), any_of(-128, -50), any_of(0, 127)};
    int32_t shift = any_of(0, 2) ? any_of(-16, 1) : 1;
    for (uint32_t r = 0; r < n; r++) {
        bias[r] = any_of(-most, most);
        factors[r] = (anne_rescale_t){any_of(0, 3) ? any_of(1 << 30, INT32_MAX) : 1 << 30, shift - any_of(0, 2)};
    }
    for (uint32_t group = 0; group < c->groups; group++) {
        pack(w + group * c->n_out * n_in, n_in, c->n_out, (uint8_t *)(packed + group * words));
    }
    const anne_conv_s8_t layer = {&c->window, c->groups, c->n_out, packed, bias, factors, &output, fill};
    size_t x_bytes = (size_t)(c->window.in_h * c->window.in_w * c->window.channels);
    int8_t *image = exactly(x_bytes), *y = exactly(pixels * n);
    int32_t *scratch = exactly(anne_conv_s8_scratch(&layer) * sizeof *scratch);
    memcpy(image, x, x_bytes);
    anne_conv_s8(&layer, image, scratch, y);
    check_outputs(c, &layer, y);
    free(bias), free(factors), free(packed), free(image), free(y), free(scratch);
}

static void check(const case_t *c, int32_t least, int32_t most) {
    for (uint32_t i = 0; i < MOST; i++) {
        x[i] = (int8_t)any_of(least, most);
        w[i] = (int8_t)any_of(least, most);
    }
    fill = (int8_t)any_of(least, most);
    check_runs(c);
    check_layer(c);
}

static case_t any_case(int32_t most_kernel, int32_t most_channels) {
    case_t c = {.groups = (uint32_t)any_of(1, 3), .n_out = (uint32_t)any_of(1, any_of(0, 3) ? 19 : 40)};
    anne_window_t *window = &c.window;
    window->in_h = any_of(1, 5), window->in_w = any_of(1, 6);
    window->channels = (int32_t)c.groups * any_of(1, most_channels);
    window->kernel_h = any_of(1, 3), window->kernel_w = any_of(1, most_kernel);
    window->stride_h = any_of(1, 2), window->stride_w = any_of(1, 2);
    window->dilation_h = any_of(1, 2), window->dilation_w = any_of(1, 2);
    window->pad_top = any_of(0, (window->kernel_h - 1) * window->dilation_h);
    window->pad_left = any_of(0, (window->kernel_w - 1) * window->dilation_w);
    window->out_h = (window->in_h - 1 + window->pad_top) / window->stride_h + 1;
    window->out_w = (window->in_w - 1 + window->pad_left) / window->stride_w + 1;
    return c;
}

// Taps so far outside that they have no number in 32 bits: a pixel of 2^17 channels, two taps, 2^15 apart.
static void check_far_taps(void) {
    const anne_window_t window = {1, 1, 1 << 17, 1, 1, 1, 2, 1, 1, 1, 1 << 15, 0, 1 << 15};
    anne_run_t runs[5];
    uint32_t n_runs = anne_window_runs(&window, 1 << 17, 0, -(1 << 15), UINT32_MAX, runs);
    CHECK(n_runs == 3 && runs[0].at == ANNE_OUTSIDE && runs[0].n == 1 << 17, "%u runs, at %d", n_runs, runs[0].at);
    CHECK(runs[1].at == 0 && runs[1].n == 1 << 17, "at %d", runs[1].at);
}

// More pixels than a chunk has, in one line and in many; weights that are cached and not; columns that do not fit.
static void check_chunks(void) {
    static const case_t cases[] = {
        {{1, 700, 4, 1, 350, 1, 9, 1, 2, 1, 1, 0, 8}, 1, 9},     {{12, 12, 4, 12, 12, 1, 1, 1, 1, 1, 1, 0, 0}, 1, 12},
        {{13, 12, 32, 13, 12, 3, 3, 1, 1, 1, 1, 1, 1}, 1, 29}, // 8,352 bytes of weights
        {{3, 40, 60, 3, 40, 3, 3, 1, 1, 1, 1, 1, 1}, 1, 20},   // two panels, of which a chunk has 64 pixels
        {{1, 330, 4, 1, 150, 1, 300, 1, 1, 1, 1, 0, 120}, 1, 5}, {{1, 330, 4, 1, 66, 1, 6, 1, 5, 1, 1, 0, 0}, 1, 8},
        {{25, 5, 1, 25, 5, 10, 4, 1, 1, 1, 1, 4, 1}, 1, 26}, // gathered
        {{3, 5, 171, 3, 5, 3, 2, 1, 1, 1, 1, 1, 1}, 1, 29},  // gathered, three panels
        {{3, 5, 6, 3, 5, 3, 2, 1, 1, 1, 1, 1, 1}, 2, 27},    // gathered, in groups
        {{20, 9, 3, 10, 9, 5, 2, 2, 1, 2, 2, 4, 1}, 1, 8},
    };
    for (uint32_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        check(&cases[i], -128, 127);
    }
}

int main(void) {
    check_far_taps();
    check_chunks();
    for (uint32_t i = 0; i < 500; i++) {
        case_t small = any_case(3, 9), wide = any_case(40, 12); // more than a panel of 508
        check(&small, -128, 127);
        check(&small, -3, 3);
        if (i % 20 == 0) {
            check(&wide, -128, 127);
            check(&wide, -128, -128); // the greatest sums there are
            check(&wide, 127, 127);
        }
    }
    return 0;
}
