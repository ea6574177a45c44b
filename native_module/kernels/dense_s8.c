// Dense layer on int8: four multiply-accumulates with three multiplications, and no byte is ever unpacked.
//
// A word P holds the weights of four rows in one column as bytes u_r = w_r + 128:
//
//        31     24 23     16 15      8 7       0
//       +---------+---------+---------+---------+
//   P = |   u3    |   u2    |   u1    |   u0    |  = u0 + u1 z + u2 z^2 + u3 z^3   with z = 2^8
//       +---------+---------+---------+---------+
//
// rev16 swaps the bytes of each half in one cycle: rev16(P) = u1 + u0 z + u3 z^2 + u2 z^3. Let S_r = sum of u_r x over the
// columns. Modulo 2^32 = z^4, three wrapping sums suffice:
//
//   A = sum P x            = S0 + S1 z + S2 z^2 + S3 z^3
//   B = sum rev16(P) x     = S1 + S0 z + S3 z^2 + S2 z^3
//   G = sum (P >> 16) x    = S2 + S3 z
//
//   A - z B = S0 (1 - z^2) + S2 (z^2 - z^4) = (S0 + S2 z^2)(1 - z^2)
//   (1 - z^2)(1 + z^2) = 1 - z^4 = 1, so (A - z B)(1 + z^2) = S0 + S2 z^2, and (B - z A)(1 + z^2) = S1 + S3 z^2.
//
// All of it is linear, so the 128 in u = w + 128 goes away by starting the sums with what the weights 128 would give:
// A and B with -128 (1 + z + z^2 + z^3) X and G with -128 (1 + z) X, where X = sum of x. From then on S_r is the true
// sum of w x. With E = S0 + S2 z^2 and O = S1 + S3 z^2 mod 2^32 and G = S2 + S3 z exactly mod 2^32:
//
//   E gives S0 mod 2^16 in its low half and (S2 + carry) mod 2^16 above; O likewise S1 and S3.
//
// Range: |S_r| < 2^23. G - z S3 = S2 needs S3 whole, so take it in order: the low 16 bits of S2 follow from G and the low
// 8 bits of S3, and so on. Simplest with the 24 bits biased to be positive: T_r = S_r + 2^23 in [0, 2^24). Then
//
//   E' = T0 + T2 z^2, O' = T1 + T3 z^2, G' = T2 + T3 z   (mod 2^32, the biases added to E, O, G)
//
// T0 + T2 z^2 mod 2^32 shows t = T0 mod 2^16 directly. The upper half is (T0 >> 16) + T2 mod 2^16, with T0 >> 16 in
// [0, 256) unknown. T2 + T3 z mod z shows T2 mod 2^8; so (T0 >> 16) = upper half - T2 mod 2^8 exactly, and T0 is whole.
// Then T2 mod 2^16 = upper half - (T0 >> 16); G' gives T3 mod 2^8 = (G' - T2) / z mod 2^8, so T1 >> 16, hence T1 and
// T3 mod 2^16; and last G' - (T3 mod 2^16) z shows T2 mod 2^24 = T2, after which T3 = (G' - T2) / z is whole, too.
#include "kernels/dense_s8.h"

void anne_expand_s8(const int8_t *x, uint32_t n_in, int32_t *expanded) {
    uint32_t columns = anne_dense_s8_columns(n_in);
    for (uint32_t j = 0; j < n_in; j++) {
        expanded[j] = x[j];
    }
    for (uint32_t j = n_in; j < columns; j++) {
        expanded[j] = 0;
    }
}

static inline uint32_t rev16(uint32_t p) {
    return (p >> 8 & 0x00ff00ff) | (p & 0x00ff00ff) << 8;
}

#define BIAS (1u << 23) // makes sums of 24 bits positive

static inline void decode(uint32_t a, uint32_t b, uint32_t g, int32_t *sums) {
    uint32_t even = (a - (b << 8)) * 0x10001 + BIAS + (BIAS << 16);
    uint32_t odd = (b - (a << 8)) * 0x10001 + BIAS + (BIAS << 16);
    g += BIAS + (BIAS << 8);
    uint32_t high0 = ((even >> 16) - g) & 0xff;
    uint32_t low2 = ((even >> 16) - high0) & 0xffff;
    uint32_t high1 = ((odd >> 16) - ((g - low2) >> 8)) & 0xff;
    uint32_t low3 = ((odd >> 16) - high1) & 0xffff;
    uint32_t t2 = (g - (low3 << 8)) & 0xffffff;
    sums[0] = (int32_t)((even & 0xffff) | high0 << 16) - (int32_t)BIAS;
    sums[1] = (int32_t)((odd & 0xffff) | high1 << 16) - (int32_t)BIAS;
    sums[2] = (int32_t)t2 - (int32_t)BIAS;
    sums[3] = (int32_t)((g - t2) >> 8) - (int32_t)BIAS;
}

void anne_dense_s8_quad(const uint32_t *weights, const int32_t *bias, const int32_t *x, uint32_t columns,
    uint32_t n_out, int32_t *acc) {
    uint32_t sum_x = 0;
    for (uint32_t j = 0; j < columns; j++) {
        sum_x += (uint32_t)x[j];
    }
    for (uint32_t r = 0; r < n_out; r += 4) {
        uint32_t a = 0u - 128 * 0x01010101u * sum_x;
        uint32_t b = a;
        uint32_t g = 0u - 128 * 0x0101u * sum_x;
        for (uint32_t j = 0; j < columns; j++) {
            uint32_t p = *weights++;
            uint32_t v = (uint32_t)x[j];
            a += p * v;
            b += rev16(p) * v;
            g += (p >> 16) * v;
        }
        int32_t sums[4];
        decode(a, b, g, sums);
        uint32_t rows = n_out - r < 4 ? n_out - r : 4;
        for (uint32_t i = 0; i < rows; i++) {
            acc[r + i] = sums[i] + bias[r + i];
        }
    }
}

void anne_dense_s8_rows(const int8_t *weights, const int32_t *bias, const int8_t *x, uint32_t n_in, uint32_t n_out,
    int32_t *acc) {
    for (uint32_t r = 0; r < n_out; r++) {
        int32_t sum = bias[r];
        for (uint32_t j = 0; j < n_in; j++) {
            sum += *weights++ * x[j];
        }
        acc[r] = sum;
    }
}
