// Dense layer on int8 weights and float32 activations, summed in integers.
//
// Each x becomes an integer X of 23 bits with the exponent of the greatest; |w X| <= 2^29, and n_in < 2^s, so with q =
// sum of w X, which needs 43 bits, t = q / 2^s stays below 2^29. The RP2040 makes q of three limbs of int8, each a pass
// of the kernel for int8, which it has in assembly:
//
//   X = 2^16 x2 + 2^8 x1 + x0, with x0 and x1 in -128..127; |X| <= 2^22, so |x2| <= 64
//   q = 2^16 S2 + 2^8 S1 + S0, S being the sums of w times each
//
// Elsewhere two limbs are enough, X = 2^12 h + l with l in -2^11..2^11 - 1: a byte of a word of weights, u = w + 128,
// is taken out once for two products, and the sums of u h and u l over a panel of 508 columns, each product below 2^19,
// stay below 2^28. The 128 too much are taken off with the sum of all X.
#include "kernels/dense_s8_f32.h"

#include <math.h>

#include "kernels/align_f32.h"
#include "kernels/processor.h"

static inline float rounded(int64_t q, uint32_t s, int32_t exponent, float scale, float bias) {
    int32_t t = (int32_t)((q + (1 << s >> 1)) >> s);
    return anne_plus_f32(anne_times_f32(anne_scaled_f32(t, (int32_t)s + exponent - 23), scale), bias);
}

#ifdef __ARM_ARCH_6M__

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
    return rounded(q, s, exponent, scale, bias);
}

void anne_dense_s8_f32(const uint32_t *weights, const float *scale, const float *bias, const float *x, uint32_t n_in,
                       uint32_t n_out, int32_t *scratch, float *out) {
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
        anne_dense_s8_quad(weights, acc, limb, n_in, n_out, words, acc);
    }
    for (uint32_t r = 0; r < n_out; r++) {
        out[r] = exponent > 129 ? NAN : result_of(sums + r, n_out, s, exponent, scale[r], bias[r]);
    }
}

#else

// q of a row, in two words, as the scratch is no place for one of 64 bits.
typedef struct {
    uint32_t low;
    int32_t high;
} wide_t;

static inline int64_t value_of(wide_t wide) {
    return (int64_t)((uint64_t)(uint32_t)wide.high << 32 | wide.low);
}

#ifdef ANNE_ARMV8M // armv8m/dense_s8_f32.S
typedef void four_t(const uint32_t *weights, int32_t *sums, const uint32_t *limbs, const uint32_t *end_of_limbs);
four_t anne_dense_s8_f32_four, anne_dense_s8_f32_four_of_eight;

static inline void sum_four(const uint32_t *weights, const uint32_t step, const uint32_t *limbs, uint32_t columns,
                            int32_t *sums) {
    (step == 2 ? anne_dense_s8_f32_four_of_eight : anne_dense_s8_f32_four)(weights, sums, limbs, limbs + columns);
}
#else
// The sums of u l of four rows, then of u h; their words are `step` apart. limbs: 2^16 h + l.
static inline void sum_four(const uint32_t *weights, const uint32_t step, const uint32_t *limbs, uint32_t columns,
                            int32_t *sums) {
    int32_t low[4] = {0}, high[4] = {0};
#pragma GCC unroll 1
    for (const uint32_t *end = limbs + columns; limbs != end; limbs += 4, weights += 4 * step) {
#pragma GCC unroll 4
        for (uint32_t j = 0; j < 4; j++) {
            const uint32_t word = weights[j * step], x = limbs[j];
            const int32_t l = (int16_t)x, h = (int32_t)x >> 16;
#pragma GCC unroll 4
            for (uint32_t r = 0; r < 4; r++) {
                const int32_t u = (int32_t)(word >> 8 * r & 0xff);
                low[r] += u * l;
                high[r] += u * h;
            }
        }
    }
    for (uint32_t r = 0; r < 4; r++) {
        sums[r] = low[r];
        sums[4 + r] = high[r];
    }
}
#endif

// Adds a panel's sums of four rows, of which `rows` are there.
static inline void add_four(const uint32_t *weights, const uint32_t step, const uint32_t *limbs, uint32_t columns,
                            int64_t offset, uint32_t rows, wide_t *sums) {
    int32_t own[8];
    sum_four(weights, step, limbs, columns, own);
    for (uint32_t r = 0; r < rows; r++) {
        const int64_t sum = value_of(sums[r]) + offset + (int64_t)own[4 + r] * 4096 + own[r];
        sums[r] = (wide_t){(uint32_t)sum, (int32_t)(sum >> 32)};
    }
}

// The limbs of aligned x, then zeros up to a multiple of 4; returns the sum of X, within 2^22 times a panel's columns.
static int32_t split(const float *x, uint32_t n, int32_t exponent, uint32_t *limbs) {
    int32_t sum = 0;
    for (uint32_t j = 0; j < anne_dense_s8_columns(n); j++) {
        const int32_t v = j < n ? anne_align_f32(x[j], exponent) : 0, h = (v + 2048) >> 12;
        *limbs++ = (uint32_t)h << 16 | (uint16_t)(v - h * 4096);
        sum += v;
    }
    return sum;
}

void anne_dense_s8_f32(const uint32_t *weights, const float *scale, const float *bias, const float *x, uint32_t n_in,
                       uint32_t n_out, int32_t *scratch, float *out) {
    wide_t *sums = (void *)scratch;
    uint32_t *limbs = (uint32_t *)scratch + 3 * n_out;
    const int32_t exponent = anne_exponent_f32(x, n_in) + 1; // so that x aligned to it has 23 bits
    const uint32_t s = anne_bit_length(n_in);
    for (uint32_t r = 0; r < n_out; r++) {
        sums[r] = (wide_t){0, 0};
    }
    for (uint32_t done = 0, n; done < n_in; done += n) {
        n = n_in - done < ANNE_DENSE_S8_PANEL ? n_in - done : ANNE_DENSE_S8_PANEL;
        const uint32_t columns = anne_dense_s8_columns(n);
        const int64_t offset = (int64_t)split(x + done, n, exponent, limbs) * -128;
        for (uint32_t r = 0; r < n_out; r += 4) {
            const uint32_t rows = n_out - r < 4 ? n_out - r : 4;
            const uint32_t *words = weights + r / 8 * 2 * columns + r % 8 / 4;
            if (r % 8 > 0 || n_out - r > 4) { // they alternate with the words of four other rows
                add_four(words, 2, limbs, columns, offset, rows, sums + r);
            } else {
                add_four(words, 1, limbs, columns, offset, rows, sums + r);
            }
        }
        weights += (n_out + 3) / 4 * columns;
    }
    for (uint32_t r = 0; r < n_out; r++) {
        out[r] = exponent > 129 ? NAN : rounded(value_of(sums[r]), s, exponent, scale[r], bias[r]);
    }
}

#endif
