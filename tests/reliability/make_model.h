// Whole model files that the loader must take (FORMAT.md): of one layer, of any shape and with random constants; and of
// networks that branch.
#ifndef ANNE_MAKE_MODEL_H
#define ANNE_MAKE_MODEL_H

#include <stdint.h>

#include "tensor.h"

// Every way a layer can run: a kernel each, or one loop of layers/.
#define LAYER_VARIANTS(X)    \
    X(dense_f32)             \
    X(dense_s8_quad)         \
    X(dense_s4)              \
    X(dense_s8_f32)          \
    X(dense_s16)             \
    X(dense_f32_aligned)     \
    X(activation_f32)        \
    X(softmax_f32)           \
    X(table_s8)              \
    X(table_s16)             \
    X(softmax_s8)            \
    X(log_softmax_s8)        \
    X(softmax_s16)           \
    X(scaling_f32)           \
    X(scaling_s8)            \
    X(scaling_s16)           \
    X(reshape)               \
    X(add_f32)               \
    X(add_s8)                \
    X(add_s16)               \
    X(pad_f32)               \
    X(pad_s8)                \
    X(pad_s16)               \
    X(conv_f32)              \
    X(conv_s8_quad)          \
    X(conv_s4)               \
    X(conv_s8_f32)           \
    X(conv_s16)              \
    X(conv_f32_aligned)      \
    X(concatenate_f32)       \
    X(concatenate_s8)        \
    X(concatenate_s16)       \
    X(max_pool_f32)          \
    X(max_pool_s8)           \
    X(max_pool_s16)          \
    X(average_pool_f32)      \
    X(average_pool_s8)       \
    X(average_pool_s16)      \
    X(pad_border_f32)        \
    X(pad_border_s8)         \
    X(pad_border_s16)        \
    X(slice_f32)             \
    X(slice_s8)              \
    X(slice_s16)             \
    X(transpose_f32)         \
    X(transpose_s8)          \
    X(transpose_s16)         \
    X(resize_nearest_s8)     \
    X(resize_nearest_s16)    \
    X(resize_f32)            \
    X(resize_s8)             \
    X(resize_s16)            \
    X(embedding_f32)         \
    X(embedding_s8)          \
    X(embedding_s16)         \
    X(delay_f32)             \
    X(delay_s8)              \
    X(delay_s16)             \
    X(reduce_f32)            \
    X(reduce_s8)             \
    X(reduce_s16)            \
    X(layer_norm)            \
    X(arg_max_f32)           \
    X(arg_max_s8)            \
    X(arg_max_s16)           \
    X(subtract_f32)          \
    X(subtract_s8)           \
    X(subtract_s16)          \
    X(multiply_f32)          \
    X(multiply_s8)           \
    X(multiply_s16)          \
    X(constant_f32)          \
    X(constant_s8)           \
    X(constant_s16)          \
    X(prelu_f32)             \
    X(prelu_s8)              \
    X(prelu_s16)             \
    X(depthwise_f32)         \
    X(depthwise_s8_f32)      \
    X(depthwise_s8)          \
    X(depthwise_s16)         \
    X(conv_transpose_f32)    \
    X(conv_transpose_s8_f32) \
    X(conv_transpose_s8)     \
    X(conv_transpose_s16)    \
    X(clip_f32)              \
    X(clip_s8)               \
    X(clip_s16)              \
    X(quantize_s8)           \
    X(quantize_s16)          \
    X(quantize_f32)          \
    X(quantize_s8_s16)       \
    X(quantize_s16_s8)

typedef enum {
#define VARIANT_ENUM(name) VARIANT_##name,
    LAYER_VARIANTS(VARIANT_ENUM)
#undef VARIANT_ENUM
        VARIANT_COUNT,
} variant_t;

typedef struct {
    variant_t variant;
    uint32_t rank;
    uint32_t shape[ANNE_MAX_RANK]; // of the input
    uint32_t n_out;                // of a dense layer, and output channels of a convolution
    uint32_t output[2];            // of kinds with a window: rows and columns of the output
    int32_t window[8];             // and its parameters (FORMAT.md, "Windows")
    uint32_t groups;               // of a convolution
} shape_t;

// A shape that the variant takes: most are small, some lie at the borders of the kernels' panels.
shape_t any_shape(variant_t variant);

// A small image or signal of that many channels and a window on it, a convolution in groups that divide these.
shape_t any_image(variant_t variant, uint32_t channels, uint32_t n_out, uint32_t groups);

// Writes the file to `bytes` and returns its length; 0 if it takes more than `room`. Tensors 0 and 1 are an input and
// the output, 2 is the other input of kinds with two operands (of a kind that make_moves.h makes, the last is the
// output). They have a gap of GAP bytes on each side in the arena, unless the output lies in the place of an input.
#define GAP 64
uint32_t make_model(uint8_t *bytes, uint32_t room, const shape_t *shape);

// The same for a random network of vectors with branches, reshapes, sums, one to three inputs and any number of outputs
// (any_graph.h), places shared or not.
uint32_t make_graph(uint8_t *bytes, uint32_t room);

// `n` random bytes, as floats one in four times special: zeros, infinities, NaN, denormals, the greatest.
void any_values(void *values, uint32_t n, anne_dtype_t dtype);

// All that is random here comes of `seed`, 1 at first.
void make_model_seed(uint64_t seed);

#endif // ANNE_MAKE_MODEL_H
