// The same real values in another type: between floats and integers, or from one scale of integers to another.
#include "kernels/quantize.h"

#include "kernels/requantize.h"
#include "layers/checks.h"

// Parameters from integers to integers: multiplier and shift of the input's scale by the output's. Others have none.
enum { QUANTIZE_MULTIPLIER, QUANTIZE_SHIFT, QUANTIZE_PARAMETERS };

// Elements `i` of integers, whatever their type.
static inline int32_t integer_at(const anne_tensor_t *tensor, const void *x, uint32_t i) {
    return tensor->dtype == ANNE_INT8 ? ((const int8_t *)x)[i] : ((const int16_t *)x)[i];
}

static inline void put_integer(const anne_tensor_t *tensor, void *y, uint32_t i, int32_t q) {
    if (tensor->dtype == ANNE_INT8) {
        ((int8_t *)y)[i] = (int8_t)q;
    } else {
        ((int16_t *)y)[i] = (int16_t)q;
    }
}

static inline anne_output_t output_of(const anne_tensor_t *y) {
    return y->dtype == ANNE_INT8 ? (anne_output_t){y->zero_point, INT8_MIN, INT8_MAX}
                                 : (anne_output_t){0, INT16_MIN, INT16_MAX};
}

static inline anne_scale_t scale_of(const anne_tensor_t *tensor) {
    return anne_scale(tensor->scale, tensor->zero_point, tensor->dtype == ANNE_INT16);
}

static void run_from_f32(const anne_layer_t *layer) {
    const anne_scale_t scale = scale_of(layer->output);
    anne_quantize_f32(&scale, layer->x, layer->n_out, layer->y);
}

static void run_to_f32(const anne_layer_t *layer) {
    const anne_scale_t scale = scale_of(layer->input);
    anne_dequantize_f32(&scale, layer->x, layer->n_out, layer->y);
}

static void run_integers(const anne_layer_t *layer) {
    const anne_rescale_t factor = {layer->parameters[QUANTIZE_MULTIPLIER], layer->parameters[QUANTIZE_SHIFT]};
    const anne_output_t output = output_of(layer->output);
    for (uint32_t i = 0; i < layer->n_out; i++) {
        int32_t q = integer_at(layer->input, layer->x, i) - layer->input->zero_point;
        put_integer(layer->output, layer->y, i, anne_requantize_one(q, &factor, &output));
    }
}

static anne_status_t check_quantize(const anne_record_t *record, anne_needs_t *needs) {
    (void)needs;
    const anne_tensor_t *x = record->input, *y = record->output;
    bool floats = x->dtype == ANNE_FLOAT32 || y->dtype == ANNE_FLOAT32;
    if (anne_check_counts(record, 0, floats ? 0 : QUANTIZE_PARAMETERS) != ANNE_OK) {
        return ANNE_ERROR_LAYER;
    }
    if (!anne_same_shape(x, y) || (x->dtype == ANNE_FLOAT32 && y->dtype == ANNE_FLOAT32)) {
        return ANNE_ERROR_SHAPE;
    }
    if (floats) {
        return ANNE_OK;
    }
    int32_t shift = record->parameters[QUANTIZE_SHIFT];
    bool good = record->parameters[QUANTIZE_MULTIPLIER] >= 0 && -31 <= shift && shift <= ANNE_MAX_SHIFT;
    return good ? ANNE_OK : ANNE_ERROR_PARAMETER;
}

static anne_layer_run_t *choose_quantize(const anne_record_t *record) {
    return record->input->dtype == ANNE_FLOAT32    ? run_from_f32
           : record->output->dtype == ANNE_FLOAT32 ? run_to_f32
                                                   : run_integers;
}

const anne_layer_kind_t anne_quantize = {
    .check = check_quantize,
    .run = choose_quantize,
};
