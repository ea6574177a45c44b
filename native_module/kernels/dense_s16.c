// Dense layer on int16: two weights are taken apart with one shift.
//
// A word holds the weights of two columns, P = (w0 + 2^15) + 2^16 w1, so that an arithmetic shift by 16 gives w1. With
// x1 - 2^16 x0 instead of x1, w0 need not be taken out at all:
//
//   P x0 + (P >> 16)(x1 - 2^16 x0) = (w0 + 2^15) x0 + 2^16 w1 x0 + w1 x1 - 2^16 w1 x0 = w0 x0 + w1 x1 + 2^15 x0
//
// and starting with -2^15 times the sum of all x0 removes the rest. Everything wraps at 2^32; the result is exact
// because the loader has proven that the true sum fits (dense_s16.h).
#include "kernels/dense_s16.h"

#include <string.h>

#include "kernels/processor.h"

#ifdef ANNE_ARMV8M

typedef void halves_t(const uint32_t *weights, const int32_t *bias, const uint32_t *x, uint32_t pairs, uint32_t n_out,
                      int32_t *acc);

// In armv8m/dense_s16.S: acc[r] = bias[r] + sum of w x, x being pairs in the halves of words.
halves_t anne_dense_s16_halves, anne_dense_s16_repacked_halves;

// x as pairs: where it lies, if it is that.
static const uint32_t *pairs_of(const int16_t *x, uint32_t n_in, int32_t *scratch) {
    if (n_in % 2 == 0 && (uintptr_t)x % 4 == 0) {
        return (const void *)x;
    }
    uint32_t *pairs = (uint32_t *)scratch;
#pragma GCC unroll 4
    for (const uint32_t *end = pairs + n_in / 2; pairs != end; x += 2) {
        memcpy(pairs++, x, sizeof *pairs); // a word, wherever it lies
    }
    if (n_in % 2 > 0) {
        *pairs = (uint16_t)*x;
    }
    return (const uint32_t *)scratch;
}

void anne_dense_s16(const uint32_t *weights, const int32_t *bias, const int16_t *x, uint32_t n_in, uint32_t n_out,
                    int32_t *scratch, int32_t *acc) {
    anne_dense_s16_halves(weights, bias, pairs_of(x, n_in, scratch), anne_dense_s16_pairs(n_in), n_out, acc);
}

void anne_dense_s16_repacked(const uint32_t *weights, const int32_t *bias, const int16_t *x, uint32_t n_in,
                             uint32_t n_out, int32_t *scratch, int32_t *acc) {
    anne_dense_s16_repacked_halves(weights, bias, pairs_of(x, n_in, scratch), anne_dense_s16_pairs(n_in), n_out, acc);
}

void anne_dense_s16_repack(uint32_t *weights, uint32_t n_in, uint32_t n_out) {
    for (const uint32_t *end = weights + anne_dense_s16_words(n_in, n_out); weights != end;) {
        *weights++ ^= 0x8000;
    }
}

#else

#if !defined(__ARM_ARCH_6M__) || defined(ANNE_PORTABLE) // else armv6m/dense_s16.S

// The sums of `rows` rows, a constant where this is used, whose words are `step` apart; x is loaded once for all.
static inline void sum_rows(const uint32_t *p, const uint32_t step, const uint32_t rows, const int32_t *x,
                            const int32_t *end, uint32_t *sums) {
#pragma GCC unroll 1
    for (; x != end; x += 2, p += step) {
#pragma GCC unroll 3
        for (uint32_t k = 0; k < rows; k++) {
            sums[k] += p[k] * (uint32_t)x[0];
            sums[k] += (uint32_t)((int32_t)p[k] >> 16) * (uint32_t)x[1];
        }
    }
}

void anne_dense_s16_sums(const uint32_t *weights, const int32_t *bias, const int32_t *x, uint32_t pairs, uint32_t n_out,
                         int32_t *acc, uint32_t start) {
    const int32_t *end = x + 2 * pairs;
    uint32_t r = 0;
    for (; n_out - r >= 6; r += 6) {
        for (uint32_t k = 0; k < 6; k += 3) {
            uint32_t sums[3] = {start, start, start};
            sum_rows(weights + k, 6, 3, x, end, sums);
            for (uint32_t i = 0; i < 3; i++) {
                acc[r + k + i] = (int32_t)((uint32_t)bias[r + k + i] + sums[i]);
            }
        }
        weights += 6 * pairs;
    }
    for (; r < n_out; r++) {
        uint32_t sum = start;
        sum_rows(weights, 1, 1, x, end, &sum);
        acc[r] = (int32_t)((uint32_t)bias[r] + sum);
        weights += pairs;
    }
}

#endif

void anne_dense_s16(const uint32_t *weights, const int32_t *bias, const int16_t *x, uint32_t n_in, uint32_t n_out,
                    int32_t *scratch, int32_t *acc) {
    uint32_t sum = 0;
    for (uint32_t j = 0; j < n_in; j += 2) {
        uint32_t even = (uint32_t)x[j], odd = j + 1 < n_in ? (uint32_t)x[j + 1] : 0;
        scratch[j] = (int32_t)even;
        scratch[j + 1] = (int32_t)(odd - (even << 16));
        sum += even;
    }
    anne_dense_s16_sums(weights, bias, scratch, anne_dense_s16_pairs(n_in), n_out, acc, 0u - (sum << 15));
}

#endif
