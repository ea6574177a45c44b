// A transposed convolution: what makes an image larger.
#include "kernels/activations_f32.h"
#include "kernels/conv_transpose.h"
#include "layers/checks.h"
#include "layers/rows.h"
#include "layers/windows.h"

// Parameters: the window, then the limits of an integer result.
enum { TRANSPOSED_ACT_MIN = WINDOW_PARAMETERS, TRANSPOSED_ACT_MAX, TRANSPOSED_PARAMETERS };

#define TRANSPOSED_OF(layer, window) \
    {&(window), anne_last_axis((layer)->output), (layer)->constants[PLAIN_WEIGHTS], (layer)->constants[PLAIN_BIAS]}

static void run_transposed_s8(const anne_layer_t *layer) {
    const anne_window_t window = anne_window_of(layer->input, layer->output, layer->parameters);
    const anne_transposed_t how = TRANSPOSED_OF(layer, window);
    const anne_output_t output = anne_output_of(layer, TRANSPOSED_ACT_MIN);
    anne_conv_transpose_s8(&how, layer->input->zero_point, layer->constants[PLAIN_FACTORS], layer->derived, &output,
                           layer->x, layer->scratch, layer->y);
}

static void run_transposed_s16(const anne_layer_t *layer) {
    const anne_window_t window = anne_window_of(layer->input, layer->output, layer->parameters);
    const anne_transposed_t how = TRANSPOSED_OF(layer, window);
    anne_conv_transpose_s16(&how, layer->constants[PLAIN_FACTORS], anne_output_of(layer, TRANSPOSED_ACT_MIN), layer->x,
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
    run_floats(layer, layer->constants[PLAIN_SCALES]);
}

static uint32_t taps_of(const anne_record_t *record) {
    return (uint32_t)record->parameters[WINDOW_KERNEL_H] * (uint32_t)record->parameters[WINDOW_KERNEL_W];
}

// Taps times all pixels, of the output, and of the input with all products that each makes, are at most ANNE_MAX_STEPS:
// one factor after another, so that nothing wraps.
static bool steps_good(const anne_record_t *record) {
    const anne_tensor_t *x = record->input, *y = record->output;
    uint64_t taps = taps_of(record), n_in = anne_last_axis(x), n_out = anne_last_axis(y); // 2^30, and 2^20, at most
    uint64_t looked = taps * (anne_tensor_elements(y) / n_out), steps = taps * (anne_tensor_elements(x) / n_in);
    if (looked > ANNE_MAX_STEPS || steps > ANNE_MAX_STEPS) {
        return false;
    }
    steps *= n_out;
    return steps <= ANNE_MAX_STEPS && steps * n_in <= ANNE_MAX_STEPS;
}

static anne_status_t check_conv_transpose(const anne_record_t *record, anne_needs_t *needs) {
    const anne_tensor_t *x = record->input, *y = record->output;
    uint32_t n_constants = anne_plain_floats(record) ? PLAIN_FLOAT_CONSTANTS : PLAIN_OTHER_CONSTANTS;
    if (anne_check_counts(record, n_constants, TRANSPOSED_PARAMETERS) != ANNE_OK) {
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
    needs->scratch = anne_conv_transpose_scratch(&window, anne_last_axis(y)) * sizeof(int32_t);
    const anne_plain_t plain = {taps_of(record), anne_last_axis(y), anne_last_axis(x)};
    return anne_check_plain(record, &plain, ANNE_CONV_TRANSPOSE_S8_MAX_IN, needs);
}

static anne_layer_run_t *choose_conv_transpose(const anne_record_t *record) {
    return anne_run_of(record, anne_plain_floats(record) ? run_transposed_f32 : run_transposed_s8_f32,
                       run_transposed_s8, run_transposed_s16);
}

static uint32_t prepare_conv_transpose(const anne_layer_t *layer, const anne_record_t *record) {
    if (record->input->dtype != ANNE_INT8) {
        return 0;
    }
    // products are below 2^15, where those of a row have 2^14
    return anne_prepare_rows_s8(layer, 2 * taps_of(record) * anne_last_axis(record->input),
                                anne_last_axis(record->output));
}

static uint32_t macs_of_conv_transpose(const anne_record_t *record) {
    return anne_tensor_elements(record->input) * taps_of(record) * anne_last_axis(record->output);
}

const anne_layer_kind_t anne_conv_transpose = {
    .check = check_conv_transpose,
    .run = choose_conv_transpose,
    .prepare = prepare_conv_transpose,
    .macs = macs_of_conv_transpose,
};
