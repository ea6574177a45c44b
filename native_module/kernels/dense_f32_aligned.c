// Dense layer on floats, summed in integers: floats would cost 220 cycles a multiply-accumulate, these cost 11.
//
// W = 4096 h + l is stored as the word P = 2^16 h + (l + 2048), x is aligned once a layer to X = 4096 xh + xl. Of the
// four products of limbs the least, l xl, is left out: it is below 2^-24 of the largest product, and zero in the mean.
// Two sums that wrap at 2^32 are enough, and the low half of P need not be unpacked:
//
//   H = sum h xh        A = sum of P xh + h xl = 2^16 H + sum of (l + 2048) xh + h xl        with h = P >> 16
//
// so M = A - 2^16 H, which A's start of -2048 sum of xh turns into the true sum of l xh + h xl.
// Range: |h| <= 4096 and |l|, |xh|, |xl| <= 2048, so |M| <= 1.5 2^23 n < 2^31 for n <= 170 columns, and |H| <= 2^23 n.
// |4096 H + M| <= (2^35 + 1.5 2^23) n, and s = 5 + bits of n_in, so |t| <= 2^30 (1 + 2^-10), and t + b fits. The 2^(s -
// 1) that rounds a panel is added to A's start: |M| + 2^(s - 1) < 2^31 for 168 columns, and for 2^16 columns s is 21.
#include "kernels/dense_f32_aligned.h"

#if !defined(__ARM_ARCH_6M__) || defined(ANNE_PORTABLE) // else armv6m/dense_f32_aligned.S

#include <math.h>

#include "kernels/align_f32.h"

// acc[r] += ((H << left) + (M >> middle)) >> right for a panel, where M = start + sum of h xl + (l + 2048) xh. x holds
// pairs xh, xl.
static void add_panel(const uint32_t *weights, const int32_t *x, uint32_t columns, uint32_t n_out, int32_t *acc,
                      uint32_t start, uint32_t left, uint32_t middle, uint32_t right) {
    for (uint32_t r = 0; r < n_out; r += 2) {
        for (uint32_t k = 0; k < 2; k++) {
            uint32_t a = start, high = 0;
            const uint32_t *p = weights + k;
#pragma GCC unroll 1
            for (const int32_t *v = x, *end = x + 2 * columns; v != end; v += 2) {
                uint32_t h = (uint32_t)((int32_t)*p >> 16);
                high += h * (uint32_t)v[0];
                a += *p * (uint32_t)v[0];
                a += h * (uint32_t)v[1];
                p += 2;
            }
            int32_t m = (int32_t)(a - (high << 16));
            acc[r + k] += ((int32_t)(high << left) + (m >> middle)) >> right;
        }
        weights += 2 * columns;
    }
}

// t 2^exponent + bias.
static inline float biased(int32_t t, int32_t exponent, float bias) {
    uint32_t bits = anne_bits_of(bias);
    int32_t own = (int32_t)(bits << 1 >> 24);
    int32_t shift = own - 150 - exponent; // of the bias's 24 bits, to be added to t
    if (own == 0 || shift < -24) {        // below half of t's unit
        return anne_scaled_f32(t, exponent);
    }
    if (shift > 6) {
        return anne_scaled_f32(t, exponent) + bias;
    }
    int32_t mantissa = (int32_t)((bits & 0x7fffff) | 0x800000);
    int32_t sign = (int32_t)bits >> 31;
    mantissa = (mantissa ^ sign) - sign;
    return anne_scaled_f32(t + (shift >= 0 ? mantissa * (1 << shift) : ((mantissa >> (-shift - 1)) + 1) >> 1),
                           exponent);
}

// The two limbs of every aligned x; returns the sum of the high ones.
static uint32_t split(const float *x, uint32_t n, int32_t exponent, int32_t *limbs) {
    uint32_t sum = 0;
    for (uint32_t j = 0; j < n; j++) {
        int32_t v = anne_align_f32(x[j], exponent);
        int32_t high = (v + 2048) >> 12;
        *limbs++ = high;
        *limbs++ = v - high * 4096;
        sum += (uint32_t)high;
    }
    return sum;
}

void anne_dense_f32_aligned(const uint32_t *weights, const float *bias, const int32_t *exponents, const float *x,
                            uint32_t n_in, uint32_t n_out, int32_t *scratch, float *out) {
    int32_t *acc = scratch, *limbs = acc + (n_out + 1) / 2 * 2;
    int32_t exponent = anne_exponent_f32(x, n_in);
    for (uint32_t r = 0; r < (n_out + 1) / 2 * 2; r++) {
        acc[r] = 0;
    }
    uint32_t s = 5 + anne_bit_length(n_in);
    uint32_t left = s < 12 ? 12 - s : 0, middle = s < 12 ? s : 12, right = s - middle;
    for (uint32_t done = 0; done < n_in;) {
        uint32_t n = n_in - done < ANNE_DENSE_F32_ALIGNED_PANEL ? n_in - done : ANNE_DENSE_F32_ALIGNED_PANEL;
        uint32_t start = (1u << (s - 1)) - 2048 * split(x + done, n, exponent, limbs);
        add_panel(weights, limbs, n, n_out, acc, start, left, middle, right);
        weights += anne_dense_f32_aligned_words(n, n_out);
        done += n;
    }
    for (uint32_t r = 0; r < n_out; r++) {
        out[r] = exponent > 128 ? NAN : biased(acc[r], (int32_t)s - 11 + exponent + exponents[r], bias[r]);
    }
}

#endif
