// The mean is taken twice, the second time of what is left without the first: so nothing is lost where a row lies far
// from 0. The squares are summed as integers: with |d| < 2^e for all differences d, D = d 2^(23 - e) rounded is at most
// 2^23 in magnitude, and the sum of n <= 2^16 squares at most 2^62. From there to 1 / sqrt(variance + epsilon) numbers
// are 64-bit mantissas with their top bit at 63 and an exponent, so nothing leaves its range, however large or small x
// is.
#include "kernels/layer_norm.h"

#include "kernels/align_f32.h"
#include "kernels/taps.h"

static float mean_of(const float *x, uint32_t n) {
    const anne_count_t count = anne_count(n);
    const anne_grid_t grid = {.rows = 1, .columns = n, .column_step = 1, .divisor = &count};
    int32_t bits;
    anne_sum_f32(x, &grid, 1, &bits);
    return anne_float_of((uint32_t)bits);
}

// mantissa 2^exponent
typedef struct {
    uint64_t mantissa;
    int32_t exponent;
} number_t;

// The same with its top bit at 63; mantissa > 0.
static number_t normalized(number_t a) {
    for (; a.mantissa >> 63 == 0; a.mantissa <<= 1) {
        a.exponent -= 1;
    }
    return a;
}

// a + b, both normalised, with its top bit at 62 or 63.
static number_t sum_of(number_t a, number_t b) {
    number_t larger = a.exponent > b.exponent ? a : b, other = a.exponent > b.exponent ? b : a;
    uint32_t shift = (uint32_t)(larger.exponent - other.exponent);
    uint64_t rest = shift < 63 ? other.mantissa >> 1 >> shift : 0;
    return (number_t){(larger.mantissa >> 1) + rest, larger.exponent + 1};
}

// The whole part of the root, bit by bit.
static uint32_t root_of(uint64_t a) {
    uint64_t root = 0;
    for (uint64_t bit = 1ull << 62; bit > 0; bit >>= 2) {
        uint64_t trial = root + bit;
        root >>= 1;
        if (a >= trial) {
            a -= trial;
            root += bit;
        }
    }
    return (uint32_t)root;
}

// 1 / sqrt(mean of the squares of d + epsilon); NaN if one of d is no number or infinite.
static float inverse_deviation(const float *d, uint32_t n, float epsilon) {
    int32_t exponent = anne_exponent_f32(d, n);
    if (exponent == 129) {
        return anne_float_of(0x7fc00000);
    }
    uint64_t squares = 0;
    for (uint32_t i = 0; i < n; i++) {
        int64_t a = anne_align_f32(d[i], exponent);
        squares += (uint64_t)(a * a);
    }
    uint32_t bits = anne_bits_of(epsilon);
    number_t v = {(uint64_t)(bits & 0x7fffff) << 40 | 1ull << 63, (int32_t)(bits >> 23) - 190};
    if (squares > 0) {
        number_t variance = normalized((number_t){squares, 2 * exponent - 46});
        variance.mantissa /= n;
        v = sum_of(normalized(variance), v);
    }
    if (v.exponent & 1) { // so that half of it is whole
        v.mantissa >>= 1;
        v.exponent += 1;
    }
    uint64_t inverse = (1ull << 63) / root_of(v.mantissa); // the root has 31 or 32 bits, so 2^31 to 2^33
    return anne_scaled_f32((int32_t)(inverse >> 3), -60 - v.exponent / 2);
}

void anne_layer_norm_f32(const float *x, uint32_t n, const float *gamma, const float *beta, float epsilon, float *y) {
    const float *from = x;
    for (uint32_t pass = 0; pass < 2; pass++, from = y) {
        float mean = mean_of(from, n);
        for (uint32_t i = 0; i < n; i++) {
            y[i] = anne_plus_f32(from[i], -mean);
        }
    }
    float inverse = inverse_deviation(y, n, epsilon);
    for (uint32_t i = 0; i < n; i++) {
        y[i] = anne_plus_f32(anne_times_f32(anne_times_f32(y[i], inverse), gamma[i]), beta[i]);
    }
}
