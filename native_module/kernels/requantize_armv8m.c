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

// Sums may have all of 32 bits, so the first rounding is that of a product of 64: (acc 2 m + 2^31) >> 32. As an int32
// 2 m is 2^32 less for a multiplier m from 2^30 on; SMMLAR adds that again, acc 2^32, before it rounds. Other
// multipliers and shifts to the left are rare.
static inline void all_halves(const int32_t *acc, const anne_rescale_t *factors, size_t n, const anne_output_t *output,
                              int16_t *y, bool whole) {
    const int32_t offset = 2 * output->zero_point + 1, least = output->least, most = output->most;
    const int16_t *end = y + n;
#pragma GCC unroll 4
    while (y != end) {
        const int32_t sum = *acc++, multiplier = factors->multiplier, shift = factors->shift;
        const int32_t doubled = (int32_t)((uint32_t)multiplier << 1);
        int32_t value;
        factors++;
        if (__builtin_expect((doubled & shift) >= 0, false)) {
            value = anne_requantize_one(sum, factors - 1, output);
        } else {
            __asm__("smmlar %0, %1, %2, %1" : "=r"(value) : "r"(sum), "r"(doubled));
            value = anne_halved(value, (uint32_t)~shift) + offset;
            if (whole) {
                __asm__("ssat %0, #16, %0, asr #1" : "+r"(value) : : "cc");
            } else {
                value >>= 1;
                value = value < least ? least : value > most ? most : value;
            }
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
