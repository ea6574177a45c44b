// A convolution in which each channel has windows and weights of its own.
#include "kernels/activations_f32.h"
#include "kernels/depthwise.h"
#include "kernels/depthwise_s8.h"
#include "layers/checks.h"
#include "layers/rows.h"
#include "layers/windows.h"

// Parameters: the window, then the limits of an integer result.
enum { DEPTHWISE_ACT_MIN = WINDOW_PARAMETERS, DEPTHWISE_ACT_MAX, DEPTHWISE_PARAMETERS };

static anne_depthwise_output_t output_of(const anne_layer_t *layer) {
    return (anne_depthwise_output_t){layer->constants[PLAIN_FACTORS], layer->derived,
                                     anne_output_of(layer, DEPTHWISE_ACT_MIN)};
}

#define LAYER_OF(layer, window) \
    {&(window), anne_last_axis((layer)->output), (layer)->constants[PLAIN_WEIGHTS], (layer)->constants[PLAIN_BIAS]}

static void run_depthwise_s8(const anne_layer_t *layer) {
    const anne_window_t window = anne_window_of(layer->input, layer->output, layer->parameters);
    const anne_depthwise_t how = LAYER_OF(layer, window);
    const anne_depthwise_output_t output = output_of(layer);
    anne_depthwise_s8(&how, &output, layer->input->zero_point, layer->x, layer->scratch, layer->y);
}

static void run_depthwise_s8_pairs(const anne_layer_t *layer) {
    const anne_window_t window = anne_window_of(layer->input, layer->output, layer->parameters);
    const anne_depthwise_t how = LAYER_OF(layer, window);
    const anne_depthwise_output_t output = output_of(layer);
    anne_depthwise_s8_pairs(&how, &output, layer->input->zero_point, layer->x, layer->scratch, layer->y);
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
    run_floats(layer, layer->constants[PLAIN_SCALES]);
}

// Words of scratch of a layer of int8 that is computed in pairs of pixels, else 0.
static uint32_t pairs_scratch(const anne_record_t *record) {
    const anne_window_t window = anne_window_of(record->input, record->output, record->parameters);
    return record->input->dtype == ANNE_INT8 ? anne_depthwise_s8_scratch(&window) : 0;
}

static anne_status_t check_depthwise(const anne_record_t *record, anne_needs_t *needs) {
    const anne_tensor_t *x = record->input, *y = record->output;
    uint32_t n_constants = anne_plain_floats(record) ? PLAIN_FLOAT_CONSTANTS : PLAIN_OTHER_CONSTANTS;
    if (anne_check_counts(record, n_constants, DEPTHWISE_PARAMETERS) != ANNE_OK) {
        return ANNE_ERROR_LAYER;
    }
    anne_status_t status = anne_check_window(record, anne_last_axis(y));
    if (status != ANNE_OK) {
        return status;
    }
    if (x->dtype != y->dtype || anne_last_axis(y) % anne_last_axis(x) != 0) {
        return ANNE_ERROR_SHAPE;
    }
    if (!anne_activation_good(record)
        || !anne_limits_good(y->dtype, record->parameters[DEPTHWISE_ACT_MIN], record->parameters[DEPTHWISE_ACT_MAX])) {
        return ANNE_ERROR_PARAMETER;
    }
    const anne_window_t window = anne_window_of(x, y, record->parameters);
    const anne_plain_t plain = {1, anne_last_axis(y), (uint32_t)window.kernel_h * (uint32_t)window.kernel_w};
    status = anne_check_plain(record, &plain, ANNE_DEPTHWISE_S8_MAX_TAPS, needs);
    if (status == ANNE_OK) { // its weights are in the file, at most 2^24 bytes: nothing wraps
        uint32_t in_pairs = pairs_scratch(record);
        needs->derived = in_pairs > 0 ? 0 : needs->derived;
        needs->scratch = in_pairs > 0 ? in_pairs : anne_depthwise_scratch(&window, plain.n_out, anne_item_bytes(x));
        needs->scratch *= sizeof(int32_t);
    }
    return status;
}

static anne_layer_run_t *choose_depthwise(const anne_record_t *record) {
    return anne_run_of(record, anne_plain_floats(record) ? run_depthwise_f32 : run_depthwise_s8_f32,
                       pairs_scratch(record) > 0 ? run_depthwise_s8_pairs : run_depthwise_s8, run_depthwise_s16);
}

static uint32_t prepare_depthwise(const anne_layer_t *layer, const anne_record_t *record) {
    if (record->input->dtype != ANNE_INT8 || pairs_scratch(record) > 0) {
        return 0;
    }
    const anne_window_t window = anne_window_of(layer->input, layer->output, layer->parameters);
    uint32_t taps = (uint32_t)window.kernel_h * (uint32_t)window.kernel_w;
    return anne_prepare_rows_s8(layer, taps, anne_last_axis(layer->output));
}

static uint32_t macs_of_depthwise(const anne_record_t *record) {
    const anne_window_t window = anne_window_of(record->input, record->output, record->parameters);
    return anne_window_taps(&window) * anne_last_axis(record->output);
}

const anne_layer_kind_t anne_depthwise_conv = {
    .check = check_depthwise,
    .run = choose_depthwise,
    .prepare = prepare_depthwise,
    .macs = macs_of_depthwise,
};
