// Every reason for which the loader refuses a depthwise or a transposed convolution: one that is whole, one thing
// changed.
#include "refusals_depthwise.h"

#include "layers/windows.h"
#include "make_moves.h"
#include "model.h"
#include "model_files.h"

enum { ACT_MIN = WINDOW_PARAMETERS, ACT_MAX, ACTIVATION_AT = 48 + 2 * 32 + 7 }; // of a record with two tensors

static uint8_t bytes[1 << 17];
static uint8_t activation;
static uint8_t weights[1 << 16];
static int32_t bias[4], factors[8];

static anne_status_t status_of(const move_t *layer) {
    uint32_t n_bytes = write_move(bytes, sizeof bytes, layer, 8);
    CHECK(n_bytes > 0, "too long");
    bytes[ACTIVATION_AT] = activation;
    put_word(bytes, 12, crc32(bytes + 16, n_bytes - 16));
    return open_status(bytes, n_bytes);
}

// One thing changed of `layer`, which is whole again afterwards: `expected` is the verdict.
#define REFUSED(place, value, expected)                                                                \
    do {                                                                                               \
        CHECK(status_of(&layer) == ANNE_OK, "not whole");                                              \
        const move_t whole = layer;                                                                    \
        const __typeof__(place) before = (place);                                                      \
        (place) = (value);                                                                             \
        anne_status_t status = status_of(&layer);                                                      \
        CHECK(status == (expected), #place " = " #value ": %d, expected %d", status, (int)(expected)); \
        (place) = before;                                                                              \
        layer = whole;                                                                                 \
    } while (0)

// Two channels of 5 steps; four channels of the output, windows of 3: of a depthwise convolution with a pad of 1.
static move_t layer_of(anne_kind_t kind, anne_dtype_t dtype, uint32_t n_constants) {
    bool is_transposed = kind == ANNE_KIND_conv_transpose;
    uint32_t n_weights = is_transposed ? 3 * 4 * 2 : 3 * 4, is_float = dtype == ANNE_FLOAT32;
    uint32_t element = is_float ? (n_constants == 2 ? 4 : 1) : dtype == ANNE_INT16 ? 2 : 1;
    move_t layer = {.kind = kind,
                    .n_tensors = 2,
                    .n_parameters = WINDOW_PARAMETERS + 2,
                    .parameters = {1, 3, 1, 1, 1, 1, 0, 1, 0, is_float ? 0 : 99},
                    .n_constants = n_constants,
                    .constants = {weights, bias, factors, factors},
                    .constant_bytes = {n_weights * element, 16, is_float ? 16 : 32, 4}};
    layer.tensors[0] = (anne_tensor_t){.dtype = dtype, .rank = 2, .shape = {5, 2}, .scale = is_float ? 1 : 0.5f};
    layer.tensors[1] = (anne_tensor_t){.dtype = dtype, .rank = 2, .shape = {5, 4}, .scale = is_float ? 1 : 0.5f};
    activation = ANNE_ACTIVATION_linear;
    memset(weights, 0, sizeof weights), memset(bias, 0, sizeof bias), memset(factors, 0, sizeof factors);
    return layer;
}

static void check_what_all_have(move_t layer) {
    bool is_float = layer.tensors[0].dtype == ANNE_FLOAT32;
    REFUSED(layer.n_parameters, 9, ANNE_ERROR_LAYER);
    REFUSED(layer.n_constants, 1, ANNE_ERROR_LAYER);
    REFUSED(layer.n_constants, is_float ? 4 : 2, ANNE_ERROR_LAYER);
    REFUSED(layer.tensors[1].dtype, is_float ? ANNE_INT16 : ANNE_FLOAT32,
            is_float ? ANNE_ERROR_SHAPE : ANNE_ERROR_TENSOR);
    REFUSED(layer.tensors[0], ((anne_tensor_t){layer.tensors[0].dtype, 0, 1, 0, {10}, layer.tensors[0].scale, 0, 0}),
            ANNE_ERROR_SHAPE);
    REFUSED(layer.parameters[WINDOW_KERNEL_W], 0, ANNE_ERROR_PARAMETER);
    REFUSED(layer.parameters[ACT_MAX], is_float ? 1 : 40000, ANNE_ERROR_PARAMETER);
    REFUSED(activation, is_float ? ANNE_ACTIVATION_softmax : ANNE_ACTIVATION_tanh, ANNE_ERROR_PARAMETER);
    for (uint32_t i = 0; i < layer.n_constants; i++) {
        REFUSED(layer.constant_bytes[i], layer.constant_bytes[i] - 4, ANNE_ERROR_CONSTANT);
    }
}

static void check_floats(anne_kind_t kind) {
    move_t layer = layer_of(kind, ANNE_FLOAT32, 2);
    check_what_all_have(layer);
    layer = layer_of(kind, ANNE_FLOAT32, 2);
    REFUSED(weights[3], 0x7f, ANNE_OK); // 1.7e38
    weights[2] = 0x80;
    REFUSED(weights[3], 0x7f, ANNE_ERROR_CONSTANT); // infinite
    REFUSED(bias[3], 0x7f800000, ANNE_ERROR_CONSTANT);
    layer = layer_of(kind, ANNE_FLOAT32, 3);
    check_what_all_have(layer);
    layer = layer_of(kind, ANNE_FLOAT32, 3);
    REFUSED(bias[0], 0x7fc00000, ANNE_ERROR_CONSTANT);
    REFUSED(factors[3], 0x7fc00000, ANNE_ERROR_CONSTANT);
}

static void check_integers(anne_kind_t kind, anne_dtype_t dtype) {
    move_t layer = layer_of(kind, dtype, 3);
    check_what_all_have(layer);
    layer = layer_of(kind, dtype, 3);
    REFUSED(bias[1], 1 << 28, ANNE_OK);
    REFUSED(bias[1], (1 << 28) + 1, ANNE_ERROR_CONSTANT);
    REFUSED(bias[1], -(1 << 28) - 1, ANNE_ERROR_CONSTANT);
    REFUSED(factors[6], -1, ANNE_ERROR_CONSTANT);
    REFUSED(factors[7], -32, ANNE_ERROR_CONSTANT);
    REFUSED(factors[7], 16, ANNE_ERROR_CONSTANT);
}

// Weights of 32767 and 32767 and 1 for the last channel: 2^15 65535 + 32767 is below 2^31.
static void check_sums(anne_kind_t kind) {
    move_t layer = layer_of(kind, ANNE_INT16, 3);
    int16_t heavy[] = {32767, -32767, 1};
    for (uint32_t t = 0; t < 3; t++) { // of a transposed convolution: tap t, row 3, channel 1
        uint32_t at = kind == ANNE_KIND_conv_transpose ? (t * 4 + 3) * 2 + 1 : 3 * 3 + t;
        memcpy(weights + 2 * at, &heavy[t], sizeof heavy[t]);
    }
    REFUSED(bias[3], 32767, ANNE_OK);
    REFUSED(bias[3], -32767, ANNE_OK);
    REFUSED(bias[3], 32768, ANNE_ERROR_CONSTANT);
    REFUSED(bias[3], -32768, ANNE_ERROR_CONSTANT);
}

static void check_windows(void) {
    move_t layer = layer_of(ANNE_KIND_depthwise_conv, ANNE_INT8, 3);
    REFUSED(layer.tensors[1].shape[1], 3, ANNE_ERROR_SHAPE); // not twice 2
    REFUSED(layer.parameters[WINDOW_PAD_LEFT], 3, ANNE_ERROR_SHAPE);
    layer.parameters[WINDOW_KERNEL_W] = 16383; // one position, 4 channels
    layer.parameters[WINDOW_PAD_LEFT] = 16382;
    layer.tensors[1].shape[0] = 5;
    layer.constant_bytes[0] = 4 * 16383;
    CHECK(status_of(&layer) == ANNE_OK, "16383 taps");
    layer.parameters[WINDOW_KERNEL_W] = 16384;
    layer.constant_bytes[0] = 4 * 16384;
    CHECK(status_of(&layer) == ANNE_ERROR_CONSTANT, "16384 taps");
}

static void check_transposed_steps(void) {
    move_t layer = layer_of(ANNE_KIND_conv_transpose, ANNE_INT8, 3);
    layer.parameters[WINDOW_KERNEL_W] = 8191; // of 2 channels
    layer.constant_bytes[0] = 8191 * 8;
    CHECK(status_of(&layer) == ANNE_OK, "8191 taps");
    layer.parameters[WINDOW_KERNEL_W] = 8192;
    layer.constant_bytes[0] = 8192 * 8;
    CHECK(status_of(&layer) == ANNE_ERROR_CONSTANT, "8192 taps");
    layer.parameters[WINDOW_KERNEL_W] = 1 << 15; // times pixels of the output, of the input, times channels of each
    static const uint32_t sizes[][4] = {{5, 2, 8193, 1}, {8193, 1, 5, 1}, {4097, 1, 5, 4}, {4097, 4, 5, 1}};
    for (uint32_t i = 0; i < 4; i++) {
        memcpy(layer.tensors[0].shape, sizes[i], 2 * sizeof sizes[i][0]);
        memcpy(layer.tensors[1].shape, sizes[i] + 2, 2 * sizeof sizes[i][0]);
        CHECK(status_of(&layer) == ANNE_ERROR_SHAPE, "steps %u", i);
    }
}

void check_depthwise(void) {
    for (anne_kind_t kind = ANNE_KIND_depthwise_conv; kind != 0;
         kind = kind == ANNE_KIND_depthwise_conv ? ANNE_KIND_conv_transpose : 0) {
        check_floats(kind);
        check_integers(kind, ANNE_INT8);
        check_integers(kind, ANNE_INT16);
        check_sums(kind);
    }
    check_windows();
    check_transposed_steps();
}
