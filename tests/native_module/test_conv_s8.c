// anne_conv_s8 with anne_window_runs against sums over the taps of every window: random windows, groups, extremes; and
// anne_gather against the same taps.
#include "kernel_test.h"
#include "kernels/conv_s8.h"

#define MOST 20000

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

static void check_pixel(const case_t *c, uint32_t group, int32_t y, int32_t column, const uint32_t *packed,
                        const int32_t *bias) {
    const anne_window_t *window = &c->window;
    uint32_t n = (uint32_t)window->channels / c->groups, n_in = (uint32_t)(window->kernel_h * window->kernel_w) * n;
    int32_t top = y * window->stride_h - window->pad_top, left = column * window->stride_w - window->pad_left;
    uint32_t most = anne_window_most_runs(window, n, ANNE_DENSE_S8_PANEL);
    anne_run_t *runs = exactly(most * sizeof *runs);
    uint32_t n_runs = anne_window_runs(window, n, top, left, ANNE_DENSE_S8_PANEL, runs);
    CHECK(n_runs <= most, "%u runs, at most %u", n_runs, most);
    int8_t *outside = exactly(n_in < ANNE_DENSE_S8_PANEL ? n_in : ANNE_DENSE_S8_PANEL), *seen = exactly(n_in);
    memset(outside, fill, n_in < ANNE_DENSE_S8_PANEL ? n_in : ANNE_DENSE_S8_PANEL);
    int32_t *acc = exactly(c->n_out * sizeof *acc);
    const anne_seen_s8_t where = {runs, x + group * n, outside, window->channels % 4 == 0 && n % 4 == 0};
    anne_conv_s8(packed, bias, &where, n_in, c->n_out, acc);
    anne_gather(runs, n_runs, x + group * n, 1, fill, seen);
    for (uint32_t r = 0; r < c->n_out; r++) {
        int64_t expected = bias[r];
        for (uint32_t j = 0; j < n_in; j++) {
            int32_t tap = (int32_t)(j / n), value = seen_at(window, y, column, tap / window->kernel_w,
                                                            tap % window->kernel_w, (int32_t)(group * n + j % n));
            CHECK(seen[j] == value, "number %u: %d, expected %d", j, seen[j], value);
            expected += w[r * n_in + j] * value;
        }
        CHECK(acc[r] == expected, "row %u of %u: %d, expected %lld", r, c->n_out, acc[r], (long long)expected);
    }
    free(runs), free(outside), free(seen), free(acc);
}

static void check(const case_t *c, int32_t least, int32_t most) {
    uint32_t n_in = (uint32_t)(c->window.kernel_h * c->window.kernel_w * c->window.channels) / c->groups;
    for (uint32_t i = 0; i < MOST; i++) {
        x[i] = (int8_t)any_of(least, most);
        w[i] = (int8_t)any_of(least, most);
    }
    fill = (int8_t)any_of(least, most);
    int32_t *bias = exactly(c->n_out * sizeof *bias);
    for (uint32_t r = 0; r < c->n_out; r++) {
        bias[r] = any_of(-(1 << 28), 1 << 28);
    }
    uint32_t *packed = exactly(anne_dense_s8_words(n_in, c->n_out) * sizeof *packed);
    pack(w, n_in, c->n_out, (uint8_t *)packed);
    for (uint32_t group = 0; group < c->groups; group++) {
        for (int32_t y = 0; y < c->window.out_h; y++) {
            for (int32_t column = 0; column < c->window.out_w; column++) {
                check_pixel(c, group, y, column, packed, bias);
            }
        }
    }
    free(bias), free(packed);
}

static case_t any_case(int32_t most_kernel, int32_t most_channels) {
    case_t c = {.groups = (uint32_t)any_of(1, 3), .n_out = (uint32_t)any_of(1, 19)};
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
    anne_run_t runs[3];
    uint32_t n_runs = anne_window_runs(&window, 1 << 17, 0, -(1 << 15), UINT32_MAX, runs);
    CHECK(n_runs == 2 && runs[0].at == ANNE_OUTSIDE && runs[0].n == 1 << 17, "%u runs, at %d", n_runs, runs[0].at);
    CHECK(runs[1].at == 0 && runs[1].n == 1 << 17, "at %d", runs[1].at);
}

int main(void) {
    check_far_taps();
    for (uint32_t i = 0; i < 500; i++) {
        case_t small = any_case(3, 9), wide = any_case(40, 12); // more than a panel of 508
        check(&small, -128, 127);
        if (i % 20 == 0) {
            check(&wide, -128, 127);
            check(&wide, -128, -128); // the greatest sums there are
            check(&wide, 127, 127);
        }
    }
    return 0;
}
