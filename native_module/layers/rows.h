// What kinds share that sum rows of integer weights: constants 1 and 2 of the record are a bias (int32) and a factor
// (anne_rescale_t) for each row (FORMAT.md, "Kind 1, dense").
#ifndef ANNE_ROWS_H
#define ANNE_ROWS_H

#include "kernels/requantize.h"
#include "layers/layers.h"

// A bias is at most this in magnitude.
#define ANNE_MAX_BIAS (1 << 28)

// Bias and factors of n_out rows; constants 1 and 2 are there.
anne_status_t anne_check_rows(const anne_record_t *record, uint32_t n_out);

// Of rows of int8, at most 16383 weights each: fills layer->derived with the approximation of the factors and returns
// its words, anne_approximation_bytes(n_out) / 4.
uint32_t anne_prepare_rows_s8(const anne_layer_t *layer, uint32_t n_in, uint32_t n_out);

// Zero point and limits of an integer output; parameters `at` and the next are the limits.
static inline anne_output_t anne_output_of(const anne_layer_t *layer, uint32_t at) {
    return (anne_output_t){layer->output->zero_point, layer->parameters[at], layer->parameters[at + 1]};
}

#endif // ANNE_ROWS_H
