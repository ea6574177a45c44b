// A dense layer in each of its layouts: a way to store weights, and the kernel that reads them.
#include "kernels/activations_f32.h"
#include "kernels/dense_f32.h"
#include "kernels/dense_f32_aligned.h"
#include "kernels/dense_s16.h"
#include "kernels/dense_s4.h"
#include "kernels/dense_s8.h"
#include "kernels/dense_s8_f32.h"
#include "kernels/requantize.h"
#include "layers/layouts.h"
#include "layers/rows.h"

// Parameters: the layout of the weights, and the limits of an integer result.
enum { DENSE_LAYOUT, DENSE_ACT_MIN, DENSE_ACT_MAX, DENSE_PARAMETERS };

// How a layer with weights of one layout runs. `needs` says what it needs, NULL for nothing; `prepare` as in
// anne_layer_kind_t.
typedef struct {
    void (*needs)(const anne_record_t *record, uint32_t n_in, uint32_t n_out, anne_needs_t *needs);
    uint32_t (*prepare)(const anne_layer_t *layer);
    void (*run)(const anne_layer_t *layer);
} dense_layout_t;

static void run_dense_f32(const anne_layer_t *layer) {
    anne_dense_f32(layer->constants[0], layer->constants[1], layer->x, layer->n_in, layer->n_out, layer->y);
    anne_activate_f32(layer->activation, layer->alpha, layer->y, layer->n_out);
}

// --- Aligned floats. scratch: the kernel's.

static void needs_dense_f32_aligned(const anne_record_t *record, uint32_t n_in, uint32_t n_out, anne_needs_t *needs) {
    (void)record;
    needs->scratch = anne_dense_f32_aligned_scratch(n_in, n_out) * sizeof(int32_t);
    needs->derived = ANNE_DENSE_F32_ALIGNED_DERIVED;
}

static uint32_t prepare_dense_f32_aligned(const anne_layer_t *layer) {
    anne_dense_f32_aligned_prepare(layer->derived, layer->constants[0], layer->constants[1], layer->constants[2],
                                   layer->x, layer->n_in, layer->n_out, layer->scratch, layer->y,
                                   layer->activation == ANNE_ACTIVATION_relu);
    return ANNE_DENSE_F32_ALIGNED_DERIVED;
}

// Without an activation, or with relu, which is the kernel's own.
static void run_dense_f32_aligned_alone(const anne_layer_t *layer) {
    anne_dense_f32_aligned(layer->derived);
}

static void run_dense_f32_aligned(const anne_layer_t *layer) {
    anne_dense_f32_aligned(layer->derived);
    if (layer->activation == ANNE_ACTIVATION_sigmoid) { // a small network's would notice the way through the others
        anne_sigmoids_f32(layer->y, layer->n_out);
    } else {
        anne_activate_f32(layer->activation, layer->alpha, layer->y, layer->n_out);
    }
}

// --- Integers. scratch: the sums, then what the kernel needs.

// From the sums at the beginning of the scratch.
static void requantize_s8(const anne_layer_t *layer) {
    anne_output_t output = anne_output_of(layer, DENSE_ACT_MIN);
    anne_requantize_s8(layer->scratch, layer->constants[2], layer->derived, layer->n_out, &output, layer->y);
}

static uint32_t prepare_requantize_s8(const anne_layer_t *layer) {
    return anne_prepare_rows_s8(layer, layer->n_in, layer->n_out);
}

// --- int8 by bands of rows. scratch: the sums of a band, what the kernel needs, the multipliers of a band.
//
// The multipliers of all rows take two bytes each as long as the model is loaded, the sums of all rows four while the
// layer runs: in an autoencoder more than all values between layers. So a layer of many rows has the sums of some at a
// time, and makes their multipliers then, 21 cycles each; none are needed where all rows have one factor, as in
// TensorFlow Lite's dense layers. Few rows are not worth it.
#define BAND           320
#define LEAST_IN_BANDS 33

static bool one_factor(const anne_rescale_t *factors, uint32_t n) {
    for (uint32_t r = 1; r < n; r++) {
        if (factors[r].multiplier != factors[0].multiplier || factors[r].shift != factors[0].shift) {
            return false;
        }
    }
    return true;
}

static bool in_bands(const anne_rescale_t *factors, uint32_t n_out) {
    return n_out > BAND || (n_out >= LEAST_IN_BANDS && one_factor(factors, n_out));
}

static uint32_t band_of(uint32_t n_out) {
    return n_out < BAND ? n_out : BAND;
}

// derived: what all rows share, then the first multiplier, and whether it is that of all.
enum { FIRST_MULTIPLIER, IS_ONE, SHARED_MULTIPLIERS };

static uint32_t prepare_bands(const anne_layer_t *layer) {
    const anne_rescale_t *factors = layer->constants[2];
    anne_approximation_t *shared = layer->derived;
    const bool is_one = one_factor(factors, layer->n_out);
    anne_prepare_shared_s8(layer, layer->n_in, layer->n_out, is_one ? 1 : layer->n_out);
    anne_approximate_rows(factors, 1, shared);
    shared->multipliers[IS_ONE] = is_one;
    return anne_approximation_bytes(SHARED_MULTIPLIERS) / sizeof(uint32_t);
}

static void run_bands(const anne_layer_t *layer) {
    const anne_output_t output = anne_output_of(layer, DENSE_ACT_MIN);
    const anne_rescale_t *factors = layer->constants[2];
    const anne_approximation_t *shared = layer->derived;
    const int32_t *bias = layer->constants[1];
    const uint32_t n_in = layer->n_in, n_out = layer->n_out, band = band_of(n_out);
    int32_t *acc = layer->scratch, *expanded = acc + band;
    anne_approximation_t *made = (void *)(expanded + anne_dense_s8_scratch(n_in));
    *made = *shared;
    const uint32_t pair = shared->multipliers[FIRST_MULTIPLIER] * 0x10001u;
#pragma GCC unroll 8
    for (uint32_t *at = (void *)made->multipliers, *end = at + (band + 1) / 2; at != end;) {
        *at++ = pair;
    }
    for (uint32_t first = 0; first < n_out; first += BAND) {
        uint32_t n = band_of(n_out - first);
        anne_dense_s8_band(layer->constants[0], n_out, first, bias + first, layer->x, n_in, n, expanded, acc);
        if (!shared->multipliers[IS_ONE]) {
            anne_approximate_rows(factors + first, n, made);
        }
        anne_requantize_s8(acc, factors + first, made, n, &output, (int8_t *)layer->y + first);
    }
}

// --- int8 and int4

static void needs_dense_s8_quad(const anne_record_t *record, uint32_t n_in, uint32_t n_out, anne_needs_t *needs) {
    bool bands = in_bands(record->constants[2], n_out);
    uint32_t made = bands ? anne_approximation_bytes(band_of(n_out)) : 0, sums = bands ? band_of(n_out) : n_out;
    needs->scratch = (sums + anne_dense_s8_scratch(n_in)) * sizeof(int32_t) + made;
    needs->derived = anne_approximation_bytes(bands ? SHARED_MULTIPLIERS : n_out) / sizeof(uint32_t);
}

static uint32_t prepare_dense_s8_quad(const anne_layer_t *layer) {
    return layer->run == run_bands ? prepare_bands(layer) : prepare_requantize_s8(layer);
}

static void run_dense_s8_quad(const anne_layer_t *layer) {
    int32_t *acc = layer->scratch, *expanded = acc + layer->n_out;
    if (layer->n_in <= ANNE_DENSE_S8_PANEL) {
        anne_dense_s8_one_panel(layer->constants[0], layer->constants[1], layer->x, layer->n_in, layer->n_out, expanded,
                                acc);
    } else {
        anne_dense_s8_quad(layer->constants[0], layer->constants[1], layer->x, layer->n_in, layer->n_out, expanded,
                           acc);
    }
    requantize_s8(layer);
}

static void needs_dense_s4(const anne_record_t *record, uint32_t n_in, uint32_t n_out, anne_needs_t *needs) {
    uint32_t panel = *(const uint32_t *)record->constants[3];
    needs->scratch = (anne_dense_s4_rows(n_out) + anne_dense_s4_scratch(n_in, panel)) * sizeof(int32_t);
    needs->derived = anne_approximation_bytes(n_out) / sizeof(uint32_t);
}

static void run_dense_s4(const anne_layer_t *layer) {
    int32_t *acc = layer->scratch;
    anne_dense_s4(layer->constants[0], layer->constants[1], layer->x, layer->n_in, layer->n_out,
                  *(const uint32_t *)layer->constants[3], acc + anne_dense_s4_rows(layer->n_out), acc);
    requantize_s8(layer);
}

static void needs_dense_s16(const anne_record_t *record, uint32_t n_in, uint32_t n_out, anne_needs_t *needs) {
    (void)record;
    needs->scratch = (n_out + anne_dense_s16_scratch(n_in)) * sizeof(int32_t);
}

static void run_dense_s16(const anne_layer_t *layer) {
    int32_t *acc = layer->scratch;
    anne_dense_s16(layer->constants[0], layer->constants[1], layer->x, layer->n_in, layer->n_out, acc + layer->n_out,
                   acc);
    anne_requantize_s16(acc, layer->constants[2], layer->n_out, anne_output_of(layer, DENSE_ACT_MIN), layer->y);
}

// --- int8 weights on floats. scratch: the kernel's.

static void needs_dense_s8_f32(const anne_record_t *record, uint32_t n_in, uint32_t n_out, anne_needs_t *needs) {
    (void)record;
    needs->scratch = anne_dense_s8_f32_scratch(n_in, n_out) * sizeof(int32_t);
}

static void run_dense_s8_f32(const anne_layer_t *layer) {
    anne_dense_s8_f32(layer->constants[0], layer->constants[2], layer->constants[1], layer->x, layer->n_in,
                      layer->n_out, layer->scratch, layer->y);
    anne_activate_f32(layer->activation, layer->alpha, layer->y, layer->n_out);
}

static const dense_layout_t dense_layouts[ANNE_LAYOUT_COUNT] = {
    [ANNE_LAYOUT_f32] = {NULL, NULL, run_dense_f32},
    [ANNE_LAYOUT_s8_quad] = {needs_dense_s8_quad, prepare_dense_s8_quad, run_dense_s8_quad},
    [ANNE_LAYOUT_s4] = {needs_dense_s4, prepare_requantize_s8, run_dense_s4},
    [ANNE_LAYOUT_s8_f32] = {needs_dense_s8_f32, NULL, run_dense_s8_f32},
    [ANNE_LAYOUT_s16] = {needs_dense_s16, NULL, run_dense_s16},
    [ANNE_LAYOUT_f32_aligned] = {needs_dense_f32_aligned, prepare_dense_f32_aligned, run_dense_f32_aligned},
};

static anne_status_t check_dense(const anne_record_t *record, anne_needs_t *needs) {
    const anne_tensor_t *x = record->input, *y = record->output;
    anne_status_t status = anne_check_layout(record, DENSE_LAYOUT, DENSE_PARAMETERS);
    if (status != ANNE_OK) {
        return status;
    }
    if (x->rank != 1 || y->rank != 1) {
        return ANNE_ERROR_SHAPE;
    }
    uint32_t layout = (uint32_t)record->parameters[DENSE_LAYOUT];
    status = anne_check_weights(record, layout, x->shape[0], y->shape[0], 1);
    if (status == ANNE_OK && dense_layouts[layout].needs != NULL) {
        dense_layouts[layout].needs(record, x->shape[0], y->shape[0], needs);
    }
    return status;
}

static anne_layer_run_t *choose_dense(const anne_record_t *record) {
    const int32_t layout = record->parameters[DENSE_LAYOUT];
    bool is_alone = record->activation == ANNE_ACTIVATION_linear || record->activation == ANNE_ACTIVATION_relu;
    if (layout == ANNE_LAYOUT_f32_aligned && is_alone) {
        return run_dense_f32_aligned_alone;
    }
    bool bands = layout == ANNE_LAYOUT_s8_quad && in_bands(record->constants[2], record->output->shape[0]);
    return bands ? run_bands : dense_layouts[layout].run;
}

static uint32_t prepare_dense(const anne_layer_t *layer, const anne_record_t *record) {
    (void)record;
    const dense_layout_t *layout = &dense_layouts[layer->parameters[DENSE_LAYOUT]];
    return layout->prepare == NULL ? 0 : layout->prepare(layer);
}

static uint32_t layout_of_dense(const anne_record_t *record) {
    return record->parameters[DENSE_LAYOUT];
}

// Fits, as so many weights are in the file.
static uint32_t macs_of_dense(const anne_record_t *record) {
    return record->input->shape[0] * record->output->shape[0];
}

// --- Weights that are rewritten. The scratch is as above; results are rescaled without multipliers.

#ifdef ANNE_REPACKS
static void run_repacked_s8(const anne_layer_t *layer) {
    const anne_output_t output = anne_output_of(layer, DENSE_ACT_MIN);
    const anne_rescale_t *factors = layer->constants[2];
    const int32_t *bias = layer->constants[1];
    const uint32_t n_out = layer->n_out;
    int32_t *acc = layer->scratch, *spread = acc + band_of(n_out);
    for (uint32_t first = 0; first < n_out; first += BAND) {
        uint32_t n = band_of(n_out - first);
        anne_dense_s8_rows(layer->constants[0], n_out, first, bias + first, layer->x, layer->n_in, n, spread, acc);
        anne_requantize_s8(acc, factors + first, layer->derived, n, &output, (int8_t *)layer->y + first);
    }
}

static void run_repacked_s16(const anne_layer_t *layer) {
    int32_t *acc = layer->scratch;
    anne_dense_s16_repacked(layer->constants[0], layer->constants[1], layer->x, layer->n_in, layer->n_out,
                            acc + layer->n_out, acc);
    anne_requantize_s16(acc, layer->constants[2], layer->n_out, anne_output_of(layer, DENSE_ACT_MIN), layer->y);
}

static anne_layer_run_t *repacked_dense(const anne_record_t *record) {
    static anne_layer_run_t *const runs[ANNE_LAYOUT_COUNT] = {
        [ANNE_LAYOUT_s8_quad] = run_repacked_s8,
        [ANNE_LAYOUT_s16] = run_repacked_s16,
    };
    return runs[record->parameters[DENSE_LAYOUT]];
}

static void repack_dense(const anne_record_t *record, bool back) {
    anne_layout_repack(record, (uint32_t)record->parameters[DENSE_LAYOUT], record->input->shape[0],
                       record->output->shape[0], 1, back);
}
#endif

const anne_layer_kind_t anne_dense = {
    .check = check_dense,
    .run = choose_dense,
    .prepare = prepare_dense,
    .layout = layout_of_dense,
    .macs = macs_of_dense,
#ifdef ANNE_REPACKS
    .repacked = repacked_dense,
    .repack = repack_dense,
#endif
};
