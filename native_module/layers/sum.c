// What sums and differences share: integers of three scales, brought to one.
#include "layers/sum.h"

#include "layers/binary.h"
#include "layers/checks.h"

// Parameters of integers: multiplier and shift of a, of b and of the sum; the limits of the result. Floats have none.
enum { SUM_A, SUM_B = 2, SUM_WHOLE = 4, SUM_ACT_MIN = 6, SUM_ACT_MAX, SUM_PARAMETERS };

// A factor of at most `most` / 2^31, and a shift that the kernel takes.
static bool factor_good(const anne_record_t *record, uint32_t index, int32_t most) {
    anne_rescale_t factor = anne_factor_at(record->parameters, index);
    return factor.multiplier >= 0 && -31 <= factor.shift && factor.shift <= 0
           && (factor.shift < 0 || factor.multiplier <= most);
}

anne_status_t anne_sum_check(const anne_record_t *record, anne_needs_t *needs) {
    anne_status_t status = anne_binary_check(record, SUM_PARAMETERS, needs);
    if (status != ANNE_OK || record->input->dtype == ANNE_FLOAT32) {
        return status;
    }
    bool good =
        factor_good(record, SUM_A, 1 << 30) && factor_good(record, SUM_B, 1 << 30)
        && factor_good(record, SUM_WHOLE, INT32_MAX)
        && anne_limits_good(record->output->dtype, record->parameters[SUM_ACT_MIN], record->parameters[SUM_ACT_MAX]);
    return good ? ANNE_OK : ANNE_ERROR_PARAMETER;
}

static void run_s8(const anne_layer_t *layer) {
    anne_binary_run(layer, anne_add_s8);
}

static void run_s16(const anne_layer_t *layer) {
    anne_binary_run(layer, anne_add_s16);
}

static void run_f32(const anne_layer_t *layer) {
    anne_binary_run(layer, anne_add_f32);
}

anne_layer_run_t *anne_sum_choose(const anne_record_t *record) {
    return anne_run_of(record, run_f32, run_s8, run_s16);
}

uint32_t anne_sum_prepare(const anne_layer_t *layer, const anne_record_t *record, int32_t sign) {
    anne_binary_t how = {.sign = sign};
    if (layer->input->dtype != ANNE_FLOAT32) {
        how.a = anne_factor_at(record->parameters, SUM_A);
        how.b = anne_factor_at(record->parameters, SUM_B);
        how.whole = anne_factor_at(record->parameters, SUM_WHOLE);
    }
    return anne_binary_prepare(layer, record, SUM_PARAMETERS, how);
}
