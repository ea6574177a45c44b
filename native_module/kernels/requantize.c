// Rescaling with two roundings: first the product with a 31-bit multiplier, then the shift to the right. TensorFlow
// Lite Micro computes it so (after gemmlowp), and a model that was checked there must give the same bits here.
//
// int8 results seldom need that product. With n = -shift let v = acc multiplier 2^(-31 - n), the exact value, and with
// n0, the least n of all rows, s = n0 - 6, a = floor(acc / 2^s), and m = multiplier 2^-(16 + n - n0), rounded:
//
//   2^21 v = a m + error        -D <= error < m + D        D <= 2^14 for |a| <= 2^15
//
// since D, 2^15 times what the greatest rounding of an m took, is at most 2^14, and the fraction of acc / 2^s is
// below 1. The first rounding, to 2^-n, moves v by 2^(-n - 1) at most, in units of 2^-21 by 2^(20 - n) <= 2^(14 - s).
// So the value whose whole part is the result, what the first rounding gives plus 1/2, lies from q - (M + 2 E) to q for
//
//   q = a m + 2^20 + M + E        with M the greatest m, at most 2^15, and E = D + 2^(14 - s)
//
// and unless the fraction of q is within M + 2 E (2 to 4 % are), its whole part is the result; halves, which the
// second rounding takes away from zero, are within. Everything fits 32 bits: |a m| <= 2^30, and |zero_point - least|
// 2^21 < 2^29. With n0 of 2 to 5, as layers of few inputs have, s < 0 and a is acc 2^-s, without a fraction, where no
// sum can be so large that this overflows. Other rows and sums too large for a take the exact way.
#include "kernels/requantize.h"

#include "kernels/processor.h"

int32_t anne_rescale(int32_t x, anne_rescale_t factor) {
    if (factor.shift <= 0) {
        return anne_rounding_shift(anne_high_mul(x, factor.multiplier), -factor.shift);
    }
    int64_t shifted = (int64_t)x * (1 << factor.shift);
    x = shifted > INT32_MAX ? INT32_MAX : shifted < INT32_MIN ? INT32_MIN : (int32_t)shifted;
    return anne_high_mul(x, factor.multiplier);
}

// |rescaled| <= 2^31 and |zero_point| <= 128: the sum is formed only where it cannot overflow.
int32_t anne_requantize_one(int32_t acc, const anne_rescale_t *factor, const anne_output_t *output) {
    int32_t value = anne_rescale(acc, *factor);
    value = value > 65536 ? 65536 : value < -65536 ? -65536 : value;
    value += output->zero_point;
    return value < output->least ? output->least : value > output->most ? output->most : value;
}

#define ONE_BITS 21 // of the approximate products, behind the point

// The multiplier 2^-right, rounded. Rows with the factor 0 may have any shift.
static uint32_t approximate_multiplier(const anne_rescale_t *factor, uint32_t right) {
    return right - 1 > 30 ? 0 : (((uint32_t)factor->multiplier >> (right - 1)) + 1) >> 1;
}

void anne_approximate_shared(const anne_rescale_t *factors, size_t n, uint32_t largest_sum,
                             anne_approximation_t *approximation) {
    int32_t most = -32; // shift: -n0
    for (size_t i = 0; i < n; i++) {
        if (factors[i].multiplier != 0 && factors[i].shift > most) {
            most = factors[i].shift;
        }
    }
    int32_t shift = -6 - most;
    bool exact = shift < -4 || (shift < 0 && largest_sum >= 1u << (31 + shift));
    shift = exact ? 0 : shift;
    uint32_t error = 0, greatest = 0;
    for (size_t i = 0; i < n; i++) {
        const uint32_t multiplier = (uint32_t)factors[i].multiplier, right = (uint32_t)(16 + most - factors[i].shift);
        if (multiplier != 0) {
            uint32_t m = approximate_multiplier(&factors[i], right);
            uint32_t rest = right > 31 ? 0 : multiplier - (m << right), off = rest >> 31 ? 0u - rest : rest;
            off = right > 31 ? 1u << 14 : off >> (right - 15);
            error = off > error ? off : error;
            greatest = m > greatest ? m : greatest;
        }
    }
    error += (shift < 0 ? 1u << (14 - shift) : (1u << 14) >> shift) + 2;
    uint32_t fraction = shift > 0 ? greatest + 1 : 0;
    approximation->shift = shift;
    approximation->rounding = (1u << (ONE_BITS - 1)) + fraction + error;
    approximation->unsure = exact ? UINT32_MAX : (fraction + 2 * error) << (32 - ONE_BITS);
}

// 0 where no product is sure: the assembly asks first whether it is within the limits.
void anne_approximate_rows(const anne_rescale_t *factors, size_t n, anne_approximation_t *approximation) {
    const int32_t most = -6 - approximation->shift;
    const bool exact = approximation->unsure == UINT32_MAX;
    for (size_t i = 0; i < n; i++) {
        uint32_t right = (uint32_t)(16 + most - factors[i].shift);
        approximation->multipliers[i] = exact ? 0 : (uint16_t)approximate_multiplier(&factors[i], right);
    }
}

void anne_approximate(const anne_rescale_t *factors, size_t n, uint32_t largest_sum,
                      anne_approximation_t *approximation) {
    anne_approximate_shared(factors, n, largest_sum, approximation);
    anne_approximate_rows(factors, n, approximation);
}

// --- Eight rows, each with a shift of its own
//
// With s = n - 6 of each row, m is from 2^14 to 2^15. Where the result is within least..most, |v| <= 256, so |a| <=
// 2^29 / m + 1, and the error of m moves a m by 2^28 / m + 1 at most. Let F = 2^(14 - s) be the first rounding's, in
// units of 2^-21, and X the value whose whole part is the result. For
//
//   q = a m + 2^20 + U        with U = 2^15 + 2^13 + F + 2 >= m + 2^28 / m + F + 1 (which is convex: the ends tell)
//
// q - X is from 0 to U + 2^14 + F + 2, in all 2.8 % of all fractions, one limit for all rows with the least s. Beyond
// the limits, by d in v, q is 2^6 d more off, and 2^21 d away from where a result is within.
//
// Sums whose a is no int16 take the exact way. With n of 2 to 5 sums are shifted to the left first, if none can
// overflow by it, as above. Where a row has n < 2, or a multiplier below 2^30, as no converter writes, all rows are
// exact.

enum { QUICK_SHIFT = 6, ALL_BITS = 31, MOST_LEFT = 4 };

// The rows from `end` back to `begin`; returns where those behind them stand.
static uint32_t *quick_rows(const anne_rescale_t *begin, const anne_rescale_t *end, int32_t shift, uint32_t *quick) {
    while (end != begin) {
        end--; // a product with 0 is exact
        *quick++ = end->multiplier == 0
                       ? ALL_BITS
                       : (((uint32_t)end->multiplier >> 15) + 1) >> 1 << 16 | (uint32_t)(shift - end->shift);
    }
    return quick;
}

void anne_quick_rows(const anne_rescale_t *factors, uint32_t n, const anne_output_t *output, uint32_t largest_sum,
                     anne_quick_t *quick) {
    const anne_rescale_t *end = factors + n, *half = n > 4 ? factors + 4 : end;
    int32_t most = -QUICK_SHIFT - ALL_BITS; // shift
    for (const anne_rescale_t *factor = factors; factor != end; factor++) {
        int32_t shift = factor->multiplier >= 1 << 30 ? factor->shift : ANNE_MAX_SHIFT;
        most = factor->multiplier != 0 && shift > most ? shift : most;
    }
    const uint32_t left = most > -QUICK_SHIFT ? (uint32_t)(QUICK_SHIFT + most) : 0;
    const bool exact = left > MOST_LEFT || largest_sum >= 1u << (31 - left);
    const uint32_t first_rounding = left > 0 ? 1u << 14 << (exact ? 0 : left) : 1u << 14 >> (-QUICK_SHIFT - most);
    const uint32_t above = (1u << 15) + (1u << 13) + first_rounding + 2;
    quick->left = exact ? 0 : left;
    quick_rows(half, end, (int32_t)left - QUICK_SHIFT,
               quick_rows(factors, half, (int32_t)left - QUICK_SHIFT, quick->factors));
    quick->start = (uint32_t)(output->zero_point - output->least) * (1u << ONE_BITS) + (1u << (ONE_BITS - 1)) + above;
    quick->unsure = (above + (1u << 14) + first_rounding + 2) << (32 - ONE_BITS);
    quick->range = (uint32_t)(output->most - output->least);
    quick->least = output->least;
    if (exact) { // 0 times the sum, within the limits and never sure
        quick->start = 0;
        quick->unsure = UINT32_MAX;
        for (uint32_t i = 0; i < n; i++) {
            quick->factors[i] = ALL_BITS;
        }
    }
}

#ifdef ANNE_ARMV8M // requantize_armv8m.c

#elif !defined(__ARM_ARCH_6M__) || defined(ANNE_PORTABLE) // else armv6m/requantize.S

void anne_requantize_s8(int32_t *acc, const anne_rescale_t *factors, const anne_approximation_t *approximation,
                        size_t n, const anne_output_t *output, int8_t *y) {
    uint32_t range = (uint32_t)(output->most - output->least);
    uint32_t start = (uint32_t)(output->zero_point - output->least) * (1u << ONE_BITS) + approximation->rounding;
    for (size_t i = 0; i < n; i++) {
        int32_t shift = approximation->shift;
        int32_t a = shift < 0 ? acc[i] * (1 << -shift) : acc[i] >> shift;
        uint32_t q = (uint32_t)a * approximation->multipliers[i] + start;
        if (a != (int16_t)a || q << (32 - ONE_BITS) <= approximation->unsure) {
            y[i] = (int8_t)anne_requantize_one(acc[i], &factors[i], output);
            continue;
        }
        int32_t above = (int32_t)q >> ONE_BITS; // the least
        uint32_t limited = above < 0 ? 0 : (uint32_t)above > range ? range : (uint32_t)above;
        y[i] = (int8_t)((int32_t)limited + output->least);
    }
}

void anne_requantize_s16(const int32_t *acc, const anne_rescale_t *factors, size_t n, anne_output_t output,
                         int16_t *y) {
    for (size_t i = 0; i < n; i++) {
        if (factors[i].shift > 0 || output.zero_point != 0) {
            y[i] = (int16_t)anne_requantize_one(acc[i], &factors[i], &output);
            continue;
        }
        const int32_t value = anne_rounding_shift(anne_high_mul(acc[i], factors[i].multiplier), -factors[i].shift);
        y[i] = (int16_t)(value < output.least ? output.least : value > output.most ? output.most : value);
    }
}

#endif
