// A dense layer in each of its layouts: a way to store weights, and the kernel that reads them.
#include "kernels/activations_f32.h"
#include "kernels/dense_f32.h"
#include "kernels/dense_f32_aligned.h"
#include "kernels/dense_s16.h"
#include "kernels/dense_s4.h"
#include "kernels/dense_s8.h"
#include "kernels/dense_s8_f32.h"
#include "kernels/requantize.h"
#include "layers/checks.h"
#include "layers/rows.h"

// Parameters: the layout of the weights, and the limits of an integer result.
enum { DENSE_LAYOUT, DENSE_ACT_MIN, DENSE_ACT_MAX, DENSE_PARAMETERS };

// One way to store weights, with the kernel that reads them. `check` sees a record with shapes that fit and types as
// named here, and proves the constants. `prepare` as in anne_layer_kind_t.
typedef struct {
    uint8_t x_dtype;
    uint8_t y_dtype;
    uint8_t n_constants;
    anne_status_t (*check)(const anne_record_t *record, uint32_t n_in, uint32_t n_out, anne_needs_t *needs);
    uint32_t (*prepare)(const anne_layer_t *layer);
    void (*run)(const anne_layer_t *layer);
} dense_layout_t;

static anne_status_t check_dense_f32(const anne_record_t *record, uint32_t n_in, uint32_t n_out, anne_needs_t *needs) {
    (void)needs;
    if (anne_check_floats(record, 0, (uint64_t)n_in * n_out) != ANNE_OK) {
        return ANNE_ERROR_CONSTANT;
    }
    return anne_check_floats(record, 1, n_out);
}

static void run_dense_f32(const anne_layer_t *layer) {
    anne_dense_f32(layer->constants[0], layer->constants[1], layer->x, layer->n_in, layer->n_out, layer->y);
    anne_activate_f32(layer->activation, layer->alpha, layer->y, layer->n_out);
}

// --- Dense, aligned floats. Constants: weights, bias (float32), exponents (int32); scratch: the kernel's.

static anne_status_t check_dense_f32_aligned(const anne_record_t *record, uint32_t n_in, uint32_t n_out,
                                             anne_needs_t *needs) {
    uint64_t words = anne_dense_f32_aligned_words(n_in, n_out);
    if (n_in > ANNE_DENSE_F32_ALIGNED_MAX_IN || anne_check_constant(record, 0, words * sizeof(uint32_t)) != ANNE_OK
        || anne_check_floats(record, 1, n_out) != ANNE_OK
        || anne_check_constant(record, 2, (uint64_t)n_out * sizeof(int32_t)) != ANNE_OK) {
        return ANNE_ERROR_CONSTANT;
    }
    const uint32_t *weights = record->constants[0];
    for (uint64_t i = 0; i < words; i++) {
        if (!anne_dense_f32_aligned_word_good(weights[i])) {
            return ANNE_ERROR_CONSTANT;
        }
    }
    const int32_t *exponents = record->constants[2];
    for (uint32_t r = 0; r < n_out; r++) {
        if (exponents[r] < ANNE_DENSE_F32_ALIGNED_MIN_EXPONENT || exponents[r] > ANNE_DENSE_F32_ALIGNED_MAX_EXPONENT) {
            return ANNE_ERROR_CONSTANT;
        }
    }
    needs->scratch = anne_dense_f32_aligned_scratch(n_in, n_out) * sizeof(int32_t);
    needs->derived = ANNE_DENSE_F32_ALIGNED_DERIVED;
    return ANNE_OK;
}

static uint32_t prepare_dense_f32_aligned(const anne_layer_t *layer) {
    anne_dense_f32_aligned_prepare(layer->derived, layer->constants[0], layer->constants[1], layer->constants[2],
                                   layer->x, layer->n_in, layer->n_out, layer->scratch, layer->y,
                                   layer->activation == ANNE_ACTIVATION_relu);
    return ANNE_DENSE_F32_ALIGNED_DERIVED;
}

static void run_dense_f32_aligned(const anne_layer_t *layer) {
    anne_dense_f32_aligned(layer->derived);
    if (layer->activation != ANNE_ACTIVATION_relu) { // the kernel's own
        anne_activate_f32(layer->activation, layer->alpha, layer->y, layer->n_out);
    }
}

// --- Dense, integers. Constants: weights, bias (int32), factors (anne_rescale_t).

// From the sums at the beginning of the scratch.
static void requantize_s8(const anne_layer_t *layer) {
    anne_output_t output = anne_output_of(layer, DENSE_ACT_MIN);
    anne_requantize_s8(layer->scratch, layer->constants[2], layer->derived, layer->n_out, &output, layer->y);
}

static uint32_t prepare_requantize_s8(const anne_layer_t *layer) {
    return anne_prepare_rows_s8(layer, layer->n_in, layer->n_out);
}

// scratch: the sums, then what the kernel needs
static anne_status_t check_dense_s8_quad(const anne_record_t *record, uint32_t n_in, uint32_t n_out,
                                         anne_needs_t *needs) {
    if (n_in > ANNE_DENSE_S8_MAX_IN
        || anne_check_constant(record, 0, anne_dense_s8_words(n_in, n_out) * sizeof(uint32_t)) != ANNE_OK) {
        return ANNE_ERROR_CONSTANT;
    }
    needs->scratch = (n_out + anne_dense_s8_scratch(n_in)) * sizeof(int32_t);
    needs->derived = anne_approximation_bytes(n_out) / sizeof(uint32_t);
    return anne_check_rows(record, n_out);
}

static void run_dense_s8_quad(const anne_layer_t *layer) {
    int32_t *acc = layer->scratch;
    anne_dense_s8_quad(layer->constants[0], layer->constants[1], layer->x, layer->n_in, layer->n_out,
                       acc + layer->n_out, acc);
    requantize_s8(layer);
}

// The magnitudes of each row in each panel: see ANNE_DENSE_S4_HEAVIEST. Without a division for each weight, as a Pico
// divides for longer than it adds up eight.
static bool s4_rows_good(const uint32_t *weights, uint32_t n_in, uint32_t n_out, uint32_t panel) {
    for (uint32_t first = 0; first < n_in; first += panel) {
        uint32_t columns = n_in - first < panel ? n_in - first : panel;
        for (uint32_t r = 0; r < n_out; r++) {
            uint32_t sum = 0;
            for (uint32_t j = 0; j < columns; j++) {
                int32_t w = (int32_t)(weights[j] >> r % 8 * 4 & 15) - 8;
                sum += (uint32_t)(w < 0 ? -w : w);
            }
            if (sum > ANNE_DENSE_S4_HEAVIEST) {
                return false;
            }
            if (r % 8 == 7 || r + 1 == n_out) {
                weights += anne_dense_s4_columns(columns);
            }
        }
    }
    return true;
}

// scratch: as above
static anne_status_t check_dense_s4(const anne_record_t *record, uint32_t n_in, uint32_t n_out, anne_needs_t *needs) {
    if (n_in > ANNE_DENSE_S4_MAX_IN || anne_check_constant(record, 3, sizeof(int32_t)) != ANNE_OK
        || anne_check_constant(record, 0, anne_dense_s4_words(n_in, n_out) * sizeof(uint32_t)) != ANNE_OK) {
        return ANNE_ERROR_CONSTANT;
    }
    uint32_t panel = *(const uint32_t *)record->constants[3];
    if (panel == 0 || panel % 4 != 0 || panel > ANNE_DENSE_S4_MAX_IN
        || !s4_rows_good(record->constants[0], n_in, n_out, panel)) {
        return ANNE_ERROR_CONSTANT;
    }
    needs->scratch = (anne_dense_s4_rows(n_out) + anne_dense_s4_scratch(n_in, panel)) * sizeof(int32_t);
    needs->derived = anne_approximation_bytes(n_out) / sizeof(uint32_t);
    return anne_check_rows(record, n_out);
}

static void run_dense_s4(const anne_layer_t *layer) {
    int32_t *acc = layer->scratch;
    anne_dense_s4(layer->constants[0], layer->constants[1], layer->x, layer->n_in, layer->n_out,
                  *(const uint32_t *)layer->constants[3], acc + anne_dense_s4_rows(layer->n_out), acc);
    requantize_s8(layer);
}

// 32768 sum |w| + |bias| < 2^31 for each row. A sum of up to 2^20 times 2^15 fits 64 bits.
static bool s16_rows_good(const uint32_t *weights, const int32_t *bias, uint32_t n_in, uint32_t n_out) {
    for (uint32_t r = 0; r < n_out; r++) {
        int64_t sum = bias[r] < 0 ? -(int64_t)bias[r] : bias[r];
        for (uint32_t pair = 0; pair < anne_dense_s16_pairs(n_in); pair++) {
            uint32_t word = weights[anne_dense_s16_index(n_in, n_out, r, pair)];
            int32_t even = (int32_t)(word & 0xffff) - 32768, odd = (int16_t)(word >> 16);
            sum += (int64_t)((even < 0 ? -even : even) + (odd < 0 ? -odd : odd)) << 15;
        }
        if (sum > INT32_MAX) {
            return false;
        }
    }
    return true;
}

// scratch: the sums, then what the kernel needs
static anne_status_t check_dense_s16(const anne_record_t *record, uint32_t n_in, uint32_t n_out, anne_needs_t *needs) {
    if (anne_check_constant(record, 0, anne_dense_s16_words(n_in, n_out) * sizeof(uint32_t)) != ANNE_OK
        || anne_check_rows(record, n_out) != ANNE_OK
        || !s16_rows_good(record->constants[0], record->constants[1], n_in, n_out)) {
        return ANNE_ERROR_CONSTANT;
    }
    needs->scratch = (n_out + anne_dense_s16_scratch(n_in)) * sizeof(int32_t);
    return ANNE_OK;
}

static void run_dense_s16(const anne_layer_t *layer) {
    int32_t *acc = layer->scratch;
    anne_dense_s16(layer->constants[0], layer->constants[1], layer->x, layer->n_in, layer->n_out, acc + layer->n_out,
                   acc);
    anne_requantize_s16(acc, layer->constants[2], layer->n_out, anne_output_of(layer, DENSE_ACT_MIN), layer->y);
}

// --- Dense, int8 weights on floats. Constants: weights, bias (float32), scale (float32); scratch: the kernel's.

static anne_status_t check_dense_s8_f32(const anne_record_t *record, uint32_t n_in, uint32_t n_out,
                                        anne_needs_t *needs) {
    if (n_in > ANNE_DENSE_S8_MAX_IN
        || anne_check_constant(record, 0, anne_dense_s8_words(n_in, n_out) * sizeof(uint32_t)) != ANNE_OK
        || anne_check_floats(record, 1, n_out) != ANNE_OK) {
        return ANNE_ERROR_CONSTANT;
    }
    needs->scratch = anne_dense_s8_f32_scratch(n_in, n_out) * sizeof(int32_t);
    return anne_check_floats(record, 2, n_out);
}

static void run_dense_s8_f32(const anne_layer_t *layer) {
    anne_dense_s8_f32(layer->constants[0], layer->constants[2], layer->constants[1], layer->x, layer->n_in,
                      layer->n_out, layer->scratch, layer->y);
    anne_activate_f32(layer->activation, layer->alpha, layer->y, layer->n_out);
}

// the numbers of FORMAT.md, "Kind 1, dense"
static const dense_layout_t dense_layouts[] = {
    [1] = {ANNE_FLOAT32, ANNE_FLOAT32, 2, check_dense_f32, NULL, run_dense_f32},
    [2] = {ANNE_INT8, ANNE_INT8, 3, check_dense_s8_quad, prepare_requantize_s8, run_dense_s8_quad},
    [3] = {ANNE_INT8, ANNE_INT8, 4, check_dense_s4, prepare_requantize_s8, run_dense_s4},
    [4] = {ANNE_FLOAT32, ANNE_FLOAT32, 3, check_dense_s8_f32, NULL, run_dense_s8_f32},
    [5] = {ANNE_INT16, ANNE_INT16, 3, check_dense_s16, NULL, run_dense_s16},
    [6] = {ANNE_FLOAT32, ANNE_FLOAT32, 3, check_dense_f32_aligned, prepare_dense_f32_aligned, run_dense_f32_aligned},
};

static const dense_layout_t *dense_layout(const int32_t *parameters) {
    uint32_t layout = (uint32_t)parameters[DENSE_LAYOUT];
    bool known = layout < sizeof dense_layouts / sizeof dense_layouts[0] && dense_layouts[layout].check != NULL;
    return known ? &dense_layouts[layout] : NULL;
}

static anne_status_t check_dense(const anne_record_t *record, anne_needs_t *needs) {
    const anne_tensor_t *x = record->input, *y = record->output;
    if (record->n_inputs != 1 || record->n_outputs != 1 || record->n_parameters != DENSE_PARAMETERS) {
        return ANNE_ERROR_LAYER;
    }
    const dense_layout_t *layout = dense_layout(record->parameters);
    if (layout == NULL || record->n_constants != layout->n_constants) {
        return ANNE_ERROR_LAYER;
    }
    if (x->rank != 1 || y->rank != 1 || x->dtype != layout->x_dtype || y->dtype != layout->y_dtype) {
        return ANNE_ERROR_SHAPE;
    }
    if (!anne_activation_good(record)
        || !anne_limits_good(y->dtype, record->parameters[DENSE_ACT_MIN], record->parameters[DENSE_ACT_MAX])) {
        return ANNE_ERROR_PARAMETER;
    }
    return layout->check(record, x->shape[0], y->shape[0], needs);
}

static void (*choose_dense(const anne_record_t *record))(const anne_layer_t *) {
    return dense_layout(record->parameters)->run;
}

static uint32_t prepare_dense(const anne_layer_t *layer, const anne_record_t *record) {
    (void)record;
    const dense_layout_t *layout = dense_layout(layer->parameters);
    return layout->prepare == NULL ? 0 : layout->prepare(layer);
}

static uint32_t layout_of_dense(const anne_record_t *record) {
    return record->parameters[DENSE_LAYOUT];
}

// Fits, as so many weights are in the file.
static uint32_t macs_of_dense(const anne_record_t *record) {
    return record->input->shape[0] * record->output->shape[0];
}

const anne_layer_kind_t anne_dense = {
    .check = check_dense,
    .run = choose_dense,
    .prepare = prepare_dense,
    .layout = layout_of_dense,
    .macs = macs_of_dense,
};
