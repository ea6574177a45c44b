#include "plain_layers.h"

#pragma GCC optimize("O3")

// TensorFlow Lite Micro's MultiplyByQuantizedMultiplier for a factor of at most 1: rounded twice.
static int32_t rescaled(int32_t x, int32_t multiplier, int32_t right) {
    const int32_t high = (int32_t)(((int64_t)x * multiplier + (1 << 30)) >> 31);
    const int32_t mask = (int32_t)((1u << right) - 1), rest = high & mask;
    return (high >> right) + (rest > (mask >> 1) + (high < 0));
}

static int32_t limited(int32_t x, int32_t least, int32_t most) {
    return x < least ? least : x > most ? most : x;
}

// What a file of the model would say, so that the compiler does not know it.
static volatile int32_t half = 1 << 30, zero_point = 0;

static inline int8_t finish_s8(int32_t sum, int32_t multiplier) {
    return (int8_t)limited(rescaled(sum, multiplier, 8), -128, 127);
}

static inline int16_t finish_s16(int32_t sum, int32_t multiplier) {
    return (int16_t)limited(rescaled(sum, multiplier, 8), -32768, 32767);
}

static inline float finish_f32(float sum, int32_t multiplier) {
    (void)multiplier;
    return sum;
}

// clang-format off
#define CONV(name, number_t, sum_t, finish)                                                                                   \
    void name(const bench_image_t *image, const number_t *weights, const sum_t *bias, const number_t *x, number_t *y) { \
        const int32_t side = image->side, channels = image->channels, kernel = image->kernel, multiplier = half;                         \
        for (int32_t i = 0; i < image->made; i++) {                                                                   \
            for (int32_t j = 0; j < image->made; j++) {                                                               \
                const number_t *w = weights;                                                                          \
                for (int32_t r = 0; r < image->n_out; r++, w += kernel * kernel * channels) {                         \
                    sum_t sum = bias[r];                                                                              \
                    for (int32_t k = 0; k < kernel; k++) {                                                            \
                        const int32_t row = i * image->stride - image->pad + k;                                       \
                        for (int32_t l = 0; l < kernel; l++) {                                                        \
                            const int32_t column = j * image->stride - image->pad + l;                                \
                            if (row < 0 || row >= side || column < 0 || column >= side) {                             \
                                continue;                                                                             \
                            }                                                                                         \
                            for (int32_t c = 0; c < channels; c++) {                                                  \
                                sum += (sum_t)w[(k * kernel + l) * channels + c]                                      \
                                       * x[(row * side + column) * channels + c];                                     \
                            }                                                                                         \
                        }                                                                                             \
                    }                                                                                                 \
                    *y++ = finish(sum, multiplier);                                                                   \
                }                                                                                                     \
            }                                                                                                         \
        }                                                                                                             \
    }

// `each` is done for each tap inside the image, whose number in a window of a channel is `tap`, with the value `v`.
#define WINDOWS(number_t, begin, each, end)                                                                           \
    const int32_t side = image->side, channels = image->channels, kernel = image->kernel;                             \
    for (int32_t i = 0; i < image->made; i++) {                                                                       \
        for (int32_t j = 0; j < image->made; j++) {                                                                   \
            for (int32_t c = 0; c < channels; c++) {                                                                  \
                begin                                                                                                 \
                for (int32_t k = 0; k < kernel; k++) {                                                                \
                    const int32_t row = i * image->stride - image->pad + k;                                           \
                    for (int32_t l = 0; l < kernel; l++) {                                                            \
                        const int32_t column = j * image->stride - image->pad + l, tap = k * kernel + l;              \
                        if (row >= 0 && row < side && column >= 0 && column < side) {                                 \
                            const number_t v = x[(row * side + column) * channels + c];                               \
                            each                                                                                      \
                        }                                                                                             \
                        (void)tap;                                                                                    \
                    }                                                                                                 \
                }                                                                                                     \
                end                                                                                                   \
            }                                                                                                         \
        }                                                                                                             \
    }

#define DEPTHWISE(name, number_t, sum_t, finish)                                                                              \
    void name(const bench_image_t *image, const number_t *weights, const sum_t *bias, const number_t *x, number_t *y) { \
        const int32_t multiplier = half;                                                                              \
        WINDOWS(number_t, sum_t sum = bias[c];,                                                                       \
                sum += (sum_t)weights[c * kernel * kernel + tap] * v;, *y++ = finish(sum, multiplier);)                                   \
    }

#define MOST(name, number_t)                                                                                          \
    void name(const bench_image_t *image, const number_t *x, number_t *y) {                                           \
        WINDOWS(number_t, number_t most = 0; int32_t n = 0;,                                                          \
                most = n == 0 || v > most ? v : most; n++;, *y++ = most;)                                             \
    }

#define MEAN(name, number_t, sum_t, half)                                                                             \
    void name(const bench_image_t *image, const number_t *x, number_t *y) {                                           \
        WINDOWS(number_t, sum_t sum = 0; int32_t n = 0;, sum += v; n++;,                                              \
                *y++ = (number_t)((sum + (sum > 0 ? half : -half)) / n);)                                             \
    }
// clang-format on

CONV(bench_conv_s8, int8_t, int32_t, finish_s8)
CONV(bench_conv_s16, int16_t, int32_t, finish_s16)
CONV(bench_conv_f32, float, float, finish_f32)
DEPTHWISE(bench_depthwise_s8, int8_t, int32_t, finish_s8)
DEPTHWISE(bench_depthwise_s16, int16_t, int32_t, finish_s16)
DEPTHWISE(bench_depthwise_f32, float, float, finish_f32)
MOST(bench_max_s8, int8_t)
MOST(bench_max_s16, int16_t)
MOST(bench_max_f32, float)
MEAN(bench_mean_s8, int8_t, int32_t, n / 2)
MEAN(bench_mean_s16, int16_t, int32_t, n / 2)
MEAN(bench_mean_f32, float, float, 0)

#define ADD(name, number_t, bits, least, most)                                                            \
    void name(const number_t *a, const number_t *b, int32_t n, number_t *y) {                             \
        const int32_t multiplier = half, zero = zero_point;                                               \
        for (int32_t i = 0; i < n; i++) {                                                                 \
            const int32_t first = rescaled((a[i] - zero) * (1 << bits), multiplier, 0);                   \
            const int32_t second = rescaled((b[i] - zero) * (1 << bits), multiplier, 0);                  \
            y[i] = (number_t)limited(rescaled(first + second, multiplier, bits - 2) + zero, least, most); \
        }                                                                                                 \
    }
ADD(bench_add_s8, int8_t, 20, -128, 127)
ADD(bench_add_s16, int16_t, 15, -32768, 32767)

#define MULTIPLY(name, number_t, least, most)                                               \
    void name(const number_t *a, const number_t *b, int32_t n, number_t *y) {               \
        const int32_t multiplier = half, zero = zero_point;                                 \
        for (int32_t i = 0; i < n; i++) {                                                   \
            const int32_t product = (a[i] - zero) * (b[i] - zero);                          \
            y[i] = (number_t)limited(rescaled(product, multiplier, 6) + zero, least, most); \
        }                                                                                   \
    }
MULTIPLY(bench_multiply_s8, int8_t, -128, 127)
MULTIPLY(bench_multiply_s16, int16_t, -32768, 32767)

void bench_add_f32(const float *a, const float *b, int32_t n, float *y) {
    for (int32_t i = 0; i < n; i++) {
        y[i] = a[i] + b[i];
    }
}

void bench_multiply_f32(const float *a, const float *b, int32_t n, float *y) {
    for (int32_t i = 0; i < n; i++) {
        y[i] = a[i] * b[i];
    }
}
