// The product of two operands, element by element.
#include "layers/binary.h"
#include "layers/checks.h"

// Parameters of integers: multiplier and shift of the product; the limits of the result. Floats have none.
enum { MULTIPLY_WHOLE, MULTIPLY_ACT_MIN = 2, MULTIPLY_ACT_MAX, MULTIPLY_PARAMETERS };

static anne_status_t check_multiply(const anne_record_t *record, anne_needs_t *needs) {
    anne_status_t status = anne_binary_check(record, MULTIPLY_PARAMETERS, needs);
    uint8_t dtype = record->input->dtype;
    if (status != ANNE_OK || dtype == ANNE_FLOAT32) {
        return status;
    }
    const int32_t *parameters = record->parameters;
    anne_rescale_t factor = anne_factor_at(parameters, MULTIPLY_WHOLE);
    bool good = factor.multiplier >= 0 && -30 <= factor.shift
                && factor.shift <= (dtype == ANNE_INT8 ? ANNE_MULTIPLY_SHIFT_S8 : 0)
                && anne_limits_good(dtype, parameters[MULTIPLY_ACT_MIN], parameters[MULTIPLY_ACT_MAX]);
    return good ? ANNE_OK : ANNE_ERROR_PARAMETER;
}

static void run_s8(const anne_layer_t *layer) {
    anne_binary_run(layer, anne_multiply_s8);
}

static void run_s16(const anne_layer_t *layer) {
    anne_binary_run(layer, anne_multiply_s16);
}

static void run_f32(const anne_layer_t *layer) {
    anne_binary_run(layer, anne_multiply_f32);
}

static anne_layer_run_t *choose_multiply(const anne_record_t *record) {
    return anne_run_of(record, run_f32, run_s8, run_s16);
}

// A shift to the left is made a factor of its own.
static uint32_t prepare_multiply(const anne_layer_t *layer, const anne_record_t *record) {
    anne_binary_t how = {.up = 1};
    if (layer->input->dtype != ANNE_FLOAT32) {
        anne_rescale_t factor = anne_factor_at(record->parameters, MULTIPLY_WHOLE);
        how.up = factor.shift > 0 ? 1 << factor.shift : 1;
        how.whole = (anne_rescale_t){factor.multiplier, factor.shift > 0 ? 0 : factor.shift};
    }
    return anne_binary_prepare(layer, record, MULTIPLY_PARAMETERS, how);
}

const anne_layer_kind_t anne_multiply = {
    .check = check_multiply,
    .run = choose_multiply,
    .prepare = prepare_multiply,
    .place = ANNE_PLACE_IN_PLACE,
};
