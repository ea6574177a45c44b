// What kinds share that sum rows of weights.
#include "layers/rows.h"

#include "layers/checks.h"

anne_status_t anne_check_rows(const anne_record_t *record, uint32_t n_out) {
    if (anne_check_constant(record, 1, (uint64_t)n_out * sizeof(int32_t)) != ANNE_OK
        || anne_check_constant(record, 2, (uint64_t)n_out * sizeof(anne_rescale_t)) != ANNE_OK) {
        return ANNE_ERROR_CONSTANT;
    }
    const int32_t *bias = record->constants[1];
    const anne_rescale_t *factors = record->constants[2];
    for (uint32_t r = 0; r < n_out; r++) {
        if (bias[r] > ANNE_MAX_BIAS || bias[r] < -ANNE_MAX_BIAS || factors[r].multiplier < 0 || factors[r].shift < -31
            || factors[r].shift > ANNE_MAX_SHIFT) {
            return ANNE_ERROR_CONSTANT;
        }
    }
    return ANNE_OK;
}

// 2^15 times the magnitudes of each output's weights, plus |bias|, is below 2^31.
static anne_status_t check_sums_s16(const anne_record_t *record, const anne_plain_t *plain) {
    const int32_t *bias = record->constants[PLAIN_BIAS];
    for (uint32_t r = 0; r < plain->n_out; r++) {
        int64_t most = bias[r] < 0 ? -bias[r] : bias[r];
        for (uint32_t part = 0; part < plain->parts; part++) {
            size_t at = ((size_t)part * plain->n_out + r) * plain->n_in;
            const int16_t *row = (const int16_t *)record->constants[PLAIN_WEIGHTS] + at;
            for (uint32_t i = 0; i < plain->n_in; i++) {
                most += (int64_t)(row[i] < 0 ? -row[i] : row[i]) << 15;
            }
        }
        if (most > INT32_MAX) {
            return ANNE_ERROR_CONSTANT;
        }
    }
    return ANNE_OK;
}

static anne_status_t check_plain_floats(const anne_record_t *record, uint32_t n_weights, uint32_t n_out) {
    bool has_floats = anne_plain_floats(record);
    anne_status_t status = has_floats ? anne_check_floats(record, PLAIN_WEIGHTS, n_weights)
                                      : anne_check_constant(record, PLAIN_WEIGHTS, n_weights);
    if (status != ANNE_OK || anne_check_floats(record, PLAIN_BIAS, n_out) != ANNE_OK) {
        return ANNE_ERROR_CONSTANT;
    }
    return has_floats ? ANNE_OK : anne_check_floats(record, PLAIN_SCALES, n_out);
}

anne_status_t anne_check_plain(const anne_record_t *record, const anne_plain_t *plain, uint32_t most_s8,
                               anne_needs_t *needs) {
    uint32_t n_out = plain->n_out, n_weights = plain->parts * n_out * plain->n_in;
    if (record->input->dtype == ANNE_FLOAT32) {
        return check_plain_floats(record, n_weights, n_out);
    }
    bool is_s8 = record->input->dtype == ANNE_INT8;
    if (anne_check_constant(record, PLAIN_WEIGHTS, (uint64_t)n_weights * (is_s8 ? 1 : 2)) != ANNE_OK
        || (is_s8 && plain->parts * plain->n_in > most_s8) || anne_check_rows(record, n_out) != ANNE_OK) {
        return ANNE_ERROR_CONSTANT;
    }
    needs->derived = is_s8 ? anne_approximation_bytes(n_out) / sizeof(uint32_t) : 0;
    return is_s8 ? ANNE_OK : check_sums_s16(record, plain);
}

// Of a sum of n_in products, |w x| <= 2^14 for int8, with n_in < 2^14.
static uint32_t largest_sum_s8(const anne_layer_t *layer, uint32_t n_in, uint32_t n_out) {
    const int32_t *bias = layer->constants[1];
    uint32_t largest_bias = 0;
    for (uint32_t r = 0; r < n_out; r++) {
        uint32_t magnitude = (uint32_t)(bias[r] < 0 ? -bias[r] : bias[r]);
        largest_bias = magnitude > largest_bias ? magnitude : largest_bias;
    }
    return (n_in << 14) + largest_bias;
}

uint32_t anne_prepare_rows_s8(const anne_layer_t *layer, uint32_t n_in, uint32_t n_out) {
    anne_approximate(layer->constants[2], n_out, largest_sum_s8(layer, n_in, n_out), layer->derived);
    return anne_approximation_bytes(n_out) / sizeof(uint32_t);
}

uint32_t anne_prepare_shared_s8(const anne_layer_t *layer, uint32_t n_in, uint32_t n_out, uint32_t n_factors) {
    anne_approximate_shared(layer->constants[2], n_factors, largest_sum_s8(layer, n_in, n_out), layer->derived);
    return anne_approximation_bytes(0) / sizeof(uint32_t);
}
