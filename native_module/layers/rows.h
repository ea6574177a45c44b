// What kinds share that sum rows of weights: on integers, constants 1 and 2 of the record are a bias (int32) and a
// factor (anne_rescale_t) for each row (FORMAT.md, "Kind 1, dense").
#ifndef ANNE_ROWS_H
#define ANNE_ROWS_H

#include "kernels/requantize.h"
#include "layers/layers.h"

// A bias is at most this in magnitude.
#define ANNE_MAX_BIAS (1 << 28)

// Bias and factors of n_out rows; constants 1 and 2 are there.
anne_status_t anne_check_rows(const anne_record_t *record, uint32_t n_out);

// Rows of weights as they are, in constant 0: `parts` times n_out rows of n_in. An output sums its row of each part.
typedef struct {
    uint32_t parts;
    uint32_t n_out;
    uint32_t n_in;
} anne_plain_t;

// Constants of plain rows: weights, bias; then of integers the factors, of int8 weights on floats their scales.
enum {
    PLAIN_WEIGHTS,
    PLAIN_BIAS,
    PLAIN_FACTORS,
    PLAIN_SCALES = PLAIN_FACTORS,
    PLAIN_FLOAT_CONSTANTS = PLAIN_FACTORS,
    PLAIN_OTHER_CONSTANTS
};

// Whether the record is that of floats with float weights: it has no third constant then.
static inline bool anne_plain_floats(const anne_record_t *record) {
    return record->input->dtype == ANNE_FLOAT32 && record->n_constants == PLAIN_FLOAT_CONSTANTS;
}

// All constants of plain rows, whose number is known, in the type of input and output: of int8 an output has at most
// `most_s8` weights; of int16 no sum leaves 32 bits. Says in *needs what anne_prepare_rows_s8 takes. All weights
// together are at most 2^28.
anne_status_t anne_check_plain(const anne_record_t *record, const anne_plain_t *plain, uint32_t most_s8,
                               anne_needs_t *needs);

// Of rows of int8, at most 16383 weights each: fills layer->derived with the approximation of the factors and returns
// its words, anne_approximation_bytes(n_out) / 4.
uint32_t anne_prepare_rows_s8(const anne_layer_t *layer, uint32_t n_in, uint32_t n_out);

// The same without the multipliers, anne_approximation_bytes(0) / 4 words: for rows whose own are made where they are
// used (anne_approximate_rows), of which the first n_factors have all that are there.
uint32_t anne_prepare_shared_s8(const anne_layer_t *layer, uint32_t n_in, uint32_t n_out, uint32_t n_factors);

// Zero point and limits of an integer output; parameters `at` and the next are the limits.
static inline anne_output_t anne_output_of(const anne_layer_t *layer, uint32_t at) {
    return (anne_output_t){layer->output->zero_point, layer->parameters[at], layer->parameters[at + 1]};
}

#endif // ANNE_ROWS_H
