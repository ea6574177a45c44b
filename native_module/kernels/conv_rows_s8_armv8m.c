// anne_conv_rows_s8 on the Cortex-M33: pixels by twos, so that both share what is done to a word of weights.
//
// The sums are those of conv_rows_s8.c, made in armv8m/conv_rows_s8.S; a last pixel comes by itself, with eight rows.
// Numbers that are no whole words have their sum found here, once for all rows.
#include <string.h>

#include "kernels/armv8m/rescale.h"
#include "kernels/conv_rows_s8.h"

#ifdef ANNE_ARMV8M

typedef void two_pixels_t(const anne_run_t *run, const int8_t *image, const int8_t *outside, const uint32_t *weights,
                          uint32_t *sums, uint32_t x_step);
two_pixels_t anne_conv_two_pixels_4, anne_conv_two_pixels_8;
void anne_conv_eight_rows(const anne_run_t *run, const int8_t *image, const int8_t *outside, const uint32_t *weights,
                          uint32_t *sums);

void anne_conv_rows_s8_enter(const anne_conv_rows_s8_t *job, anne_run_t *runs, uint32_t n_runs) {
    (void)job, (void)runs, (void)n_runs;
}

// sum + the sum of x + 128 for each, as far as the n numbers are whole words.
static inline uint32_t add_words(uint32_t sum, const int8_t *x, uint32_t n) {
    for (const int8_t *end = x + n / 4 * 4; x != end; x += 4) {
        uint32_t word;
        memcpy(&word, x, sizeof word);
        __asm__("usada8 %0, %1, %2, %0" : "+r"(sum) : "r"(word ^ 0x80808080), "r"(0)); // + 128 each
    }
    return sum;
}

void anne_add_sums_s8(const int8_t *x, uint32_t n, uint32_t count, int32_t *sums) {
    for (const int32_t *end = sums + count; sums != end; sums++, x += n) {
        *sums = (int32_t)add_words((uint32_t)*sums - 128 * n, x, n);
    }
}

// anne_conv_start of the sum of what a panel's runs have.
static int32_t start_of(const anne_run_t *run, const int8_t *x, const int8_t *outside) {
    uint32_t sum = 0;
    for (; run->n > 0; run++) {
        const int8_t *at = run->at < 0 ? outside : x + run->at, *end = at + run->n;
        sum = add_words(sum - 128 * (run->n / 4 * 4), at, run->n);
        for (at = end - run->n % 4; at != end;) {
            sum += (uint32_t)*at++;
        }
    }
    return anne_conv_start((int32_t)sum);
}

static inline anne_quad_s8_t begun(int32_t start) {
    const uint32_t g = (uint32_t)start, a = g + (g << 16);
    return (anne_quad_s8_t){a, a, g};
}

// Sums of a panel of one or two pixels, eight rows each; those of the second four are not there if there are no more
// than four rows.
static void sum_panel(const anne_conv_rows_s8_t *job, const anne_run_t *run, const int8_t *x, const uint32_t *weights,
                      const int32_t *starts, uint32_t pixels, int32_t sums[2][8]) {
    const bool pairs = job->rows > 4;
    two_pixels_t *two_pixels = pairs ? anne_conv_two_pixels_8 : anne_conv_two_pixels_4;
    if (pixels == 1 && pairs) {
        anne_quad_s8_t quads[2] = {begun(starts[0]), begun(starts[0])};
        anne_conv_eight_rows(run, x, job->outside, weights, &quads[0].a);
        anne_quad_decode(&quads[0], sums[0]);
        anne_quad_decode(&quads[1], sums[0] + 4);
        return;
    }
    for (uint32_t four = 0; four < (pairs ? 8 : 4); four += 4) {
        anne_quad_s8_t quads[2] = {begun(starts[0]), begun(starts[1])};
        two_pixels(run, x, job->outside, weights + four / 4, &quads[0].a, pixels == 1 ? 0 : job->x_step);
        anne_quad_decode(&quads[0], sums[0] + four);
        anne_quad_decode(&quads[1], sums[1] + four);
    }
}

static inline void finish_rows(const anne_conv_rows_s8_t *job, const int32_t *sums, const int32_t *bias, int8_t *y,
                               bool whole) {
    const anne_byte_t byte = anne_byte_of(job->output);
    for (uint32_t r = 0; r < job->rows; r++) {
        y[r] = (int8_t)anne_requantize_byte(sums[r] + bias[r], &job->factors[r], &byte, whole);
    }
}

static void finish(const anne_conv_rows_s8_t *job, const int32_t *sums, const int32_t *bias, int8_t *y) {
    if (anne_whole_byte(job->output)) {
        finish_rows(job, sums, bias, y, true);
    } else {
        finish_rows(job, sums, bias, y, false);
    }
}

// All panels of one or two pixels from x on. `starts` are those of words.
static void run_pixels(const anne_conv_rows_s8_t *job, const int8_t *x, const int32_t *starts, uint32_t panels,
                       uint32_t pixels, int8_t *y) {
    int32_t sums[2][8], all[2][8], own[2];
    const uint32_t *weights = job->weights;
    const int32_t *bias[2] = {job->bias, job->bias};
    const anne_run_t *run = job->runs;
    for (uint32_t panel = 0;; panel++) {
        for (uint32_t i = 0; i < 2; i++) {
            const uint32_t pixel = i < pixels ? i : 0;
            own[i] = job->whole_words ? starts[pixel * panels + panel]
                                      : start_of(run, x + pixel * job->x_step, job->outside);
        }
        sum_panel(job, run, x, weights, own, pixels, sums);
        for (; run->n > 0; run++) {
        }
        if (run->at == 0) {
            break;
        }
        for (uint32_t i = 0; i < pixels; i++) {
            for (uint32_t r = 0; r < job->rows; r++) {
                all[i][r] = bias[i][r] + sums[i][r];
            }
            bias[i] = all[i];
        }
        weights = job->weights + (uint32_t)run->at / sizeof *weights;
        run++;
    }
    for (uint32_t i = 0; i < pixels; i++) {
        finish(job, sums[i], bias[i], y + i * job->y_step);
    }
}

// --- The usual case: one panel, results that only a byte limits, rows by fours
// ------------------------------------------

// What rows are rescaled with.
typedef struct {
    int32_t multiplier;
    uint32_t right; // ~shift
} row_t;

// Whether all of it is usual; then the rows' factors.
static bool usual(const anne_conv_rows_s8_t *job, row_t *rows) {
    if (job->apart || job->rows % 4 != 0 || !anne_whole_byte(job->output)) {
        return false;
    }
    int32_t all = -1;
    for (uint32_t r = 0; r < job->rows; r++) {
        rows[r] = (row_t){job->factors[r].multiplier, (uint32_t)~job->factors[r].shift};
        all &= job->factors[r].shift;
    }
    return all < 0; // each shift is
}

static inline anne_quad_s8_t added(const anne_quad_s8_t *bias, int32_t start) {
    const uint32_t g = (uint32_t)start, a = g + (g << 16);
    return (anne_quad_s8_t){bias->a + a, bias->b + a, bias->g + g};
}

// Four rows of two pixels.
static inline void finish_two(const anne_quad_s8_t *quads, const row_t *rows, int32_t offset, int8_t *y, int8_t *z) {
    int32_t a[4], b[4];
    anne_quad_decode(&quads[0], a);
    anne_quad_decode(&quads[1], b);
#pragma GCC unroll 4
    for (uint32_t r = 0; r < 4; r++) {
        const row_t row = rows[r];
        y[r] = (int8_t)anne_half_s8(anne_rescale_steps(a[r], row.multiplier, row.right) + offset);
        z[r] = (int8_t)anne_half_s8(anne_rescale_steps(b[r], row.multiplier, row.right) + offset);
    }
}

// Pixels by twos; returns how many that were.
static uint32_t run_usual(const anne_conv_rows_s8_t *job, const row_t *rows) {
    two_pixels_t *two_pixels = job->rows > 4 ? anne_conv_two_pixels_8 : anne_conv_two_pixels_4;
    const int32_t offset = 2 * job->output->zero_point + 1, *starts = job->starts;
    const int8_t *x = job->x;
    int8_t *y = job->y;
    const uint32_t pixels = job->n_pixels / 2 * 2;
    for (const int32_t *end = starts + pixels; starts != end; starts += 2) {
        int32_t first = starts[0], second = starts[1];
        if (!job->whole_words) {
            first = start_of(job->runs, x, job->outside);
            second = start_of(job->runs, x + job->x_step, job->outside);
        }
        for (uint32_t four = 0; four < job->rows; four += 4) {
            const anne_quad_s8_t *bias = &job->added[four / 4];
            anne_quad_s8_t quads[2] = {added(bias, first), added(bias, second)};
            two_pixels(job->runs, x, job->outside, job->weights + four / 4, &quads[0].a, job->x_step);
            finish_two(quads, rows + four, offset, y + four, y + four + job->y_step);
        }
        x += 2 * job->x_step;
        y += 2 * job->y_step;
    }
    return pixels;
}

void anne_conv_rows_s8(const anne_conv_rows_s8_t *job) {
    row_t rows[8];
    const uint32_t done = job->n_pixels > 1 && usual(job, rows) ? run_usual(job, rows) : 0;
    uint32_t panels = 1;
    for (const anne_run_t *run = job->runs; run->n > 0 || run->at != 0; run++) {
        panels += run->n == 0;
    }
    const int8_t *x = job->x + done * job->x_step;
    int8_t *y = job->y + done * job->y_step;
    const int32_t *starts = job->starts + done * panels;
    for (uint32_t left = job->n_pixels - done, pixels; left > 0; left -= pixels) {
        pixels = left > 1 ? 2 : 1;
        run_pixels(job, x, starts, panels, pixels, y);
        x += pixels * job->x_step;
        y += pixels * job->y_step;
        starts += pixels * panels;
    }
}

#endif
