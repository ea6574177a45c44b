// Layers as loops that anyone would write, without a thought for the processor: what portable kernels are held to.
#ifndef ANNE_BENCH_PLAIN_LAYERS_H
#define ANNE_BENCH_PLAIN_LAYERS_H

#include <stdint.h>

// An image of side x side pixels, and the windows over it; taps outside of the image are left out.
typedef struct {
    int32_t side;
    int32_t channels;
    int32_t n_out; // of a convolution
    int32_t kernel;
    int32_t stride;
    int32_t pad;  // before the first row, and column
    int32_t made; // side of the output
} bench_image_t;

// bias + sums of weights x, of integers with 32 bits, times 2^-9 and rounded twice, as TensorFlow Lite Micro does:
// weights (n_out, kernel, kernel, channels).
#define BENCH_CONV(name, number_t, sum_t) \
    void name(const bench_image_t *image, const number_t *weights, const sum_t *bias, const number_t *x, number_t *y);
BENCH_CONV(bench_conv_s8, int8_t, int32_t)
BENCH_CONV(bench_conv_s16, int16_t, int32_t)
BENCH_CONV(bench_conv_f32, float, float)
// weights (channels, kernel, kernel)
BENCH_CONV(bench_depthwise_s8, int8_t, int32_t)
BENCH_CONV(bench_depthwise_s16, int16_t, int32_t)
BENCH_CONV(bench_depthwise_f32, float, float)

// Element by element. Integers as TensorFlow Lite Micro's reference kernels have them: both operands of a sum have the
// factor 1/2 after a shift by 20 or 15 bits, so the sum is limited and exact; of a product it is 2^-7, rounded twice.
#define BENCH_JOIN(name, number_t) void name(const number_t *a, const number_t *b, int32_t n, number_t *y);
BENCH_JOIN(bench_add_s8, int8_t)
BENCH_JOIN(bench_add_s16, int16_t)
BENCH_JOIN(bench_add_f32, float)
BENCH_JOIN(bench_multiply_s8, int8_t)
BENCH_JOIN(bench_multiply_s16, int16_t)
BENCH_JOIN(bench_multiply_f32, float)

// The greatest, and the mean, of integers rounded with halves away from zero.
#define BENCH_POOL(name, number_t) void name(const bench_image_t *image, const number_t *x, number_t *y);
BENCH_POOL(bench_max_s8, int8_t)
BENCH_POOL(bench_max_s16, int16_t)
BENCH_POOL(bench_max_f32, float)
BENCH_POOL(bench_mean_s8, int8_t)
BENCH_POOL(bench_mean_s16, int16_t)
BENCH_POOL(bench_mean_f32, float)

#endif // ANNE_BENCH_PLAIN_LAYERS_H
