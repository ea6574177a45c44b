// Up to eight rows of an int8 convolution's weights, times what a window sees at pixel after pixel of a line.
#ifndef ANNE_CONV_ROWS_S8_H
#define ANNE_CONV_ROWS_S8_H

#include <stdbool.h>
#include <stdint.h>

#include "kernels/in_ram.h"
#include "kernels/quad_s8.h"
#include "kernels/requantize.h"
#include "kernels/runs.h"

// The fields are in the order in which armv6m/conv_rows_s8.S takes them.
typedef struct {
    const uint32_t *weights; // of the rows, packed as for dense_s8: four words alternate with four if there are more
                             // than four rows; other panels lie behind as the ends of `runs` say
    const int32_t *bias;     // of the rows and those that fill them up to four, or eight
    const anne_run_t *runs;  // what the first window sees, counted from x: an end behind each panel of
                             // ANNE_DENSE_S8_PANEL columns, whose `at` is how far behind `weights` the next panel's
                             // begin, in bytes; 0 behind the last
    const int8_t *x;         // each window sees x_step further on what the one before it sees
    uint32_t x_step;
    int8_t *y; // of the first pixel and row; those of the next are y_step further on
    uint32_t y_step;
    uint32_t n_pixels;
    uint32_t rows;         // 1 to 8
    const int32_t *starts; // of words: for each pixel, for each panel, anne_conv_start of the sum of what is seen
    const int8_t *outside; // as many numbers as the longest run that is outside has: what counts there
    const anne_rescale_t *factors; // of the rows
    const anne_quick_t *quick;
    const anne_output_t *output;
    const anne_quad_s8_t *added; // to the sums of the first and the second four rows: bias, or 0 if sums are apart
    uint32_t apart;              // whether bias is added to the sums of a panel and not with `added`
    uint32_t whole_words;        // whether runs begin at multiples of 4 of memory, and have as many numbers; else 0
} anne_conv_rows_s8_t;

// What each weight's 128 too much adds to the sums G (dense_s8.c), to be taken off.
static inline int32_t anne_conv_start(int32_t sum_x) {
    return (int32_t)(0u - 0x8080u * (uint32_t)sum_x);
}

// Fills in the `entry` of each of n_runs runs: where the machine code of their loop begins, where there is any. Of the
// job, rows, apart and whole_words count.
void anne_conv_rows_s8_enter(const anne_conv_rows_s8_t *job, anne_run_t *runs, uint32_t n_runs);

// y[r] of each pixel = zero_point + rescale(bias[r] + sum of w[r] times what is seen) as anne_requantize_s8 has it:
// exact for any weights and numbers. At most ANNE_DENSE_S8_MAX_IN columns; all but x and y 4-byte aligned, x, too, if
// whole_words. The table of runs is entered for `rows`.
ANNE_IN_RAM void anne_conv_rows_s8(const anne_conv_rows_s8_t *job);

// sums[i] += the sum of n numbers at x + n i, for `count` of them. n a multiple of 4, from 4 to 512: a lane of 16
// bits has two bytes of each of 128 words. count >= 1; x and sums 4-byte aligned.
ANNE_IN_RAM void anne_add_sums_s8(const int8_t *x, uint32_t n, uint32_t count, int32_t *sums);

#endif // ANNE_CONV_ROWS_S8_H
