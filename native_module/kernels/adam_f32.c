// A step of Adam.
//
// Means are kept without their weights, 10 times the mean of the gradients and 1000 times that of their squares, so
// that a product each takes them on: sum' = 0.9 sum + g, squares' = 0.999 squares + g^2. The step by them is
//
//   w -= rate sum / (sqrt(squares) + epsilon),  rate = lr 0.1 k / (1 - 0.9^step),  epsilon = 1e-8 k
//
// with k = sqrt(1000 (1 - 0.999^step)): what is the same for all weights is computed once. The root needs no division:
// 1 / sqrt comes by Newton's method in 16 bits, where a product takes one cycle, and mends the root once.
#include "kernels/adam_f32.h"

#include "kernels/parts_f32.h"
#include "kernels/q31.h"
#include "kernels/quotient_f32.h"
#include "kernels/unary_f32.h"

#define CHUNK 16

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

// sqrt(x) within 2^-24, relative, for x >= 0; what is not finite stays so.
//
// z = x 4^-n from 1 to 4 has 30 bits behind the point, z_high 14, and y, 1 / sqrt(z), 15. It begins as 1.08 - 0.155 z,
// within 10 %, and a step makes the error e 1.5 e^2: 1.5 %, 0.04 %, what 15 bits leave. So root^2 is near z by 2^20 of
// its units, and a 32nd of that times y stays below 2^31.
static float root_of(float x) {
    uint32_t bits = anne_bits_of(x);
    if (bits < ANNE_BITS_LEAST_F32 || bits >= BITS_INFINITY) {
        return anne_normal_f32(x);
    }
    uint32_t z = leading_one(bits) >> (bits >> 23 & 1), z_high = z >> 16;
    uint32_t y = 35389 - (z_high * 10158 >> 15);
    for (uint32_t i = 0; i < 3; i++) {
        y = y * ((3 << 15) - (z_high * (y * y >> 15) >> 14)) >> 16;
    }
    uint32_t root = z_high * y >> 14; // 15 bits behind the point, then 25
    int32_t rest = (int32_t)(z - root * root);
    root = (root << 10) + (uint32_t)(((rest >> 5) * (int32_t)y) >> 16);
    return anne_float_of(((((bits >> 23) + 127) / 2 - 1) << 23) + ((root + 2) >> 2));
}

void anne_adam_f32(float *weights, const float *gradients, float *sums, float *squares, uint32_t n, float lr,
                   uint32_t step) {
    float k = anne_sqrt_f32(anne_times_f32(1000, one_minus_power(4290672329, step)), 0);
    float rate = anne_quotient_f32(anne_times_f32(anne_times_f32(-0.1f, lr), k), one_minus_power(3865470566, step));
    float epsilon = anne_times_f32(1e-8f, k), steps[CHUNK];
    for (uint32_t size; n > 0; n -= size, weights += size) {
        size = n < CHUNK ? n : CHUNK;
        for (uint32_t j = 0; j < size; j++, sums++, squares++) {
            float g = *gradients++;
            *sums = anne_plus_f32(anne_times_f32(0.9f, *sums), g);
            *squares = anne_plus_f32(anne_times_f32(0.999f, *squares), anne_times_f32(g, g));
            steps[j] = anne_quotient_f32(*sums, anne_plus_f32(root_of(*squares), epsilon));
        }
        anne_add_scaled_f32(weights, steps, size, rate);
    }
}
