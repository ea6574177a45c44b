// A step of Adam.
#include "kernels/adam_f32.h"

#include "kernels/arithmetic_f32.h"
#include "kernels/quotient_f32.h"
#include "kernels/unary_f32.h"

// 1 - beta^step for beta with 32 bits behind the point, by squaring. In integers, as 1 - 0.999 in floats has 14 bits.
static float one_minus_power(uint32_t beta, uint32_t step) {
    uint64_t power = (uint64_t)1 << 32, factor = beta;
    for (; step > 0; step >>= 1) {
        if (step & 1) {
            power = power * factor >> 32;
        }
        factor = factor * factor >> 32;
    }
    uint32_t rest = 0u - (uint32_t)power; // 2^32 - power, and a power of 0 is 1 away from 2^32
    return anne_times_f32((float)(rest == 0 ? 0xffffffff : rest), 0x1p-32f);
}

void anne_adam_f32(float *weights, const float *gradients, float *means, float *squares, uint32_t n, float lr,
                   uint32_t step) {
    float rate = anne_quotient_f32(-lr, one_minus_power(3865470566, step));
    float of_root = anne_rsqrt_f32(one_minus_power(4290672329, step), 0);
    for (uint32_t j = 0; j < n; j++) {
        float g = gradients[j], square = anne_times_f32(g, g);
        means[j] = anne_plus_f32(means[j], anne_times_f32(0.1f, anne_plus_f32(g, -means[j])));
        squares[j] = anne_plus_f32(squares[j], anne_times_f32(0.001f, anne_plus_f32(square, -squares[j])));
        float root = anne_plus_f32(anne_times_f32(anne_sqrt_f32(squares[j], 0), of_root), 1e-8f);
        weights[j] = anne_plus_f32(weights[j], anne_times_f32(rate, anne_quotient_f32(means[j], root)));
    }
}
