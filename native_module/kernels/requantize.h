// From a sum of products back to int8 or int16: the rescaling of TensorFlow Lite Micro, bit for bit.
#ifndef ANNE_REQUANTIZE_H
#define ANNE_REQUANTIZE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernels/in_ram.h"

// The real factor of a row, input_scale weights_scale / output_scale, as multiplier 2^(shift - 31).
typedef struct {
    int32_t multiplier; // 0 to 2^31 - 1; the converter's are 0, or from 2^30 on
    int32_t shift;      // -31 to ANNE_MAX_SHIFT
} anne_rescale_t;

// A sum is below 2^31 in magnitude; a left shift beyond this could not be bounded for any useful sum.
#define ANNE_MAX_SHIFT 15

typedef struct {
    int32_t zero_point;
    int32_t least; // act_min and act_max of FORMAT.md
    int32_t most;
} anne_output_t;

// (a b + 2^30) >> 31: the high half of the doubled product, halves rounded up. Not both arguments are -2^31.
static inline int32_t anne_high_mul(int32_t a, int32_t b) {
    return (int32_t)(((int64_t)a * b + (1 << 30)) >> 31);
}

// x / 2^n, halves rounded away from zero; 0 <= n <= 31.
static inline int32_t anne_rounding_shift(int32_t x, int32_t n) {
    int32_t mask = (int32_t)((1u << n) - 1);
    int32_t rest = x & mask;
    return (x >> n) + (rest > (mask >> 1) + (x < 0));
}

// x multiplier 2^(shift - 31), rounded twice. A left shift beyond 32 bits saturates.
int32_t anne_rescale(int32_t x, anne_rescale_t factor);

// zero_point + rescale(acc) limited to least..most.
int32_t anne_requantize_one(int32_t acc, const anne_rescale_t *factor, const anne_output_t *output);

// What anne_requantize_s8 computes with at first: factors of 15 bits, made once from the exact ones (requantize.c).
typedef struct {
    int32_t shift;     // of the sums, to the right
    uint32_t rounding; // what is added before the rounding, 2^21 being 1
    uint32_t unsure;   // a fraction up to this, 2^32 being 1, may have been rounded wrongly
    uint16_t multipliers[];
} anne_approximation_t;

// Bytes for n rows, a multiple of 4.
static inline uint32_t anne_approximation_bytes(uint32_t n) {
    return (uint32_t)sizeof(anne_approximation_t) + (n + 1) / 2 * 4;
}

// |acc| <= largest_sum.
void anne_approximate(const anne_rescale_t *factors, size_t n, uint32_t largest_sum,
                      anne_approximation_t *approximation);

// Its parts, for whoever needs each row once in a while and not the bytes of all: first what the n rows share, without
// their multipliers; then, with that in `approximation`, the multipliers of n of them, beginning at multipliers[0].
void anne_approximate_shared(const anne_rescale_t *factors, size_t n, uint32_t largest_sum,
                             anne_approximation_t *approximation);
void anne_approximate_rows(const anne_rescale_t *factors, size_t n, anne_approximation_t *approximation);

// What up to eight rows are rescaled with in registers (armv6m/conv_rows_s8.S), from the exact factors (requantize.c).
typedef struct {
    uint32_t start;      // what is added to products, 2^21 being 1: zero_point - least, and what rounds
    uint32_t unsure;     // a fraction up to this, 2^32 being 1, may have been rounded wrongly
    uint32_t range;      // most - least
    int32_t least;       // the limit
    uint32_t factors[8]; // multiplier 2^16 + shift of the sum to the right
    uint32_t left;       // by which all sums are shifted to the left before; 0 unless a factor is above 2^-6
} anne_quick_t;

// Whether a row may want its sum shifted to the left.
static inline bool anne_quick_left(const anne_rescale_t *factor) {
    return factor->shift > -6;
}

// Rows n - 1 to 0; of more than four first rows 3 to 0, then rows n - 1 to 4. 1 <= n <= 8; |sum| <= largest_sum.
void anne_quick_rows(const anne_rescale_t *factors, uint32_t n, const anne_output_t *output, uint32_t largest_sum,
                     anne_quick_t *quick);

// y[i] = zero_point + rescale(acc[i]) limited to least..most, a factor a row; the sum saturates. n >= 1.
// acc is spoilt.
ANNE_IN_RAM void anne_requantize_s8(int32_t *acc, const anne_rescale_t *factors,
                                    const anne_approximation_t *approximation, size_t n, const anne_output_t *output,
                                    int8_t *y);
ANNE_IN_RAM void anne_requantize_s16(const int32_t *acc, const anne_rescale_t *factors, size_t n, anne_output_t output,
                                     int16_t *y);

#endif // ANNE_REQUANTIZE_H
