// A transposed convolution: what makes an image larger.
#include "kernels/activations_f32.h"
#include "kernels/conv_transpose.h"
#include "layers/checks.h"
#include "layers/rows.h"
#include "layers/windows.h"

// Parameters: the window, then the limits of an integer result.
enum { TRANSPOSED_ACT_MIN = WINDOW_PARAMETERS, TRANSPOSED_ACT_MAX, TRANSPOSED_PARAMETERS };

// Constants: weights, bias; then of integers the factors, of int8 weights on floats their scales.
enum { WEIGHTS, BIAS, FACTORS, SCALES = FACTORS, FLOAT_CONSTANTS = FACTORS, OTHER_CONSTANTS };

#define TRANSPOSED_OF(layer, window) \
    {&(window), channels_of((layer)->output), (layer)->constants[WEIGHTS], (layer)->constants[BIAS]}

static uint32_t channels_of(const anne_tensor_t *tensor) {
    return tensor->shape[tensor->rank - 1];
}

static void run_transposed_s8(const anne_layer_t *layer) {
    const anne_window_t window = anne_window_of(layer->input, layer->output, layer->parameters);
    const anne_transposed_t how = TRANSPOSED_OF(layer, window);
    const anne_output_t output = anne_output_of(layer, TRANSPOSED_ACT_MIN);
    anne_conv_transpose_s8(&how, layer->input->zero_point, layer->constants[FACTORS], layer->derived, &output, layer->x,
                           layer->scratch, layer->y);
}

static void run_transposed_s16(const anne_layer_t *layer) {
    const anne_window_t window = anne_window_of(layer->input, layer->output, layer->parameters);
    const anne_transposed_t how = TRANSPOSED_OF(layer, window);
    anne_conv_transpose_s16(&how, layer->constants[FACTORS], anne_output_of(layer, TRANSPOSED_ACT_MIN), layer->x,
                            layer->scratch, layer->y);
}

static void run_floats(const anne_layer_t *layer, const float *scales) {
    const anne_window_t window = anne_window_of(layer->input, layer->output, layer->parameters);
    const anne_transposed_t how = TRANSPOSED_OF(layer, window);
    anne_conv_transpose_f32(&how, scales, layer->x, layer->scratch, layer->y);
    anne_activate_f32(layer->activation, layer->alpha, layer->y, layer->n_out);
}

static void run_transposed_f32(const anne_layer_t *layer) {
    run_floats(layer, NULL);
}

static void run_transposed_s8_f32(const anne_layer_t *layer) {
    run_floats(layer, layer->constants[SCALES]);
}

static uint32_t taps_of(const anne_record_t *record) {
    return (uint32_t)record->parameters[WINDOW_KERNEL_H] * (uint32_t)record->parameters[WINDOW_KERNEL_W];
}

// Taps times all pixels, of the output, and of the input with all products that each makes, are at most ANNE_MAX_STEPS:
// one factor after another, so that nothing wraps.
static bool steps_good(const anne_record_t *record) {
    const anne_tensor_t *x = record->input, *y = record->output;
    uint64_t taps = taps_of(record), n_in = channels_of(x), n_out = channels_of(y); // taps <= 2^30, channels <= 2^20
    uint64_t looked = taps * (anne_tensor_elements(y) / n_out), steps = taps * (anne_tensor_elements(x) / n_in);
    if (looked > ANNE_MAX_STEPS || steps > ANNE_MAX_STEPS) {
        return false;
    }
    steps *= n_out;
    return steps <= ANNE_MAX_STEPS && steps * n_in <= ANNE_MAX_STEPS;
}

static anne_status_t check_floats(const anne_record_t *record, uint64_t n_weights, uint32_t n_out) {
    bool has_scales = record->n_constants == OTHER_CONSTANTS;
    anne_status_t status =
        has_scales ? anne_check_constant(record, WEIGHTS, n_weights) : anne_check_floats(record, WEIGHTS, n_weights);
    if (status != ANNE_OK || anne_check_floats(record, BIAS, n_out) != ANNE_OK) {
        return ANNE_ERROR_CONSTANT;
    }
    return has_scales ? anne_check_floats(record, SCALES, n_out) : ANNE_OK;
}

// 2^15 times the magnitudes of each output channel's weights, plus |bias|, is below 2^31.
static anne_status_t check_sums(const anne_record_t *record, uint32_t taps, uint32_t n_in, uint32_t n_out) {
    const int32_t *bias = record->constants[BIAS];
    for (uint32_t o = 0; o < n_out; o++) {
        int64_t most = bias[o] < 0 ? -bias[o] : bias[o];
        for (uint32_t t = 0; t < taps; t++) {
            const int16_t *row = (const int16_t *)record->constants[WEIGHTS] + ((size_t)t * n_out + o) * n_in;
            for (uint32_t c = 0; c < n_in; c++) {
                most += (int64_t)(row[c] < 0 ? -row[c] : row[c]) << 15;
            }
        }
        if (most > INT32_MAX) {
            return ANNE_ERROR_CONSTANT;
        }
    }
    return ANNE_OK;
}

static anne_status_t check_constants(const anne_record_t *record, anne_needs_t *needs) {
    uint32_t n_in = channels_of(record->input), n_out = channels_of(record->output), taps = taps_of(record);
    uint64_t n_weights = (uint64_t)taps * n_in * n_out; // at most ANNE_MAX_STEPS
    if (record->input->dtype == ANNE_FLOAT32) {
        return check_floats(record, n_weights, n_out);
    }
    bool is_s8 = record->input->dtype == ANNE_INT8;
    if ((is_s8 && taps * n_in > ANNE_CONV_TRANSPOSE_S8_MAX_IN)
        || anne_check_constant(record, WEIGHTS, n_weights * (is_s8 ? 1 : 2)) != ANNE_OK
        || anne_check_rows(record, n_out) != ANNE_OK) {
        return ANNE_ERROR_CONSTANT;
    }
    needs->derived = is_s8 ? anne_approximation_bytes(n_out) / sizeof(uint32_t) : 0;
    return is_s8 ? ANNE_OK : check_sums(record, taps, n_in, n_out);
}

static anne_status_t check_conv_transpose(const anne_record_t *record, anne_needs_t *needs) {
    const anne_tensor_t *x = record->input, *y = record->output;
    bool is_plain = x->dtype == ANNE_FLOAT32 && record->n_constants == FLOAT_CONSTANTS;
    if (anne_check_counts(record, is_plain ? FLOAT_CONSTANTS : OTHER_CONSTANTS, TRANSPOSED_PARAMETERS) != ANNE_OK) {
        return ANNE_ERROR_LAYER;
    }
    anne_status_t status = anne_check_window_words(record);
    if (status != ANNE_OK) {
        return status;
    }
    if (x->dtype != y->dtype || !steps_good(record)) {
        return ANNE_ERROR_SHAPE;
    }
    if (!anne_activation_good(record)
        || !anne_limits_good(y->dtype, record->parameters[TRANSPOSED_ACT_MIN],
                             record->parameters[TRANSPOSED_ACT_MAX])) {
        return ANNE_ERROR_PARAMETER;
    }
    const anne_window_t window = anne_window_of(x, y, record->parameters);
    needs->scratch = anne_conv_transpose_scratch(&window, channels_of(y)) * sizeof(int32_t);
    return check_constants(record, needs);
}

static void (*choose_conv_transpose(const anne_record_t *record))(const anne_layer_t *) {
    switch (record->input->dtype) {
    case ANNE_INT8:
        return run_transposed_s8;
    case ANNE_INT16:
        return run_transposed_s16;
    default:
        return record->n_constants == FLOAT_CONSTANTS ? run_transposed_f32 : run_transposed_s8_f32;
    }
}

static uint32_t prepare_conv_transpose(const anne_layer_t *layer, const anne_record_t *record) {
    if (record->input->dtype != ANNE_INT8) {
        return 0;
    }
    // products are below 2^15, where those of a row have 2^14
    return anne_prepare_rows_s8(layer, 2 * taps_of(record) * channels_of(record->input), channels_of(record->output));
}

static uint32_t macs_of_conv_transpose(const anne_record_t *record) {
    return anne_tensor_elements(record->input) * taps_of(record) * channels_of(record->output);
}

const anne_layer_kind_t anne_conv_transpose = {
    .check = check_conv_transpose,
    .run = choose_conv_transpose,
    .prepare = prepare_conv_transpose,
    .macs = macs_of_conv_transpose,
};
