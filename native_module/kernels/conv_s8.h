// One pixel of a convolution on int8: weights packed as for dense_s8, the image read where it lies.
#ifndef ANNE_CONV_S8_H
#define ANNE_CONV_S8_H

#include <stdbool.h>
#include <stdint.h>

#include "kernels/dense_s8.h"
#include "kernels/runs.h"

// What a window sees: runs that no panel of ANNE_DENSE_S8_PANEL columns cuts, and where they are.
typedef struct {
    const anne_run_t *runs;
    const int8_t *x;       // of what the runs count
    const int8_t *outside; // as many numbers as the longest run that is outside has: what counts there
    bool whole_words;      // runs begin at multiples of 4 of the image, and have as many numbers; x and outside do
} anne_seen_s8_t;

// acc[r] = bias[r] + sum over the n_in columns of w[r][j] times number j that is seen, as anne_dense_s8_quad has it,
// exact for any weights and numbers. n_in at most ANNE_DENSE_S8_MAX_IN; weights, bias and acc 4-byte aligned.
void anne_conv_s8(const uint32_t *weights, const int32_t *bias, const anne_seen_s8_t *seen, uint32_t n_in,
                  uint32_t n_out, int32_t *acc);

#endif // ANNE_CONV_S8_H
