// A convolution in which each channel has windows and weights of its own.
#include "kernels/activations_f32.h"
#include "kernels/depthwise.h"
#include "layers/checks.h"
#include "layers/rows.h"
#include "layers/windows.h"

// Parameters: the window, then the limits of an integer result.
enum { DEPTHWISE_ACT_MIN = WINDOW_PARAMETERS, DEPTHWISE_ACT_MAX, DEPTHWISE_PARAMETERS };

// Constants: weights, bias; then of integers the factors, of int8 weights on floats their scales.
enum { WEIGHTS, BIAS, FACTORS, SCALES = FACTORS, FLOAT_CONSTANTS = FACTORS, OTHER_CONSTANTS };

static uint32_t channels_of(const anne_tensor_t *tensor) {
    return tensor->shape[tensor->rank - 1];
}

static anne_depthwise_output_t output_of(const anne_layer_t *layer) {
    return (anne_depthwise_output_t){layer->constants[FACTORS], layer->derived,
                                     anne_output_of(layer, DEPTHWISE_ACT_MIN)};
}

#define LAYER_OF(layer, window) \
    {&(window), channels_of((layer)->output), (layer)->constants[WEIGHTS], (layer)->constants[BIAS]}

static void run_depthwise_s8(const anne_layer_t *layer) {
    const anne_window_t window = anne_window_of(layer->input, layer->output, layer->parameters);
    const anne_depthwise_t how = LAYER_OF(layer, window);
    const anne_depthwise_output_t output = output_of(layer);
    anne_depthwise_s8(&how, &output, layer->input->zero_point, layer->x, layer->scratch, layer->y);
}

static void run_depthwise_s16(const anne_layer_t *layer) {
    const anne_window_t window = anne_window_of(layer->input, layer->output, layer->parameters);
    const anne_depthwise_t how = LAYER_OF(layer, window);
    const anne_depthwise_output_t output = output_of(layer);
    anne_depthwise_s16(&how, &output, layer->x, layer->scratch, layer->y);
}

static void run_floats(const anne_layer_t *layer, const float *scales) {
    const anne_window_t window = anne_window_of(layer->input, layer->output, layer->parameters);
    const anne_depthwise_t how = LAYER_OF(layer, window);
    anne_depthwise_f32(&how, scales, layer->x, layer->scratch, layer->y);
    anne_activate_f32(layer->activation, layer->alpha, layer->y, layer->n_out);
}

static void run_depthwise_f32(const anne_layer_t *layer) {
    run_floats(layer, NULL);
}

static void run_depthwise_s8_f32(const anne_layer_t *layer) {
    run_floats(layer, layer->constants[SCALES]);
}

static anne_status_t check_floats(const anne_record_t *record, uint32_t taps, uint32_t n_out) {
    bool has_scales = record->n_constants == OTHER_CONSTANTS;
    uint64_t n_weights = (uint64_t)taps * n_out;
    anne_status_t status =
        has_scales ? anne_check_constant(record, WEIGHTS, n_weights) : anne_check_floats(record, WEIGHTS, n_weights);
    if (status != ANNE_OK || anne_check_floats(record, BIAS, n_out) != ANNE_OK) {
        return ANNE_ERROR_CONSTANT;
    }
    return has_scales ? anne_check_floats(record, SCALES, n_out) : ANNE_OK;
}

static anne_status_t check_s8(const anne_record_t *record, uint32_t taps, uint32_t n_out, anne_needs_t *needs) {
    if (taps > ANNE_DEPTHWISE_S8_MAX_TAPS || anne_check_constant(record, WEIGHTS, (uint64_t)taps * n_out) != ANNE_OK) {
        return ANNE_ERROR_CONSTANT;
    }
    needs->derived = anne_approximation_bytes(n_out) / sizeof(uint32_t);
    return anne_check_rows(record, n_out);
}

// 2^15 times the magnitudes of each channel's weights, plus |bias|, is below 2^31.
static anne_status_t check_s16(const anne_record_t *record, uint32_t taps, uint32_t n_out) {
    if (anne_check_constant(record, WEIGHTS, (uint64_t)taps * n_out * sizeof(int16_t)) != ANNE_OK
        || anne_check_rows(record, n_out) != ANNE_OK) {
        return ANNE_ERROR_CONSTANT;
    }
    const int16_t *weights = record->constants[WEIGHTS];
    const int32_t *bias = record->constants[BIAS];
    for (uint32_t o = 0; o < n_out; o++) {
        int64_t most = bias[o] < 0 ? -bias[o] : bias[o];
        for (uint32_t t = 0; t < taps; t++, weights++) {
            most += (int64_t)(*weights < 0 ? -*weights : *weights) << 15;
        }
        if (most > INT32_MAX) {
            return ANNE_ERROR_CONSTANT;
        }
    }
    return ANNE_OK;
}

static anne_status_t check_constants(const anne_record_t *record, uint32_t taps, anne_needs_t *needs) {
    uint32_t n_out = channels_of(record->output);
    switch (record->input->dtype) {
    case ANNE_INT8:
        return check_s8(record, taps, n_out, needs);
    case ANNE_INT16:
        return check_s16(record, taps, n_out);
    default:
        return check_floats(record, taps, n_out);
    }
}

static anne_status_t check_depthwise(const anne_record_t *record, anne_needs_t *needs) {
    const anne_tensor_t *x = record->input, *y = record->output;
    uint32_t n_constants = record->n_constants;
    bool is_plain = x->dtype == ANNE_FLOAT32 && n_constants == FLOAT_CONSTANTS;
    if (anne_check_counts(record, is_plain ? FLOAT_CONSTANTS : OTHER_CONSTANTS, DEPTHWISE_PARAMETERS) != ANNE_OK) {
        return ANNE_ERROR_LAYER;
    }
    anne_status_t status = anne_check_window(record, channels_of(y));
    if (status != ANNE_OK) {
        return status;
    }
    if (x->dtype != y->dtype || channels_of(y) % channels_of(x) != 0) {
        return ANNE_ERROR_SHAPE;
    }
    if (!anne_activation_good(record)
        || !anne_limits_good(y->dtype, record->parameters[DEPTHWISE_ACT_MIN], record->parameters[DEPTHWISE_ACT_MAX])) {
        return ANNE_ERROR_PARAMETER;
    }
    const anne_window_t window = anne_window_of(x, y, record->parameters);
    status = check_constants(record, (uint32_t)window.kernel_h * (uint32_t)window.kernel_w, needs);
    if (status == ANNE_OK) { // its weights are in the file, at most 2^24 bytes: nothing wraps
        uint32_t element_bytes = anne_tensor_bytes(x) / anne_tensor_elements(x);
        needs->scratch = anne_depthwise_scratch(&window, channels_of(y), element_bytes) * sizeof(int32_t);
    }
    return status;
}

static void (*choose_depthwise(const anne_record_t *record))(const anne_layer_t *) {
    switch (record->input->dtype) {
    case ANNE_INT8:
        return run_depthwise_s8;
    case ANNE_INT16:
        return run_depthwise_s16;
    default:
        return record->n_constants == FLOAT_CONSTANTS ? run_depthwise_f32 : run_depthwise_s8_f32;
    }
}

static uint32_t prepare_depthwise(const anne_layer_t *layer, const anne_record_t *record) {
    const anne_window_t window = anne_window_of(layer->input, layer->output, layer->parameters);
    uint32_t taps = (uint32_t)window.kernel_h * (uint32_t)window.kernel_w;
    return record->input->dtype == ANNE_INT8 ? anne_prepare_rows_s8(layer, taps, channels_of(layer->output)) : 0;
}

static uint32_t macs_of_depthwise(const anne_record_t *record) {
    const anne_window_t window = anne_window_of(record->input, record->output, record->parameters);
    return anne_window_taps(&window) * channels_of(record->output);
}

const anne_layer_kind_t anne_depthwise_conv = {
    .check = check_depthwise,
    .run = choose_depthwise,
    .prepare = prepare_depthwise,
    .macs = macs_of_depthwise,
};
