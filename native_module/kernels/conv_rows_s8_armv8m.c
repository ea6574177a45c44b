// anne_conv_rows_s8 on the Cortex-M33: pixels by twos, so that both share what is done to a word of weights.
//
// The sums are those of conv_rows_s8.c, made in armv8m/conv_rows_s8.S; a last pixel comes by itself, with eight rows.
// Numbers that are no whole words have their sum found here, once for all rows.
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

void anne_add_sums_s8(const int8_t *x, uint32_t n, uint32_t count, int32_t *sums) {
    const uint32_t *word = (const uint32_t *)(const void *)x;
    for (const int32_t *end = sums + count; sums != end; sums++) {
        uint32_t sum = (uint32_t)*sums - 128 * n;
        for (const uint32_t *stop = word + n / 4; word != stop;) {
            __asm__("usada8 %0, %1, %2, %0" : "+r"(sum) : "r"(*word++ ^ 0x80808080), "r"(0)); // + 128 each
        }
        *sums = (int32_t)sum;
    }
}

// anne_conv_start of the sum of what a panel's runs have.
static int32_t start_of(const anne_run_t *run, const int8_t *x, const int8_t *outside) {
    int32_t sum = 0;
    for (; run->n > 0; run++) {
        const int8_t *at = run->at < 0 ? outside : x + run->at;
        for (const int8_t *end = at + run->n; at != end;) {
            sum += *at++;
        }
    }
    return anne_conv_start(sum);
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
    const anne_output_t output = *job->output;
    for (uint32_t r = 0; r < job->rows; r++) {
        y[r] = (int8_t)anne_requantize_byte(sums[r] + bias[r], &job->factors[r], &output, whole);
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

void anne_conv_rows_s8(const anne_conv_rows_s8_t *job) {
    const int8_t *x = job->x;
    int8_t *y = job->y;
    const int32_t *starts = job->starts;
    uint32_t panels = 1;
    for (const anne_run_t *run = job->runs; run->n > 0 || run->at != 0; run++) {
        panels += run->n == 0;
    }
    for (uint32_t left = job->n_pixels, pixels; left > 0; left -= pixels) {
        pixels = left > 1 ? 2 : 1;
        run_pixels(job, x, starts, panels, pixels, y);
        x += pixels * job->x_step;
        y += pixels * job->y_step;
        starts += pixels * panels;
    }
}

#endif
