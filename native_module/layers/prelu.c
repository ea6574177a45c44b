// The input, times a slope where it is negative.
#include "layers/binary.h"
#include "layers/checks.h"

// Parameters of integers: multiplier and shift of what is not negative, and of the product with the slope; the limits
// of the result. Floats have none.
enum { PRELU_ABOVE, PRELU_BELOW = 2, PRELU_ACT_MIN = 4, PRELU_ACT_MAX, PRELU_PARAMETERS };

static bool factor_good(const anne_record_t *record, uint32_t index) {
    anne_rescale_t factor = anne_factor_at(record->parameters, index);
    return factor.multiplier >= 0 && -31 <= factor.shift && factor.shift <= ANNE_MAX_SHIFT;
}

static anne_status_t check_prelu(const anne_record_t *record, anne_needs_t *needs) {
    anne_status_t status = anne_binary_check(record, PRELU_PARAMETERS, needs);
    if (status != ANNE_OK || record->input->dtype == ANNE_FLOAT32) {
        return status;
    }
    bool good = factor_good(record, PRELU_ABOVE) && factor_good(record, PRELU_BELOW)
                && anne_limits_good(record->output->dtype, record->parameters[PRELU_ACT_MIN],
                                    record->parameters[PRELU_ACT_MAX]);
    return good ? ANNE_OK : ANNE_ERROR_PARAMETER;
}

static void run_s8(const anne_layer_t *layer) {
    anne_binary_run(layer, anne_prelu_s8);
}

static void run_s16(const anne_layer_t *layer) {
    anne_binary_run(layer, anne_prelu_s16);
}

static void run_f32(const anne_layer_t *layer) {
    anne_binary_run(layer, anne_prelu_f32);
}

static anne_layer_run_t *choose_prelu(const anne_record_t *record) {
    return anne_run_of(record, run_f32, run_s8, run_s16);
}

static uint32_t prepare_prelu(const anne_layer_t *layer, const anne_record_t *record) {
    anne_binary_t how = {.up = 1};
    if (layer->input->dtype != ANNE_FLOAT32) {
        how.a = anne_factor_at(record->parameters, PRELU_ABOVE);
        how.whole = anne_factor_at(record->parameters, PRELU_BELOW);
    }
    return anne_binary_prepare(layer, record, PRELU_PARAMETERS, how);
}

const anne_layer_kind_t anne_prelu = {
    .check = check_prelu,
    .run = choose_prelu,
    .prepare = prepare_prelu,
    .place = ANNE_PLACE_IN_PLACE,
};
