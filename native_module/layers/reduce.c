// Axes of a tensor taken together: global pooling, mostly.
#include "kernels/reduce.h"
#include "layers/checks.h"

// Parameters: which operation, which axes, bit i for axis i; the factor of the mean and the sum of integers, else 0.
enum { REDUCE_OPERATION, REDUCE_AXES, REDUCE_MULTIPLIER, REDUCE_SHIFT, REDUCE_PARAMETERS };

// The most elements of int16 whose sum stays in 32 bits.
#define MAX_SUMMED_S16 65535u

static anne_reduce_t reduce_of(const anne_tensor_t *x, const anne_tensor_t *y, const int32_t *parameters) {
    anne_reduce_t reduce = {
        .rank = x->rank,
        .axes = (uint32_t)parameters[REDUCE_AXES],
        .operation = (anne_reduction_t)parameters[REDUCE_OPERATION],
        .zero_point = x->zero_point,
        .factor = {parameters[REDUCE_MULTIPLIER], parameters[REDUCE_SHIFT]},
        .output = {y->zero_point, INT16_MIN, INT16_MAX},
    };
    for (uint32_t i = 0; i < x->rank; i++) {
        reduce.shape[i] = x->shape[i];
    }
    if (y->dtype == ANNE_INT8) {
        reduce.output.least = INT8_MIN;
        reduce.output.most = INT8_MAX;
    }
    return reduce;
}

static void run_reduce_f32(const anne_layer_t *layer) {
    const anne_reduce_t reduce = reduce_of(layer->input, layer->output, layer->parameters);
    anne_reduce_f32(&reduce, layer->x, layer->y);
}

static void run_reduce_s8(const anne_layer_t *layer) {
    const anne_reduce_t reduce = reduce_of(layer->input, layer->output, layer->parameters);
    anne_reduce_s8(&reduce, layer->x, layer->y);
}

static void run_reduce_s16(const anne_layer_t *layer) {
    const anne_reduce_t reduce = reduce_of(layer->input, layer->output, layer->parameters);
    anne_reduce_s16(&reduce, layer->x, layer->y);
}

// The output's shape is the input's without the axes that go; (1) if none is left.
static bool shape_good(const anne_tensor_t *x, const anne_tensor_t *y, uint32_t axes) {
    uint32_t rank = 0, shape[ANNE_MAX_RANK] = {1};
    for (uint32_t i = 0; i < x->rank; i++) {
        if ((axes >> i & 1) == 0) {
            shape[rank++] = x->shape[i];
        }
    }
    rank = rank > 0 ? rank : 1;
    for (uint32_t i = 0; i < rank; i++) {
        if (y->shape[i] != shape[i]) {
            return false;
        }
    }
    return y->rank == rank;
}

static anne_status_t check_reduce(const anne_record_t *record, anne_needs_t *needs) {
    (void)needs;
    if (anne_check_counts(record, 0, REDUCE_PARAMETERS) != ANNE_OK) {
        return ANNE_ERROR_LAYER;
    }
    const anne_tensor_t *x = record->input, *y = record->output;
    const int32_t *parameters = record->parameters;
    int32_t operation = parameters[REDUCE_OPERATION], axes = parameters[REDUCE_AXES];
    if (operation < ANNE_REDUCE_MEAN || operation > ANNE_REDUCE_MIN || axes < 1 || axes >= 1 << x->rank) {
        return ANNE_ERROR_PARAMETER;
    }
    if (x->dtype != y->dtype || !shape_good(x, y, (uint32_t)axes)) {
        return ANNE_ERROR_SHAPE;
    }
    bool sums = operation <= ANNE_REDUCE_SUM;
    if (!sums && (x->scale != y->scale || x->zero_point != y->zero_point)) {
        return ANNE_ERROR_SHAPE;
    }
    const anne_reduce_t reduce = reduce_of(x, y, parameters);
    if (sums && x->dtype == ANNE_INT16 && anne_reduced(&reduce) > MAX_SUMMED_S16) {
        return ANNE_ERROR_SHAPE;
    }
    bool has_factor = sums && x->dtype != ANNE_FLOAT32;
    int32_t most = has_factor ? INT32_MAX : 0, least_shift = has_factor ? -31 : 0,
            most_shift = has_factor ? ANNE_MAX_SHIFT : 0;
    bool good = 0 <= reduce.factor.multiplier && reduce.factor.multiplier <= most && least_shift <= reduce.factor.shift
                && reduce.factor.shift <= most_shift;
    return good ? ANNE_OK : ANNE_ERROR_PARAMETER;
}

static anne_layer_run_t *choose_reduce(const anne_record_t *record) {
    return anne_run_of(record, run_reduce_f32, run_reduce_s8, run_reduce_s16);
}

const anne_layer_kind_t anne_reduce = {
    .check = check_reduce,
    .run = choose_reduce,
};
