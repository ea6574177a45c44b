// Dense layer on float32 values with weights of 25 bits and a power of two a row: as accurate as float32, and integer.
#ifndef ANNE_DENSE_F32_ALIGNED_H
#define ANNE_DENSE_F32_ALIGNED_H

#include <stdbool.h>
#include <stdint.h>

#include "kernels/in_ram.h"

// Columns are summed in panels of so many: then no sum leaves 32 bits, see dense_f32_aligned.c.
#define ANNE_DENSE_F32_ALIGNED_PANEL        168
#define ANNE_DENSE_F32_ALIGNED_MAX_IN       65535
#define ANNE_DENSE_F32_ALIGNED_MAX_WEIGHT   (1 << 24)
#define ANNE_DENSE_F32_ALIGNED_MIN_EXPONENT (-149)
#define ANNE_DENSE_F32_ALIGNED_MAX_EXPONENT 104

// Whether a word of weights is 2^16 h + l + 2048 with -2048 <= l < 2048, and W = 4096 h + l within MAX_WEIGHT. Words,
// as integers with a sign, come in the order of their W.
static inline bool anne_dense_f32_aligned_word_good(uint32_t word) {
    const uint32_t most = ANNE_DENSE_F32_ALIGNED_MAX_WEIGHT * 16;
    return (word & 0xf000) == 0 && word + most - 2048 <= 2 * most;
}

// Words of packed weights (FORMAT.md, layout f32_aligned): one for each weight, rows padded to an even number.
static inline uint64_t anne_dense_f32_aligned_words(uint32_t n_in, uint32_t n_out) {
    return (uint64_t)n_in * ((n_out + 1) / 2 * 2);
}

// Words of scratch: x of a panel in two limbs each, and the sums.
static inline uint32_t anne_dense_f32_aligned_scratch(uint32_t n_in, uint32_t n_out) {
    return 2 * (n_in < ANNE_DENSE_F32_ALIGNED_PANEL ? n_in : ANNE_DENSE_F32_ALIGNED_PANEL) + (n_out + 1) / 2 * 2;
}

// out[r] = bias[r] + 2^exponents[r] sum over j of W[r][j] x[j], computed as
//
//   e: the least power of two above every |x|;  X[j] = round(x[j] 2^(23 - e)), halves away from zero
//   W = 4096 h + l and X = 4096 xh + xl, with l and xl in -2048..2047
//   q = sum over a panel of 4096 h xh + h xl + l xh;  t = sum over the panels of floor(q / 2^s + 1/2)
//   s = 5 + number of bits of n_in;  u = s - 11 + e + exponents[r]
//   b = floor(bias 2^-u + 1/2) if |bias| < 2^(30 + u); then out = (t + b) 2^u, rounded to float32, halves away from
//   zero else out = float32(t 2^u) + bias, rounded twice to float32
//
// Preconditions, which the loaders prove: every word good, exponents and n_in within the limits above. What is too
// small for a normal float32 after rounding is 0, what is too large is infinite. A NaN or infinity in x makes every
// output NaN; denormals in x or bias count as 0. With normally distributed numbers the rms of the error is 3e-7 of the
// outputs' for up to 128 inputs and 6e-7 for 1,000: t's unit grows with n_in. With relu, what is below 0 becomes 0.
//
// A layer of a few units takes longer to begin than to sum, so what is the same each time is worked out once. The
// fields are in the order in which armv6m/dense_f32_aligned.S takes them.
typedef struct {
    uint32_t left, middle, right; // t += ((sum of 2^12 h xh << left) + (sum of the others >> middle)) >> right
    uint32_t half;                // 2^(s - 1)
    int32_t *sums;                // scratch: a t for each row, rows being even
    const float *bias;
    const int32_t *exponents;
    float *out, *end_of_out;
    int32_t *limbs; // scratch: x of a panel, pairs xh, xl; behind the sums
    uint32_t base;  // s + 20: of a panel's unit, if the exponent of the greatest x is added as it stands in its bits
    const float *x;
    const uint32_t *weights;
    const float *end_of_x;
    uint32_t n_in;
    uint32_t relu; // all ones if what is below 0 becomes 0, else 0
} anne_dense_f32_aligned_t;

// Its size in words: of 4 bytes on the chip, elsewhere of a pointer's size.
#define ANNE_DENSE_F32_ALIGNED_DERIVED 16

// 1 <= n_in <= ANNE_DENSE_F32_ALIGNED_MAX_IN; all 4-byte aligned.
void anne_dense_f32_aligned_prepare(anne_dense_f32_aligned_t *layer, const uint32_t *weights, const float *bias,
                                    const int32_t *exponents, const float *x, uint32_t n_in, uint32_t n_out,
                                    int32_t *scratch, float *out, bool relu);
ANNE_IN_RAM void anne_dense_f32_aligned(const anne_dense_f32_aligned_t *layer);

#endif // ANNE_DENSE_F32_ALIGNED_H
