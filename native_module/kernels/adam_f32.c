// A step of Adam, in integers.
//
// Means are kept without their weights, 10 times the mean of the gradients and 1000 times that of their squares, so
// that a product each takes them on: sum' = 0.9 sum + g, square' = 0.999 square + g^2. The step by them is
//
//   w -= rate sum / (sqrt(square) + epsilon),  rate = lr 0.1 k / (1 - 0.9^step),  epsilon = 1e-8 k
//
// with k = sqrt(1000 (1 - 0.999^step)): what is the same for all weights is computed once. A number is m 2^e, m of a
// float below 2^30, so two can be added. The root needs no division: 1 / sqrt comes by Newton's method in 16 bits,
// where a product takes one cycle, and mends the root once.
#include "kernels/adam_f32.h"

#include "kernels/parts_f32.h"
#include "kernels/q31.h"
#include "kernels/quotient_f32.h"
#include "kernels/unary_f32.h"

#define CHUNK   16
#define NOTHING (-10000)   // exponent of 0
#define NINE    0x73333333 // tenths, Q31

typedef struct {
    int32_t m, e;
} wide_t;

// A float: m of 30 bits, the last 6 of which are 0.
static wide_t widened(float x) {
    uint32_t bits = anne_bits_of(x);
    int32_t exponent = (int32_t)(bits << 1 >> 24), m = (int32_t)(leading_one(bits) >> 2);
    if (exponent == 0) {
        return (wide_t){0, NOTHING};
    }
    return (wide_t){bits & SIGN ? -m : m, exponent - 156};
}

static wide_t plus(wide_t a, wide_t b) {
    int32_t shift = a.e - b.e;
    if (shift < 0) {
        return (wide_t){b.m + (a.m >> (shift > -31 ? -shift : 31)), b.e};
    }
    return (wide_t){a.m + (b.m >> (shift < 31 ? shift : 31)), a.e};
}

// 1 - beta^step for beta with 32 bits behind the point, by squaring. In integers, as 1 - 0.999 in floats has 14 bits.
static float one_minus_power(uint32_t beta, uint32_t step) {
    uint64_t power = (uint64_t)1 << 32, factor = beta;
    for (; step > 0; step >>= 1) {
        if (step & 1) {
            power = power * factor >> 32;
        }
        factor = factor * factor >> 32;
    }
    return anne_times_f32((float)(0xffffffff - (uint32_t)power), 0x1p-32f);
}

// 0.999 square + g^2, m from 2^30 to 2^31 or 0. One in 1000 is 1 / 1024 + 393 / 2^24 to within 1.2e-5 of itself; of g
// come 15 bits and 9, as in parts_f32.c.
static wide_t new_square(wide_t square, wide_t g) {
    int32_t share = square.m >> 10, m = (g.m < 0 ? -g.m : g.m) >> 6, high = m >> 9, low = m & 0x1ff;
    square.m -= share + (share * 393 >> 14);
    square = plus(square, (wide_t){high * high + (high * low >> 8), 2 * g.e + 30});
    for (; square.m != 0 && square.m >> 30 == 0; square.m <<= 1) {
        square.e--;
    }
    return square;
}

// The root of such a number, m of 26 bits, within 2^-24 of itself.
//
// z = m or 2 m is from 1 to 4 with 30 bits behind the point, z_high 14, and y, 1 / sqrt(z), 15. It begins as
// 1.08 - 0.155 z, within 10 %, and a step makes the error e 1.5 e^2: 1.5 %, 0.04 %, what 15 bits leave. So root^2 is
// near z by 2^20 of its units, and a 32nd of that times y stays below 2^31.
static wide_t root_of(wide_t square) {
    uint32_t z = (uint32_t)square.m << (square.e & 1), z_high = z >> 16;
    uint32_t y = 35389 - (z_high * 10158 >> 15);
    for (uint32_t i = 0; i < 3; i++) {
        y = y * ((3 << 15) - (z_high * (y * y >> 15) >> 14)) >> 16;
    }
    uint32_t root = z_high * y >> 14; // 15 bits behind the point, then 25
    int32_t rest = (int32_t)(z - root * root);
    return (wide_t){(int32_t)(root << 10) + (((rest >> 5) * (int32_t)y) >> 16), (square.e >> 1) - 10};
}

static bool is_finite(float x) {
    return anne_bits_of(x) << 1 < (uint32_t)BITS_INFINITY << 1;
}

// Takes a gradient into its sum and square; returns sum / (sqrt(square) + epsilon), epsilon.m of 26 bits.
static float ratio(float *sum, float *square, float g, wide_t epsilon) {
    if (!is_finite(*sum) || !is_finite(*square) || !is_finite(g)) {
        return NOT_A_NUMBER;
    }
    wide_t wide = widened(g), mean = widened(*sum), spread = new_square(widened(*square), wide);
    mean.m = anne_times_q31(mean.m, NINE);
    mean = plus(mean, wide);
    *sum = anne_narrowed_f32(mean.m, mean.e);
    *square = anne_narrowed_f32(spread.m, spread.e);
    wide_t root = spread.m != 0 ? plus(root_of(spread), epsilon) : epsilon;
    uint32_t reciprocal = anne_reciprocal_q31((uint32_t)root.m << 3); // of root.m 2^-25, from 1 to 4
    return anne_narrowed_f32(anne_times_q31(mean.m, reciprocal), mean.e - root.e - 25);
}

void anne_adam_f32(float *weights, const float *gradients, float *sums, float *squares, uint32_t n, float lr,
                   uint32_t step) {
    float k = anne_sqrt_f32(anne_times_f32(1000, one_minus_power(4290672329, step)), 0), ratios[CHUNK];
    float rate = anne_quotient_f32(anne_times_f32(anne_times_f32(-0.1f, lr), k), one_minus_power(3865470566, step));
    wide_t epsilon = widened(anne_times_f32(1e-8f, k));
    epsilon = (wide_t){epsilon.m >> 4, epsilon.e + 4};
    for (uint32_t size; n > 0; n -= size, weights += size) {
        size = n < CHUNK ? n : CHUNK;
        for (uint32_t j = 0; j < size; j++) {
            ratios[j] = ratio(sums++, squares++, *gradients++, epsilon);
        }
        anne_add_scaled_f32(weights, ratios, size, rate);
    }
}
