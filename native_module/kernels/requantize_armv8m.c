// anne_requantize_s8 and anne_requantize_s16 on the Cortex-M33: all results the exact way (armv8m/rescale.h).
#include "kernels/armv8m/rescale.h"

#ifdef ANNE_ARMV8M

static inline void all_bytes(const int32_t *acc, const anne_rescale_t *factors, size_t n, const anne_output_t *output,
                             int8_t *y, bool whole) {
    const anne_byte_t byte = anne_byte_of(output);
#pragma GCC unroll 4
    for (const int8_t *end = y + n; y != end; acc++, factors++) {
        *y++ = (int8_t)anne_requantize_byte(*acc, factors, &byte, whole);
    }
}

void anne_requantize_s8(int32_t *acc, const anne_rescale_t *factors, const anne_approximation_t *approximation,
                        size_t n, const anne_output_t *output, int8_t *y) {
    (void)approximation;
    if (anne_whole_byte(output)) {
        all_bytes(acc, factors, n, output, y, true);
    } else {
        all_bytes(acc, factors, n, output, y, false);
    }
}

// (a b + 2^30) >> 31, for any a: of the 64 bits those from 31 on, and bit 30 added.
static inline int32_t high_mul(int32_t a, int32_t b) {
    int32_t low, high;
    __asm__("smull %0, %1, %2, %3\n\tlsls %0, %0, #1\n\tadc %1, %1, %1\n\tadd %1, %1, %0, lsr #31"
            : "=&r"(low), "=&r"(high)
            : "r"(a), "r"(b)
            : "cc");
    return high;
}

// Sums may have all of 32 bits, so the first rounding is that of a product of 64.
static inline void all_halves(const int32_t *acc, const anne_rescale_t *factors, size_t n, const anne_output_t *output,
                              int16_t *y, bool whole) {
    const int32_t offset = 2 * output->zero_point + 1, least = output->least, most = output->most;
#pragma GCC unroll 4
    for (const int16_t *end = y + n; y != end; acc++, factors++) {
        if (factors->shift >= 0) {
            *y++ = (int16_t)anne_requantize_one(*acc, factors, output);
            continue;
        }
        int32_t twice = anne_halved(high_mul(*acc, factors->multiplier), (uint32_t)~factors->shift) + offset, value;
        if (whole) {
            __asm__("ssat %0, #16, %1, asr #1" : "=r"(value) : "r"(twice) : "cc");
        } else {
            value = twice >> 1;
            value = value < least ? least : value > most ? most : value;
        }
        *y++ = (int16_t)value;
    }
}

void anne_requantize_s16(const int32_t *acc, const anne_rescale_t *factors, size_t n, anne_output_t output,
                         int16_t *y) {
    if (output.least == INT16_MIN && output.most == INT16_MAX) {
        all_halves(acc, factors, n, &output, y, true);
    } else {
        all_halves(acc, factors, n, &output, y, false);
    }
}

#endif
