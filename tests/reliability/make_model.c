// Model files of one layer: header, tensors, one record, the constants. Sizes come of the kernels' own headers.
#include "make_model.h"

#include <math.h>
#include <stdbool.h>

#include "anne.h"
#include "any_graph.h"
#include "kernels/dense_f32_aligned.h"
#include "kernels/dense_s16.h"
#include "kernels/dense_s4.h"
#include "kernels/dense_s8.h"
#include "kernels/requantize.h"
#include "kernels/arithmetic_f32.h"
#include "kernels/tables.h"
#include "make_depthwise.h"
#include "make_moves.h"
#include "make_windows.h"
#include "model_files.h"

void make_model_seed(uint64_t seed) {
    any_of_state = seed;
}

enum {
    KIND_DENSE = 1,
    KIND_ACTIVATION,
    KIND_SCALING,
    KIND_RESHAPE,
    KIND_ADD,
    KIND_PAD,
    KIND_SUBTRACT = 14,
    KIND_MULTIPLY,
};
#define LAYOUT(variant) ((variant) - VARIANT_dense_f32 + 1) // FORMAT.md numbers them in this order

typedef struct {
    uint8_t kind, x_dtype, y_dtype;
} kind_t;

static kind_t kind_of(variant_t variant) {
    static const kind_t kinds[VARIANT_COUNT] = {
        [VARIANT_dense_f32] = {KIND_DENSE, ANNE_FLOAT32, ANNE_FLOAT32},
        [VARIANT_dense_s8_quad] = {KIND_DENSE, ANNE_INT8, ANNE_INT8},
        [VARIANT_dense_s4] = {KIND_DENSE, ANNE_INT8, ANNE_INT8},
        [VARIANT_dense_s8_f32] = {KIND_DENSE, ANNE_FLOAT32, ANNE_FLOAT32},
        [VARIANT_dense_s16] = {KIND_DENSE, ANNE_INT16, ANNE_INT16},
        [VARIANT_dense_f32_aligned] = {KIND_DENSE, ANNE_FLOAT32, ANNE_FLOAT32},
        [VARIANT_activation_f32] = {KIND_ACTIVATION, ANNE_FLOAT32, ANNE_FLOAT32},
        [VARIANT_softmax_f32] = {KIND_ACTIVATION, ANNE_FLOAT32, ANNE_FLOAT32},
        [VARIANT_table_s8] = {KIND_ACTIVATION, ANNE_INT8, ANNE_INT8},
        [VARIANT_table_s16] = {KIND_ACTIVATION, ANNE_INT16, ANNE_INT16},
        [VARIANT_softmax_s8] = {KIND_ACTIVATION, ANNE_INT8, ANNE_INT8},
        [VARIANT_log_softmax_s8] = {KIND_ACTIVATION, ANNE_INT8, ANNE_INT8},
        [VARIANT_softmax_s16] = {KIND_ACTIVATION, ANNE_INT16, ANNE_INT16},
        [VARIANT_scaling_f32] = {KIND_SCALING, ANNE_FLOAT32, ANNE_FLOAT32},
        [VARIANT_scaling_s8] = {KIND_SCALING, ANNE_FLOAT32, ANNE_INT8},
        [VARIANT_scaling_s16] = {KIND_SCALING, ANNE_FLOAT32, ANNE_INT16},
        [VARIANT_reshape] = {KIND_RESHAPE, ANNE_INT8, ANNE_INT8},
        [VARIANT_add_f32] = {KIND_ADD, ANNE_FLOAT32, ANNE_FLOAT32},
        [VARIANT_add_s8] = {KIND_ADD, ANNE_INT8, ANNE_INT8},
        [VARIANT_add_s16] = {KIND_ADD, ANNE_INT16, ANNE_INT16},
        [VARIANT_pad_f32] = {KIND_PAD, ANNE_FLOAT32, ANNE_FLOAT32},
        [VARIANT_pad_s8] = {KIND_PAD, ANNE_INT8, ANNE_INT8},
        [VARIANT_pad_s16] = {KIND_PAD, ANNE_INT16, ANNE_INT16},
        [VARIANT_concatenate_f32] = {ANNE_KIND_concatenate, ANNE_FLOAT32, ANNE_FLOAT32},
        [VARIANT_concatenate_s8] = {ANNE_KIND_concatenate, ANNE_INT8, ANNE_INT8},
        [VARIANT_concatenate_s16] = {ANNE_KIND_concatenate, ANNE_INT16, ANNE_INT16},
        [VARIANT_max_pool_f32] = {ANNE_KIND_max_pool, ANNE_FLOAT32, ANNE_FLOAT32},
        [VARIANT_max_pool_s8] = {ANNE_KIND_max_pool, ANNE_INT8, ANNE_INT8},
        [VARIANT_max_pool_s16] = {ANNE_KIND_max_pool, ANNE_INT16, ANNE_INT16},
        [VARIANT_average_pool_f32] = {ANNE_KIND_average_pool, ANNE_FLOAT32, ANNE_FLOAT32},
        [VARIANT_average_pool_s8] = {ANNE_KIND_average_pool, ANNE_INT8, ANNE_INT8},
        [VARIANT_average_pool_s16] = {ANNE_KIND_average_pool, ANNE_INT16, ANNE_INT16},
        [VARIANT_pad_border_f32] = {ANNE_KIND_pad, ANNE_FLOAT32, ANNE_FLOAT32},
        [VARIANT_pad_border_s8] = {ANNE_KIND_pad, ANNE_INT8, ANNE_INT8},
        [VARIANT_pad_border_s16] = {ANNE_KIND_pad, ANNE_INT16, ANNE_INT16},
        [VARIANT_slice_f32] = {ANNE_KIND_slice, ANNE_FLOAT32, ANNE_FLOAT32},
        [VARIANT_slice_s8] = {ANNE_KIND_slice, ANNE_INT8, ANNE_INT8},
        [VARIANT_slice_s16] = {ANNE_KIND_slice, ANNE_INT16, ANNE_INT16},
        [VARIANT_transpose_f32] = {ANNE_KIND_transpose, ANNE_FLOAT32, ANNE_FLOAT32},
        [VARIANT_transpose_s8] = {ANNE_KIND_transpose, ANNE_INT8, ANNE_INT8},
        [VARIANT_transpose_s16] = {ANNE_KIND_transpose, ANNE_INT16, ANNE_INT16},
        [VARIANT_resize_nearest_s8] = {ANNE_KIND_resize, ANNE_INT8, ANNE_INT8},
        [VARIANT_resize_nearest_s16] = {ANNE_KIND_resize, ANNE_INT16, ANNE_INT16},
        [VARIANT_resize_f32] = {ANNE_KIND_resize, ANNE_FLOAT32, ANNE_FLOAT32},
        [VARIANT_resize_s8] = {ANNE_KIND_resize, ANNE_INT8, ANNE_INT8},
        [VARIANT_resize_s16] = {ANNE_KIND_resize, ANNE_INT16, ANNE_INT16},
        [VARIANT_embedding_f32] = {ANNE_KIND_embedding, ANNE_FLOAT32, ANNE_FLOAT32},
        [VARIANT_embedding_s8] = {ANNE_KIND_embedding, ANNE_INT8, ANNE_INT8},
        [VARIANT_embedding_s16] = {ANNE_KIND_embedding, ANNE_INT16, ANNE_INT16},
        [VARIANT_delay_f32] = {ANNE_KIND_delay, ANNE_FLOAT32, ANNE_FLOAT32},
        [VARIANT_delay_s8] = {ANNE_KIND_delay, ANNE_INT8, ANNE_INT8},
        [VARIANT_delay_s16] = {ANNE_KIND_delay, ANNE_INT16, ANNE_INT16},
        [VARIANT_conv_f32] = {ANNE_KIND_conv, ANNE_FLOAT32, ANNE_FLOAT32},
        [VARIANT_conv_s8_quad] = {ANNE_KIND_conv, ANNE_INT8, ANNE_INT8},
        [VARIANT_conv_s4] = {ANNE_KIND_conv, ANNE_INT8, ANNE_INT8},
        [VARIANT_conv_s8_f32] = {ANNE_KIND_conv, ANNE_FLOAT32, ANNE_FLOAT32},
        [VARIANT_conv_s16] = {ANNE_KIND_conv, ANNE_INT16, ANNE_INT16},
        [VARIANT_conv_f32_aligned] = {ANNE_KIND_conv, ANNE_FLOAT32, ANNE_FLOAT32},
        [VARIANT_reduce_f32] = {ANNE_KIND_reduce, ANNE_FLOAT32, ANNE_FLOAT32},
        [VARIANT_reduce_s8] = {ANNE_KIND_reduce, ANNE_INT8, ANNE_INT8},
        [VARIANT_reduce_s16] = {ANNE_KIND_reduce, ANNE_INT16, ANNE_INT16},
        [VARIANT_layer_norm] = {ANNE_KIND_layer_norm, ANNE_FLOAT32, ANNE_FLOAT32},
        [VARIANT_arg_max_f32] = {ANNE_KIND_arg_max, ANNE_FLOAT32, ANNE_FLOAT32},
        [VARIANT_arg_max_s8] = {ANNE_KIND_arg_max, ANNE_INT8, ANNE_INT16},
        [VARIANT_arg_max_s16] = {ANNE_KIND_arg_max, ANNE_INT16, ANNE_INT16},
        [VARIANT_subtract_f32] = {KIND_SUBTRACT, ANNE_FLOAT32, ANNE_FLOAT32},
        [VARIANT_subtract_s8] = {KIND_SUBTRACT, ANNE_INT8, ANNE_INT8},
        [VARIANT_subtract_s16] = {KIND_SUBTRACT, ANNE_INT16, ANNE_INT16},
        [VARIANT_multiply_f32] = {KIND_MULTIPLY, ANNE_FLOAT32, ANNE_FLOAT32},
        [VARIANT_multiply_s8] = {KIND_MULTIPLY, ANNE_INT8, ANNE_INT8},
        [VARIANT_multiply_s16] = {KIND_MULTIPLY, ANNE_INT16, ANNE_INT16},
        [VARIANT_constant_f32] = {KIND_MULTIPLY, ANNE_FLOAT32, ANNE_FLOAT32},
        [VARIANT_constant_s8] = {KIND_MULTIPLY, ANNE_INT8, ANNE_INT8},
        [VARIANT_constant_s16] = {KIND_MULTIPLY, ANNE_INT16, ANNE_INT16},
        [VARIANT_depthwise_f32] = {ANNE_KIND_depthwise_conv, ANNE_FLOAT32, ANNE_FLOAT32},
        [VARIANT_depthwise_s8_f32] = {ANNE_KIND_depthwise_conv, ANNE_FLOAT32, ANNE_FLOAT32},
        [VARIANT_depthwise_s8] = {ANNE_KIND_depthwise_conv, ANNE_INT8, ANNE_INT8},
        [VARIANT_depthwise_s16] = {ANNE_KIND_depthwise_conv, ANNE_INT16, ANNE_INT16},
        [VARIANT_conv_transpose_f32] = {ANNE_KIND_conv_transpose, ANNE_FLOAT32, ANNE_FLOAT32},
        [VARIANT_conv_transpose_s8_f32] = {ANNE_KIND_conv_transpose, ANNE_FLOAT32, ANNE_FLOAT32},
        [VARIANT_conv_transpose_s8] = {ANNE_KIND_conv_transpose, ANNE_INT8, ANNE_INT8},
        [VARIANT_conv_transpose_s16] = {ANNE_KIND_conv_transpose, ANNE_INT16, ANNE_INT16},
        [VARIANT_prelu_f32] = {ANNE_KIND_prelu, ANNE_FLOAT32, ANNE_FLOAT32},
        [VARIANT_prelu_s8] = {ANNE_KIND_prelu, ANNE_INT8, ANNE_INT8},
        [VARIANT_prelu_s16] = {ANNE_KIND_prelu, ANNE_INT16, ANNE_INT16},
        [VARIANT_clip_f32] = {ANNE_KIND_clip, ANNE_FLOAT32, ANNE_FLOAT32},
        [VARIANT_clip_s8] = {ANNE_KIND_clip, ANNE_INT8, ANNE_INT8},
        [VARIANT_clip_s16] = {ANNE_KIND_clip, ANNE_INT16, ANNE_INT16},
        [VARIANT_quantize_s8] = {ANNE_KIND_quantize, ANNE_FLOAT32, ANNE_INT8},
        [VARIANT_quantize_s16] = {ANNE_KIND_quantize, ANNE_FLOAT32, ANNE_INT16},
        [VARIANT_quantize_f32] = {ANNE_KIND_quantize, ANNE_INT16, ANNE_FLOAT32},
        [VARIANT_quantize_s8_s16] = {ANNE_KIND_quantize, ANNE_INT8, ANNE_INT16},
        [VARIANT_quantize_s16_s8] = {ANNE_KIND_quantize, ANNE_INT16, ANNE_INT8},
    };
    return kinds[variant];
}

// Those that make_depthwise.h makes.
static bool is_depthwise(variant_t variant) {
    uint8_t kind = kind_of(variant).kind;
    return kind == ANNE_KIND_depthwise_conv || kind == ANNE_KIND_conv_transpose;
}

// Whether a window moves over images or signals.
static bool has_window(variant_t variant) {
    uint8_t kind = kind_of(variant).kind;
    return kind == ANNE_KIND_max_pool || kind == ANNE_KIND_average_pool;
}

// Of the model that is being made: its window, or what is reduced.
static int32_t window[WINDOW_PARAMETERS];

// The dense layer whose constants a convolution has; other variants are themselves.
static variant_t of_rows(variant_t variant) {
    return kind_of(variant).kind == ANNE_KIND_conv ? variant - VARIANT_conv_f32 + VARIANT_dense_f32 : variant;
}

static bool is_binary(variant_t variant) {
    uint8_t kind = kind_of(variant).kind;
    return kind == KIND_ADD || kind == KIND_SUBTRACT || kind == KIND_MULTIPLY || kind == ANNE_KIND_prelu;
}

static bool has_constant(variant_t variant) {
    return VARIANT_constant_f32 <= variant && variant <= VARIANT_prelu_s16;
}

// --- Shapes ---------------------------------------------------------------------------------------------------------

static uint32_t any_n_in(void) {
    static const int32_t panels[] = {28, 168, 336, 508, 1016}; // columns that kernels sum at once, and twice as many
    switch (any_of(0, 9)) {
    case 0:
        return (uint32_t)(panels[any_of(0, 4)] + any_of(-3, 5));
    case 1:
        return (uint32_t)any_of(1, 1200);
    default:
        return (uint32_t)any_of(1, 90);
    }
}

// A window along an axis of `in` numbers: kernel, stride, dilation, pad; returns how many numbers it makes.
static uint32_t any_windows(uint32_t in, int32_t most, int32_t *window) {
    int32_t kernel = any_of(1, most), stride = any_of(1, 3), dilation = any_of(0, 2) ? 1 : any_of(1, 4);
    int32_t pad = any_of(0, 2) ? any_of(0, (kernel - 1) * dilation) : 0;
    window[0] = kernel, window[2] = stride, window[4] = dilation, window[6] = pad;
    return (uint32_t)any_of(1, ((int32_t)in - 1 + pad) / stride + 1);
}

shape_t any_image(variant_t variant, uint32_t channels, uint32_t n_out, uint32_t groups) {
    shape_t shape = {.variant = variant, .rank = (uint32_t)any_of(2, 3), .n_out = n_out, .groups = groups};
    uint32_t columns = shape.rank - 2;
    shape.shape[0] = (uint32_t)any_of(1, 9);
    shape.shape[columns] = (uint32_t)any_of(1, 14);
    shape.shape[columns + 1] = channels;
    shape.output[0] = any_windows(columns == 0 ? 1 : shape.shape[0], 3, &shape.window[0]);
    bool wide = channels < 200 && any_of(0, 19) == 0; // more than the panels of kernels
    shape.output[1] = any_windows(shape.shape[columns], wide ? 70 : 4, &shape.window[1]);
    return shape;
}

static shape_t any_conv(variant_t variant) {
    uint32_t groups = any_of(0, 2) ? 1 : (uint32_t)any_of(1, 4);
    // seldom a window larger than those that the Pico 2 rewrites
    bool deep = variant == VARIANT_conv_s8_quad && any_of(0, 19) == 0;
    uint32_t channels = groups * (uint32_t)any_of(1, deep ? 1300 : 9);
    return any_image(variant, channels, groups * (uint32_t)any_of(1, any_of(1, 10) < 10 ? 10 : 40), groups);
}

shape_t any_shape(variant_t variant) {
    if (kind_of(variant).kind == ANNE_KIND_conv) {
        return any_conv(variant);
    }
    shape_t shape = {.variant = variant, .rank = 1, .n_out = (uint32_t)any_of(1, any_of(1, 10) < 10 ? 20 : 400)};
    if (kind_of(variant).kind == KIND_DENSE) {
        shape.shape[0] = any_n_in();
        return shape;
    }
    shape.rank =
        has_window(variant) || is_depthwise(variant) ? (uint32_t)any_of(2, 3) : (uint32_t)any_of(1, ANNE_MAX_RANK);
    int32_t left = variant == VARIANT_softmax_s8       ? ANNE_SOFTMAX_S8_MAX
                   : variant == VARIANT_log_softmax_s8 ? ANNE_LOG_SOFTMAX_MAX
                   : shape.rank == 1                   ? 20000
                                                       : 3000;
    for (uint32_t i = 0; i < shape.rank; i++) {
        shape.shape[i] = (uint32_t)any_of(1, shape.rank == 1 ? left : left < 40 ? left : 40);
        left /= (int32_t)shape.shape[i];
    }
    return shape;
}

// --- Constants ------------------------------------------------------------------------------------------------------

static uint32_t any_word(void) {
    return (uint32_t)any_of(0, 0xffff) << 16 | (uint32_t)any_of(0, 0xffff);
}

void any_values(void *values, uint32_t n, anne_dtype_t dtype) {
    static const uint32_t special[] = {0,          0x80000000, 0x7f800000, 0xff800000, 0x7fc00000, 1,
                                       0x807fffff, 0x7f7fffff, 0xff7fffff, 0x00800000, 0x3f800000, 0xbf800000};
    uint32_t bytes = n * (dtype == ANNE_FLOAT32 ? 4 : dtype == ANNE_INT16 ? 2 : 1);
    bool plain = any_of(0, 3) > 0; // else everything else would be lost in NaN
    for (uint32_t at = 0; at < bytes; at += 4) {
        uint32_t word = any_word();
        if (dtype == ANNE_FLOAT32 && plain) {
            word = (word & 0x87ffffff) | 0x38000000; // magnitudes of 3e-5 to 2
        } else if (dtype == ANNE_FLOAT32 && any_of(0, 3) == 0) {
            word = special[any_of(0, sizeof special / sizeof special[0] - 1)];
        }
        memcpy((uint8_t *)values + at, &word, bytes - at < 4 ? bytes - at : 4);
    }
}

static void floats(void *constant, uint32_t n) {
    any_values(constant, n, ANNE_FLOAT32);
    for (uint32_t i = 0; i < n; i++) {
        uint32_t word = word_at(constant, 4 * i);
        if ((word & 0x7f800000) == 0x7f800000) { // infinite or NaN
            put_word(constant, 4 * i, word & 0xbfffffff);
        }
    }
}

static void words(void *constant, uint32_t n) {
    for (uint32_t i = 0; i < n; i++) {
        put_word(constant, 4 * i, any_word());
    }
}

static void biases(void *constant, uint32_t n) {
    for (uint32_t i = 0; i < n; i++) {
        put_word(constant, 4 * i, (uint32_t)any_of(-(1 << 28), 1 << 28));
    }
}

static void factors(void *constant, uint32_t n) {
    for (uint32_t i = 0; i < n; i++) {
        put_word(constant, 8 * i, (uint32_t)any_of(0, INT32_MAX));
        put_word(constant, 8 * i + 4, (uint32_t)any_of(-31, ANNE_MAX_SHIFT));
    }
}

// Rows may all have one, as in TensorFlow Lite's dense layers, or all but the last.
static void different_or_one(void *constant, uint32_t n) {
    factors(constant, n);
    if (any_of(0, 2) > 0) {
        return;
    }
    for (uint32_t i = 1; i < n; i++) {
        memcpy((uint8_t *)constant + 8 * i, constant, 8);
    }
    if (any_of(0, 2) == 0) {
        put_word(constant, 8 * n - 4, (uint32_t)any_of(-31, ANNE_MAX_SHIFT));
    }
}

// Weights of 4 bits; in panels of more than 28 columns all are -1, 0 or 1, as 252 of them may stand in a panel.
static uint32_t s4_weights(void *constant, uint32_t n) {
    bool broad = any_of(0, 1);
    for (uint32_t i = 0; i < n; i++) {
        uint32_t word = 0;
        for (int nibble = 0; nibble < 8; nibble++) {
            word = word << 4 | (uint32_t)(broad ? any_of(7, 9) : any_of(0, 15));
        }
        put_word(constant, 4 * i, word);
    }
    return (uint32_t)any_of(1, broad ? 63 : 7) * 4;
}

// Pairs of weights so small that 2^15 times their sum leaves room for a bias of 2^28.
static void s16_weights(void *constant, uint32_t n_in, uint32_t n) {
    int32_t most = 57344 / (int32_t)(n_in + 1);
    most = most < 32767 ? most : 32767;
    for (uint32_t i = 0; i < n; i++) {
        put_word(constant, 4 * i, (uint32_t)(any_of(-most, most) + 32768 + 65536 * any_of(-most, most)));
    }
}

static void aligned_weights(void *constant, uint32_t n) {
    for (uint32_t i = 0; i < n; i++) {
        int32_t most = ANNE_DENSE_F32_ALIGNED_MAX_WEIGHT, w = any_of(0, 9) > 0 ? any_of(-most, most)
                                                              : any_of(0, 1)   ? most
                                                                               : -most;
        int32_t high = (w + 2048) >> 12;
        put_word(constant, 4 * i, 65536u * (uint32_t)high + (uint32_t)(w - 4096 * high + 2048));
    }
}

static void exponents(void *constant, uint32_t n) {
    for (uint32_t i = 0; i < n; i++) {
        bool plain = any_of(0, 3) > 0;
        put_word(constant, 4 * i,
                 (uint32_t)(plain ? any_of(-30, 5)
                                  : any_of(ANNE_DENSE_F32_ALIGNED_MIN_EXPONENT, ANNE_DENSE_F32_ALIGNED_MAX_EXPONENT)));
    }
}

static void exponentials_s8(void *constant) {
    for (uint32_t i = 0; i < 256; i++) {
        put_word(constant, 4 * i, i == 0 ? INT32_MAX : (uint32_t)any_of(0, INT32_MAX));
    }
}

static void log_softmax_tables(void *constant) {
    for (uint32_t i = 0; i < 256; i++) {
        put_word(constant, 4 * i, i == 0 ? 1 << 19 : (uint32_t)any_of(0, 1 << 19));
        put_word(constant, 4 * (256 + i), (uint32_t)any_of(-(1 << 30), 0));
    }
}

static void exponentials_s16(void *constant) {
    int16_t *entries = constant;
    for (uint32_t i = 0; i < ANNE_TABLE_S16_ENTRIES; i++) {
        entries[i] = (int16_t)(i == 0 ? INT16_MAX : any_of(0, INT16_MAX));
    }
}

// --- The file -------------------------------------------------------------------------------------------------------

typedef struct {
    uint32_t n;
    uint32_t bytes[4];
} sizes_t;

static sizes_t constant_sizes(variant_t variant, uint32_t n_in, uint32_t n_out, uint32_t n_last) {
    switch (variant) {
    case VARIANT_constant_f32:
    case VARIANT_prelu_f32:
        return (sizes_t){1, {4 * n_last}};
    case VARIANT_constant_s8:
    case VARIANT_prelu_s8:
        return (sizes_t){1, {n_last}};
    case VARIANT_constant_s16:
    case VARIANT_prelu_s16:
        return (sizes_t){1, {2 * n_last}};
    case VARIANT_dense_f32:
        return (sizes_t){2, {4 * n_in * n_out, 4 * n_out}};
    case VARIANT_dense_s8_quad:
        return (sizes_t){3, {4 * (uint32_t)anne_dense_s8_words(n_in, n_out), 4 * n_out, 8 * n_out}};
    case VARIANT_dense_s4:
        return (sizes_t){4, {4 * (uint32_t)anne_dense_s4_words(n_in, n_out), 4 * n_out, 8 * n_out, 4}};
    case VARIANT_dense_s8_f32:
        return (sizes_t){3, {4 * (uint32_t)anne_dense_s8_words(n_in, n_out), 4 * n_out, 4 * n_out}};
    case VARIANT_dense_s16:
        return (sizes_t){3, {4 * (uint32_t)anne_dense_s16_words(n_in, n_out), 4 * n_out, 8 * n_out}};
    case VARIANT_dense_f32_aligned:
        return (sizes_t){3, {4 * (uint32_t)anne_dense_f32_aligned_words(n_in, n_out), 4 * n_out, 4 * n_out}};
    case VARIANT_table_s8:
        return (sizes_t){1, {256}};
    case VARIANT_softmax_s8:
        return (sizes_t){1, {1024}};
    case VARIANT_log_softmax_s8:
        return (sizes_t){1, {2048}};
    case VARIANT_table_s16:
    case VARIANT_softmax_s16:
        return (sizes_t){1, {2 * ANNE_TABLE_S16_ENTRIES}};
    case VARIANT_layer_norm:
    case VARIANT_scaling_f32:
    case VARIANT_scaling_s8:
    case VARIANT_scaling_s16:
        return (sizes_t){2, {4 * n_last, 4 * n_last}};
    default:
        return (sizes_t){0};
    }
}

static void fill_constants(variant_t variant, uint8_t *const *at, const sizes_t *sizes, uint32_t n_in, uint32_t n_out) {
    switch (variant) {
    case VARIANT_dense_f32:
    case VARIANT_layer_norm:
    case VARIANT_scaling_f32:
    case VARIANT_scaling_s8:
    case VARIANT_scaling_s16:
        floats(at[0], sizes->bytes[0] / 4), floats(at[1], sizes->bytes[1] / 4);
        break;
    case VARIANT_dense_s8_quad:
        words(at[0], sizes->bytes[0] / 4), biases(at[1], n_out), different_or_one(at[2], n_out);
        break;
    case VARIANT_dense_s4:
        put_word(at[3], 0, s4_weights(at[0], sizes->bytes[0] / 4));
        biases(at[1], n_out), factors(at[2], n_out);
        break;
    case VARIANT_dense_s8_f32:
        words(at[0], sizes->bytes[0] / 4), floats(at[1], n_out), floats(at[2], n_out);
        break;
    case VARIANT_dense_s16:
        s16_weights(at[0], n_in, sizes->bytes[0] / 4), biases(at[1], n_out), factors(at[2], n_out);
        break;
    case VARIANT_dense_f32_aligned:
        aligned_weights(at[0], sizes->bytes[0] / 4), floats(at[1], n_out), exponents(at[2], n_out);
        break;
    case VARIANT_table_s8:
    case VARIANT_table_s16:
        words(at[0], sizes->bytes[0] / 4);
        break;
    case VARIANT_constant_f32:
    case VARIANT_prelu_f32:
        floats(at[0], sizes->bytes[0] / 4);
        break;
    case VARIANT_constant_s8:
    case VARIANT_constant_s16:
    case VARIANT_prelu_s8:
    case VARIANT_prelu_s16:
        any_values(at[0], sizes->bytes[0], ANNE_INT8);
        break;
    case VARIANT_softmax_s8:
        exponentials_s8(at[0]);
        break;
    case VARIANT_log_softmax_s8:
        log_softmax_tables(at[0]);
        break;
    case VARIANT_softmax_s16:
        exponentials_s16(at[0]);
        break;
    default:
        break;
    }
}

// Any but softmax and log_softmax, up to one behind them.
static anne_activation_t any_up_to(anne_activation_t last) {
    uint32_t activation = (uint32_t)any_of(0, (int32_t)last - 2);
    return activation < ANNE_ACTIVATION_softmax ? activation : activation + 2;
}

// A sum is exact to a part of its terms, so only of flat functions of it something can be said: exp, log, rsqrt and
// the others behind them are tested as layers of their own.
static anne_activation_t any_but_softmax(variant_t variant) {
    bool alone = kind_of(variant).kind == KIND_ACTIVATION;
    return any_up_to(alone ? ANNE_ACTIVATION_COUNT - 1 : ANNE_ACTIVATION_exp - 1);
}

static anne_activation_t any_activation(variant_t variant) {
    switch (variant) {
    case VARIANT_softmax_f32:
        return any_of(ANNE_ACTIVATION_softmax, ANNE_ACTIVATION_log_softmax);
    case VARIANT_softmax_s8:
    case VARIANT_softmax_s16:
        return ANNE_ACTIVATION_softmax;
    case VARIANT_log_softmax_s8:
        return ANNE_ACTIVATION_log_softmax;
    case VARIANT_dense_s8_quad:
    case VARIANT_dense_s4:
    case VARIANT_dense_s16:
    case VARIANT_conv_s8_quad:
    case VARIANT_conv_s4:
    case VARIANT_conv_s16:
    case VARIANT_add_s8:
    case VARIANT_add_s16:
    case VARIANT_max_pool_s8:
    case VARIANT_max_pool_s16:
    case VARIANT_average_pool_s8:
    case VARIANT_average_pool_s16:
    case VARIANT_subtract_s8:
    case VARIANT_subtract_s16:
    case VARIANT_multiply_s8:
    case VARIANT_multiply_s16:
    case VARIANT_constant_s8:
    case VARIANT_constant_s16:
    case VARIANT_prelu_s8:
    case VARIANT_prelu_s16:
        return any_of(0, ANNE_ACTIVATION_relu6);
    case VARIANT_clip_f32:
    case VARIANT_clip_s8:
    case VARIANT_clip_s16:
    case VARIANT_quantize_s8:
    case VARIANT_quantize_s16:
    case VARIANT_quantize_f32:
    case VARIANT_quantize_s8_s16:
    case VARIANT_quantize_s16_s8:
    case VARIANT_scaling_f32:
    case VARIANT_scaling_s8:
    case VARIANT_scaling_s16:
    case VARIANT_reshape:
    case VARIANT_pad_f32:
    case VARIANT_pad_s8:
    case VARIANT_pad_s16:
        return ANNE_ACTIVATION_linear;
    default:
        return any_but_softmax(variant);
    }
}

static uint32_t elements(const shape_t *shape) {
    uint32_t n = 1;
    for (uint32_t i = 0; i < shape->rank; i++) {
        n *= shape->shape[i];
    }
    return n;
}

// What the kernels of softmax give.
static void softmax_numbers(variant_t variant, anne_tensor_t *output) {
    if (variant == VARIANT_softmax_s8) {
        output->scale = 0x1p-8f;
        output->zero_point = -128;
    } else if (variant == VARIANT_log_softmax_s8) {
        output->scale = 0x1p-4f;
        output->zero_point = 127;
    } else if (variant == VARIANT_softmax_s16) {
        output->scale = 0x1p-15f;
    }
}

static anne_tensor_t tensor(uint8_t dtype, uint8_t role, uint32_t rank, const uint32_t *shape, uint32_t arena_offset) {
    anne_tensor_t result = {.dtype = dtype, .role = role, .rank = rank, .scale = 1, .arena_offset = arena_offset};
    memcpy(result.shape, shape, rank * sizeof *shape);
    if (dtype != ANNE_FLOAT32) {
        result.scale = 0.05f;
        result.zero_point = dtype == ANNE_INT8 ? 7 : 0;
    }
    return result;
}

// Behind the tensor and a gap.
static uint32_t after(const anne_tensor_t *tensor) {
    return (tensor->arena_offset + anne_tensor_bytes(tensor) + 3) / 4 * 4 + GAP;
}

static uint32_t n_tensors_of(const shape_t *shape) {
    return is_binary(shape->variant) && !has_constant(shape->variant) ? 3 : 2;
}

// Where the output lies: in the place of an input if it must, or may and chance has it.
static uint32_t output_place(const anne_tensor_t tensors[3], const shape_t *shape, uint32_t own) {
    uint8_t kind = kind_of(shape->variant).kind;
    const anne_tensor_t *x = &tensors[n_tensors_of(shape) == 3 && any_of(0, 1) ? 2 : 0];
    bool may = kind == KIND_ACTIVATION || kind == ANNE_KIND_clip
               || (is_binary(shape->variant) && elements(shape) == anne_tensor_elements(x));
    return kind == KIND_RESHAPE || (may && any_of(0, 1)) ? x->arena_offset : own;
}

// Two operands whose output has the shape: on some axes one of them has 1, or leaves them out in front.
static void any_operands(anne_tensor_t tensors[3], const shape_t *shape) {
    if (any_of(0, 1)) {
        return;
    }
    for (uint32_t i = 0; i < shape->rank; i++) {
        int32_t which = any_of(0, 5);
        if (which < 2) {
            tensors[2 * which].shape[i] = 1;
        }
    }
    anne_tensor_t *other = &tensors[any_of(0, 1) ? 2 : 0];
    while (other->rank > 1 && other->shape[0] == 1 && any_of(0, 1)) {
        other->rank--;
        memmove(other->shape, other->shape + 1, other->rank * sizeof other->shape[0]);
        other->shape[other->rank] = 0;
    }
}

static uint32_t place_tensors(anne_tensor_t tensors[3], const shape_t *shape) {
    kind_t kind = kind_of(shape->variant);
    tensors[0] = tensor(kind.x_dtype, ANNE_ROLE_INPUT, shape->rank, shape->shape, GAP);
    tensors[2] = tensor(kind.x_dtype, ANNE_ROLE_INPUT, shape->rank, shape->shape, 0);
    tensors[2].zero_point = kind.x_dtype == ANNE_INT8 ? any_of(-128, 127) : 0;
    bool two = n_tensors_of(shape) == 3;
    if (two) {
        any_operands(tensors, shape);
    }
    tensors[2].arena_offset = after(&tensors[0]);
    uint32_t own = two ? after(&tensors[2]) : tensors[2].arena_offset;
    tensors[1] = tensor(kind.y_dtype, ANNE_ROLE_OUTPUT, shape->rank,
                        kind.kind == KIND_DENSE ? &shape->n_out : shape->shape, output_place(tensors, shape, own));
    softmax_numbers(shape->variant, &tensors[1]);
    if (kind.kind == KIND_RESHAPE) { // to a flat one
        const uint32_t flat[] = {elements(shape), 0, 0, 0};
        tensors[1].rank = 1;
        memcpy(tensors[1].shape, flat, sizeof flat);
    }
    for (uint32_t i = 0; kind.kind == KIND_PAD && i < shape->rank; i++) {
        tensors[1].shape[i] += (uint32_t)any_of(0, shape->rank == 1 ? 50 : 1);
    }
    if (kind.kind == ANNE_KIND_reduce) {
        any_axes(&tensors[0], &tensors[1], window);
    }
    if (kind.kind == ANNE_KIND_arg_max) {
        without_rows(&tensors[1]);
    }
    if (kind.kind == ANNE_KIND_conv) {
        uint32_t columns = shape->rank - 2;
        tensors[1].shape[0] = shape->output[0];
        tensors[1].shape[columns] = shape->output[1];
        tensors[1].shape[columns + 1] = shape->n_out;
    } else if (has_window(shape->variant)) {
        any_window(&tensors[0], &tensors[1], window);
    }
    uint32_t end = after(&tensors[1]);
    return end > own ? end : own;
}

// Limits of a result: 0 for floats.
static void limits(uint8_t *words, uint8_t dtype) {
    int32_t most = dtype == ANNE_INT8 ? 127 : dtype == ANNE_INT16 ? 32767 : 0;
    int32_t least = any_of(-most - (most > 0), most);
    put_word(words, 0, (uint32_t)least);
    put_word(words, 4, (uint32_t)any_of(least, most));
}

// Of a, of b and of the sum, which often is such that results fill their type.
static void add_factors(uint8_t *words, uint8_t dtype) {
    for (uint32_t i = 0; i < 3; i++) {
        int32_t shift = any_of(any_of(0, 1) ? -31 : -3, 0);
        shift = i == 2 && any_of(0, 3) ? (dtype == ANNE_INT8 ? -18 : -13) - any_of(0, 3) : shift;
        put_word(words, 8 * i, (uint32_t)any_of(0, i < 2 && shift == 0 ? 1 << 30 : INT32_MAX));
        put_word(words, 8 * i + 4, (uint32_t)shift);
    }
}

// The product's, which often is such that results fill their type.
static void multiply_factor(uint8_t *words, uint8_t dtype) {
    bool s8 = dtype == ANNE_INT8;
    put_word(words, 0, (uint32_t)any_of(0, INT32_MAX));
    put_word(words, 4, (uint32_t)(any_of(0, 3) ? (s8 ? -8 : -15) - any_of(0, 3) : any_of(-30, s8 ? 13 : 0)));
}

static void clip_limits(uint8_t *words, uint8_t dtype) {
    limits(words, dtype);
    if (dtype == ANNE_FLOAT32) {
        float edges[] = {-INFINITY, (float)any_of(-300, 0) / 256, (float)any_of(0, 300) / 256, INFINITY};
        memcpy(words, &edges[any_of(0, 1)], 4);
        memcpy(words + 4, &edges[any_of(2, 3)], 4);
    }
}

// Of a constant: which operand, zero point and shape, that of the last axis.
static void about_constant(uint8_t *words, const shape_t *shape) {
    put_word(words, 0, (uint32_t)any_of(0, 1));
    put_word(words, 4, (uint32_t)(kind_of(shape->variant).x_dtype == ANNE_INT8 ? any_of(-128, 127) : 0));
    for (uint32_t i = 0; i < 3; i++) {
        put_word(words, 8 + 4 * i, 1);
    }
    put_word(words, 20, shape->shape[shape->rank - 1]);
}

// What operands have; returns how many bytes.
static uint32_t operands(uint8_t *words, const shape_t *shape) {
    kind_t kind = kind_of(shape->variant);
    uint32_t at = 0;
    if (kind.y_dtype != ANNE_FLOAT32 && kind.kind == KIND_MULTIPLY) {
        multiply_factor(words, kind.y_dtype);
        at = 8;
    } else if (kind.y_dtype != ANNE_FLOAT32 && kind.kind == ANNE_KIND_prelu) {
        factors(words, 2);
        at = 16;
    } else if (kind.y_dtype != ANNE_FLOAT32) {
        add_factors(words, kind.y_dtype);
        at = 24;
    }
    if (at > 0) {
        limits(words + at, kind.y_dtype);
        at += 8;
    }
    if (has_constant(shape->variant)) {
        about_constant(words + at, shape);
        at += 24;
    }
    return at;
}

// The value, and what lies in front of x; returns how many bytes.
static uint32_t padding(uint8_t *words, const anne_tensor_t *x, const anne_tensor_t *y) {
    if (x->dtype == ANNE_FLOAT32) {
        floats(words, 1);
    } else {
        put_word(words, 0, (uint32_t)(x->dtype == ANNE_INT8 ? any_of(-128, 127) : any_of(-32768, 32767)));
    }
    for (uint32_t i = 0; i < x->rank; i++) {
        put_word(words, 4 + 4 * i, (uint32_t)any_of(0, (int32_t)(y->shape[i] - x->shape[i])));
    }
    return 4 + 4 * x->rank;
}

static uint32_t write_record(uint8_t *record, const anne_tensor_t tensors[2], const shape_t *shape,
                             const sizes_t *sizes) {
    kind_t kind = kind_of(shape->variant);
    uint32_t n_inputs = n_tensors_of(shape) - 1, at = 16, activation = any_activation(shape->variant);
    floats(record + 8, 1);         // alpha
    put_word(record, 12, 1 << 16); // tensors 0 and 1
    if (n_inputs == 2) {           // 0 and 2, and 1
        put_word(record, 12, 2 << 16);
        put_word(record, at, 1);
        at += 4;
    }
    for (uint32_t i = 0, offset = 0; i < sizes->n; i++, at += 8) {
        put_word(record, at, offset);
        put_word(record, at + 4, sizes->bytes[i]);
        offset += (sizes->bytes[i] + 3) / 4 * 4;
    }
    if (kind.kind == KIND_DENSE) {
        put_word(record, at, LAYOUT(shape->variant));
        limits(record + at + 4, kind.y_dtype);
        at += 12;
    } else if (kind.kind == ANNE_KIND_conv) {
        memcpy(record + at, shape->window, sizeof shape->window);
        put_word(record, at + 32, shape->groups);
        put_word(record, at + 36, LAYOUT(of_rows(shape->variant)));
        limits(record + at + 40, kind.y_dtype);
        at += 48;
    } else if (is_binary(shape->variant)) {
        at += operands(record + at, shape);
    } else if (kind.kind == ANNE_KIND_clip) {
        clip_limits(record + at, kind.y_dtype);
        at += 8;
    } else if (kind.kind == ANNE_KIND_quantize && kind.x_dtype != ANNE_FLOAT32 && kind.y_dtype != ANNE_FLOAT32) {
        factors(record + at, 1);
        at += 8;
    } else if (kind.kind == KIND_PAD) {
        at += padding(record + at, &tensors[0], &tensors[1]);
    } else if (kind.kind == ANNE_KIND_layer_norm) {
        put_word(record + at, 0, (uint32_t)any_of(ANNE_BITS_LEAST_F32, 0x40000000)); // epsilon up to 2
        at += 4;
    } else if (kind.kind == ANNE_KIND_reduce) {
        at += any_factor(record + at, window, kind.y_dtype);
    } else if (has_window(shape->variant)) {
        memcpy(record + at, window, sizeof window);
        limits(record + at + sizeof window, kind.y_dtype);
        at += sizeof window + 8;
        at += kind.kind == ANNE_KIND_average_pool ? any_padding_that_counts(record + at) : 0;
    }
    put_word(record, 0, kind.kind | at << 16);
    put_word(record, 4, n_inputs | 1 << 8 | sizes->n << 16 | activation << 24);
    return at;
}

// Those that make_moves.h makes.
static bool is_move(variant_t variant) {
    bool joins = VARIANT_concatenate_f32 <= variant && variant <= VARIANT_concatenate_s16;
    return joins || (VARIANT_pad_border_f32 <= variant && variant <= VARIANT_delay_s16);
}

uint32_t make_model(uint8_t *bytes, uint32_t room, const shape_t *shape) {
    kind_t kind = kind_of(shape->variant);
    if (is_move(shape->variant)) {
        const move_t move = any_move(kind.kind, kind.x_dtype, shape->rank, shape->shape);
        return write_move(bytes, room, &move, GAP);
    }
    if (is_depthwise(shape->variant)) {
        bool has_scales = shape->variant == VARIANT_depthwise_s8_f32 || shape->variant == VARIANT_conv_transpose_s8_f32;
        const move_t layer = any_depthwise(kind.kind, kind.x_dtype, has_scales, shape->rank, shape->shape);
        return write_move(bytes, room, &layer, GAP);
    }
    bool is_conv = kind.kind == ANNE_KIND_conv;
    uint32_t groups = is_conv ? shape->groups : 1, n_last = shape->shape[shape->rank - 1];
    uint32_t n_in = is_conv ? (uint32_t)(shape->window[0] * shape->window[1]) * n_last / groups : elements(shape);
    sizes_t sizes = constant_sizes(of_rows(shape->variant), n_in, shape->n_out / groups, n_last);
    for (uint32_t i = 0; i < 3; i++) { // a fourth is one for all
        sizes.bytes[i] *= groups;
    }
    uint32_t data_bytes = 0, n_tensors = n_tensors_of(shape), head = 48 + n_tensors * sizeof(anne_tensor_t);
    for (uint32_t i = 0; i < sizes.n; i++) {
        data_bytes += (sizes.bytes[i] + 3) / 4 * 4;
    }
    if (head + 128 + data_bytes > room) {
        return 0;
    }
    memset(bytes, 0, head + 128 + data_bytes);
    anne_tensor_t tensors[3];
    uint32_t arena_bytes = place_tensors(tensors, shape);
    memcpy(bytes + 48, tensors, n_tensors * sizeof tensors[0]);
    uint32_t layers_bytes = write_record(bytes + head, tensors, shape, &sizes);
    uint8_t *at[4] = {bytes + head + layers_bytes};
    for (uint32_t i = 1; i < sizes.n; i++) {
        at[i] = at[i - 1] + (sizes.bytes[i - 1] + 3) / 4 * 4;
    }
    fill_constants(of_rows(shape->variant), at, &sizes, n_in, shape->n_out);
    uint32_t total = head + layers_bytes + data_bytes;
    memcpy(bytes, "ANNE\1\0\60\0", 8); // version 1, a header of 48 bytes
    const uint32_t fields[] = {arena_bytes, n_tensors, 1, layers_bytes, 0, data_bytes, 0, 0};
    memcpy(bytes + 16, fields, sizeof fields);
    put_word(bytes, 8, total);
    put_word(bytes, 12, crc32(bytes + 16, total - 16));
    return total;
}

uint32_t make_graph(uint8_t *bytes, uint32_t room) {
    static uint8_t file[1 << 13]; // what the largest takes
    graph_t graph = any_graph(0);
    if (!places_good(&graph)) { // as there was no room
        place_apart(&graph);
    }
    uint32_t n_bytes = write_graph(file, &graph);
    if (n_bytes > room) {
        return 0;
    }
    any_constants(file, n_bytes);
    memcpy(bytes, file, n_bytes);
    return n_bytes;
}
