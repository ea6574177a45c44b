// Dense layer on int8 weights and float32 activations, summed in integers: the kernel for int8 does it in three passes.
//
// Each x becomes an integer X of 23 bits with the exponent of the greatest, cut into three limbs of int8:
//
//   X = 2^16 x2 + 2^8 x1 + x0, with x0 and x1 in -128..127; |X| <= 2^22, so |x2| <= 64
//
// and the sums S2, S1, S0 of w times each make q = 2^16 S2 + 2^8 S1 + S0 = sum of w X. |w X| <= 2^29, and n_in < 2^s,
// so t = q / 2^s stays below 2^29; q itself needs 43 bits.
#include "kernels/dense_s8_f32.h"

#include <math.h>

#include "kernels/align_f32.h"

// Cuts the limb of weight 2^(8 number) out of every aligned x.
static void cut(const float *x, uint32_t n_in, int32_t exponent, uint32_t number, int8_t *limb) {
    for (uint32_t j = 0; j < n_in; j++) {
        int32_t v = anne_align_f32(x[j], exponent);
        for (uint32_t i = 0; i < number; i++) {
            v = (v + 128) >> 8; // takes the limb below off, which has a sign
        }
        limb[j] = (int8_t)(((v + 128) & 0xff) - 128);
    }
}

static float result_of(const int32_t *sums, uint32_t n_out, uint32_t s, int32_t exponent, float scale, float bias) {
    int64_t q = (int64_t)sums[2 * n_out] * 65536 + (int64_t)sums[n_out] * 256 + sums[0];
    int32_t t = (int32_t)((q + (1 << s >> 1)) >> s);
    return anne_plus_f32(anne_times_f32(anne_scaled_f32(t, (int32_t)s + exponent - 23), scale), bias);
}

// `repacked`, a constant where this is used: the weights are rewritten, see dense_s8.h.
static inline __attribute__((always_inline)) void sum_limbs(const uint32_t *weights, const float *scale,
                                                            const float *bias, const float *x, uint32_t n_in,
                                                            uint32_t n_out, int32_t *scratch, float *out,
                                                            bool repacked) {
    int32_t *sums = scratch, *words = sums + 3 * n_out;
    int8_t *limb = (int8_t *)(words + anne_dense_s8_scratch(n_in));
    int32_t exponent = anne_exponent_f32(x, n_in) + 1; // so that x aligned to it has 23 bits
    uint32_t s = anne_bit_length(n_in);
    for (uint32_t i = 0; i < 3; i++) {
        int32_t *acc = sums + i * n_out;
        for (uint32_t r = 0; r < n_out; r++) {
            acc[r] = 0;
        }
        cut(x, n_in, exponent, i, limb);
#ifdef ANNE_REPACKS
        if (repacked) {
            anne_dense_s8_rows(weights, n_out, 0, acc, limb, n_in, n_out, words, acc);
            continue;
        }
#endif
        (void)repacked;
        anne_dense_s8_quad(weights, acc, limb, n_in, n_out, words, acc);
    }
    for (uint32_t r = 0; r < n_out; r++) {
        out[r] = exponent > 129 ? NAN : result_of(sums + r, n_out, s, exponent, scale[r], bias[r]);
    }
}

void anne_dense_s8_f32(const uint32_t *weights, const float *scale, const float *bias, const float *x, uint32_t n_in,
                       uint32_t n_out, int32_t *scratch, float *out) {
    sum_limbs(weights, scale, bias, x, n_in, n_out, scratch, out, false);
}

#ifdef ANNE_REPACKS
void anne_dense_s8_f32_repacked(const uint32_t *weights, const float *scale, const float *bias, const float *x,
                                uint32_t n_in, uint32_t n_out, int32_t *scratch, float *out) {
    sum_limbs(weights, scale, bias, x, n_in, n_out, scratch, out, true);
}
#endif
