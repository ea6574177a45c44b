// Depthwise and transposed convolutions: random windows, and constants of every size that the loader takes.
#include "make_depthwise.h"

#include "kernels/requantize.h"
#include "make_model.h"
#include "make_windows.h"
#include "model_files.h"

#define MOST_WEIGHTS (1u << 18)

static uint8_t weights[4 * MOST_WEIGHTS];
static int32_t numbers[2][2 * 1024]; // bias; factors or scales

static void any_floats(void *values, uint32_t n) {
    any_values(values, n, ANNE_FLOAT32);
    for (uint32_t i = 0; i < n; i++) {
        uint32_t word = word_at(values, 4 * i);
        put_word(values, 4 * i, (word & 0x7f800000) == 0x7f800000 ? word & 0xbfffffff : word); // finite
    }
}

// So small that 2^15 times the sum of n leaves room for a bias of 2^28.
static void any_s16(uint32_t n_weights, uint32_t n) {
    int32_t most = 57344 / (int32_t)(n + 1);
    most = most < INT16_MAX ? most : INT16_MAX;
    for (uint32_t i = 0; i < n_weights; i++) {
        int16_t weight = (int16_t)any_of(-most, most);
        memcpy(weights + 2 * i, &weight, sizeof weight);
    }
}

static void add_constant(move_t *layer, const void *content, uint32_t n_bytes) {
    layer->constants[layer->n_constants] = content;
    layer->constant_bytes[layer->n_constants++] = n_bytes;
}

// n_out rows, each of n weights.
static void any_rows(move_t *layer, bool has_scales, uint32_t n_out, uint32_t n) {
    anne_dtype_t dtype = layer->tensors[0].dtype;
    bool is_float = dtype == ANNE_FLOAT32, is_plain = is_float && !has_scales;
    uint32_t n_weights = n_out * n;
    CHECK(n_weights <= MOST_WEIGHTS && n_out <= 1024, "%u rows of %u", n_out, n);
    if (is_plain) {
        any_floats(weights, n_weights);
    } else if (dtype == ANNE_INT16) {
        any_s16(n_weights, n);
    } else {
        any_values(weights, n_weights, ANNE_INT8);
    }
    add_constant(layer, weights, n_weights * (is_plain ? 4 : dtype == ANNE_INT16 ? 2 : 1));
    add_constant(layer, numbers[0], 4 * n_out);
    if (is_float) {
        any_floats(numbers[0], n_out), any_floats(numbers[1], n_out);
    }
    for (uint32_t o = 0; o < n_out && !is_float; o++) {
        numbers[0][o] = any_of(-(1 << 28), 1 << 28);
        numbers[1][2 * o] = any_of(0, INT32_MAX);
        numbers[1][2 * o + 1] = any_of(-31, ANNE_MAX_SHIFT);
    }
    if (!is_plain) {
        add_constant(layer, numbers[1], is_float ? 4 * n_out : 8 * n_out);
    }
}

// Pads that a transposed convolution need not have, and an output of any size.
static void any_transposed_window(const anne_tensor_t *x, anne_tensor_t *y, int32_t *words) {
    for (uint32_t axis = 0; axis < 2; axis++) {
        bool is_there = axis == 1 || x->rank == 3;
        words[WINDOW_KERNEL_H + axis] = is_there ? any_of(1, 4) : 1;
        words[WINDOW_STRIDE_H + axis] = any_of(1, any_of(0, 9) > 0 ? 3 : 1 << 15);
        words[WINDOW_DILATION_H + axis] = any_of(1, any_of(0, 9) > 0 ? 3 : 1 << 15);
        words[WINDOW_PAD_TOP + axis] = any_of(0, any_of(0, 9) > 0 ? 3 : 1 << 15);
    }
    for (uint32_t axis = 0; axis + 1 < x->rank; axis++) {
        y->shape[axis] = (uint32_t)any_of(1, 20);
    }
}

move_t any_depthwise(anne_kind_t kind, anne_dtype_t dtype, bool has_scales, uint32_t rank, const uint32_t *shape) {
    move_t layer = {.kind = kind, .n_tensors = 2, .n_parameters = WINDOW_PARAMETERS + 2};
    anne_tensor_t x = {.dtype = dtype, .rank = (uint8_t)rank, .scale = dtype == ANNE_FLOAT32 ? 1 : 0.05f};
    x.zero_point = dtype == ANNE_INT8 ? any_of(-128, 127) : 0;
    memcpy(x.shape, shape, rank * sizeof *shape);
    anne_tensor_t y = x;
    layer.tensors[0] = x;
    uint32_t n_in = x.shape[rank - 1];
    if (kind == ANNE_KIND_depthwise_conv) {
        any_window(&x, &y, layer.parameters);
        y.shape[rank - 1] = n_in * (uint32_t)any_of(1, 4);
    } else {
        any_transposed_window(&x, &y, layer.parameters);
        y.shape[rank - 1] = (uint32_t)any_of(1, 4);
    }
    y.zero_point = dtype == ANNE_INT8 ? any_of(-128, 127) : 0;
    layer.tensors[1] = y;
    int32_t most = dtype == ANNE_INT8    ? INT8_MAX
                   : dtype == ANNE_INT16 ? INT16_MAX
                                         : 0,
            least = most > 0 ? -most - 1 : 0;
    layer.parameters[WINDOW_PARAMETERS] = any_of(least, most);
    layer.parameters[WINDOW_PARAMETERS + 1] = any_of(layer.parameters[WINDOW_PARAMETERS], most);
    uint32_t taps = (uint32_t)(layer.parameters[WINDOW_KERNEL_H] * layer.parameters[WINDOW_KERNEL_W]);
    any_rows(&layer, has_scales, y.shape[rank - 1], kind == ANNE_KIND_depthwise_conv ? taps : taps * n_in);
    return layer;
}
