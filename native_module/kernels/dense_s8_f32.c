// Dense layer on int8 weights and float32 activations, summed in integers: on a chip without floating point a float
// multiply-accumulate costs some 200 cycles, an integer one 5.
//
// With the exponent e of the largest |x| (|x| < 2^e), each x becomes X = round(x 2^(23 - e)), |X| <= 2^23, cut into two
// limbs X = 4096 high + low with -2048 <= low < 2048 and |high| <= 2048. Then for up to 2048 columns
//
//   |sum of w high| <= 128 * 2048 * 2048 = 2^29 and |sum of w low| likewise,
//
// both exact in 32 bits. One multiplication by a power of two per row puts the exponent back.
#include "kernels/dense_s8_f32.h"

#include <math.h>
#include <string.h>

static inline uint32_t bits_of(float x) {
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

// The exponent e of the largest |x|, such that every |x| < 2^e; 128 + 1 if there is a NaN or infinity.
static int32_t exponent_of(const float *x, uint32_t n) {
    uint32_t most = 0;
    for (uint32_t j = 0; j < n; j++) {
        uint32_t magnitude = bits_of(x[j]) & 0x7fffffff;
        most = magnitude > most ? magnitude : most;
    }
    return (int32_t)(most >> 23) - 126;
}

// round(x 2^(23 - e)), halves away from zero; denormals count as 0.
static int32_t align(float x, int32_t exponent) {
    uint32_t bits = bits_of(x);
    int32_t own = (int32_t)(bits >> 23 & 0xff) - 126;
    int32_t shift = exponent - own; // >= 0
    if (own == -126 || shift > 24) {
        return 0;
    }
    int32_t mantissa = (int32_t)((bits & 0x7fffff) | 0x800000); // 24 bits, so one is left over to round
    mantissa = ((mantissa >> shift) + 1) >> 1;
    return bits >> 31 ? -mantissa : mantissa;
}

void anne_dense_s8_f32(const int8_t *weights, const float *scale, const float *bias, const float *x, uint32_t n_in,
                       uint32_t n_out, int16_t *aligned, float *out) {
    int32_t exponent = exponent_of(x, n_in);
    if (exponent > 128) {
        for (uint32_t r = 0; r < n_out; r++) {
            out[r] = NAN;
        }
        return;
    }
    int16_t *high = aligned, *low = aligned + n_in;
    for (uint32_t j = 0; j < n_in; j++) {
        int32_t v = align(x[j], exponent);
        high[j] = (int16_t)((v + 2048) >> 12);
        low[j] = (int16_t)(v - high[j] * 4096);
    }
    for (uint32_t r = 0; r < n_out; r++) {
        int32_t sum_high = 0, sum_low = 0;
        for (uint32_t j = 0; j < n_in; j++) {
            int32_t w = *weights++;
            sum_high += w * high[j];
            sum_low += w * low[j];
        }
        float sum = (float)sum_high * 4096.0f + (float)sum_low;
        out[r] = ldexpf(sum, exponent - 23) * scale[r] + bias[r];
    }
}
