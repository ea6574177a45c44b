// The sum of two tensors, element by element.
#include "kernels/activations_f32.h"
#include "kernels/add.h"
#include "layers/checks.h"

// Parameters of integers: multiplier and shift of a, of b and of the sum; the limits of the result. Floats have none.
enum { ADD_A, ADD_B = 2, ADD_SUM = 4, ADD_ACT_MIN = 6, ADD_ACT_MAX, ADD_PARAMETERS };

// Tensors in the order of the record, and of the addresses with which layer->derived begins. An anne_add_t follows them
// for integers.
enum { A, B, Y, ADD_TENSORS };

static anne_add_t *how_of(const anne_layer_t *layer) {
    return (void *)((void **)layer->derived + ADD_TENSORS);
}

static const void *b_of(const anne_layer_t *layer) {
    return ((void *const *)layer->derived)[B];
}

static void run_add_f32(const anne_layer_t *layer) {
    anne_add_f32(layer->x, b_of(layer), layer->n_out, layer->y);
    anne_activate_f32(layer->activation, layer->alpha, layer->y, layer->n_out);
}

static void run_add_s8(const anne_layer_t *layer) {
    anne_add_s8(how_of(layer), layer->x, b_of(layer), layer->n_out, layer->y);
}

static void run_add_s16(const anne_layer_t *layer) {
    anne_add_s16(how_of(layer), layer->x, b_of(layer), layer->n_out, layer->y);
}

static anne_rescale_t factor_at(const int32_t *parameters, uint32_t index) {
    return (anne_rescale_t){parameters[index], parameters[index + 1]};
}

// A factor of at most `most` / 2^31, and a shift that the kernel takes.
static bool factor_good(const anne_record_t *record, uint32_t index, int32_t most) {
    anne_rescale_t factor = factor_at(record->parameters, index);
    return factor.multiplier >= 0 && -31 <= factor.shift && factor.shift <= 0
           && (factor.shift < 0 || factor.multiplier <= most);
}

static anne_status_t check_integers(const anne_record_t *record, anne_needs_t *needs) {
    bool good =
        factor_good(record, ADD_A, 1 << 30) && factor_good(record, ADD_B, 1 << 30)
        && factor_good(record, ADD_SUM, INT32_MAX)
        && anne_limits_good(record->output->dtype, record->parameters[ADD_ACT_MIN], record->parameters[ADD_ACT_MAX]);
    needs->derived = sizeof(anne_add_t) / sizeof(int32_t);
    return good ? ANNE_OK : ANNE_ERROR_PARAMETER;
}

static anne_status_t check_add(const anne_record_t *record, anne_needs_t *needs) {
    bool is_float = record->input->dtype == ANNE_FLOAT32;
    if (record->n_inputs != 2 || record->n_outputs != 1 || record->n_constants != 0
        || record->n_parameters != (is_float ? 0 : ADD_PARAMETERS)) {
        return ANNE_ERROR_LAYER;
    }
    for (uint32_t i = B; i < ADD_TENSORS; i++) {
        const anne_tensor_t *other = anne_record_tensor(record, i);
        if (other->dtype != record->input->dtype || !anne_same_shape(record->input, other)) {
            return ANNE_ERROR_SHAPE;
        }
    }
    if (!anne_activation_good(record)) {
        return ANNE_ERROR_PARAMETER;
    }
    return is_float ? ANNE_OK : check_integers(record, needs);
}

static void (*choose_add(const anne_record_t *record))(const anne_layer_t *) {
    switch (record->input->dtype) {
    case ANNE_INT8:
        return run_add_s8;
    case ANNE_INT16:
        return run_add_s16;
    default:
        return run_add_f32;
    }
}

static uint32_t prepare_add(const anne_layer_t *layer, const anne_record_t *record) {
    if (layer->input->dtype == ANNE_FLOAT32) {
        return 0;
    }
    const int32_t *parameters = layer->parameters;
    *how_of(layer) = (anne_add_t){
        .a_zero_point = layer->input->zero_point,
        .b_zero_point = anne_record_tensor(record, B)->zero_point,
        .a = factor_at(parameters, ADD_A),
        .b = factor_at(parameters, ADD_B),
        .sum = factor_at(parameters, ADD_SUM),
        .output = {layer->output->zero_point, parameters[ADD_ACT_MIN], parameters[ADD_ACT_MAX]},
    };
    return sizeof(anne_add_t) / sizeof(int32_t);
}

const anne_layer_kind_t anne_add = {
    .check = check_add,
    .run = choose_add,
    .prepare = prepare_add,
    .place = ANNE_PLACE_IN_PLACE,
};
