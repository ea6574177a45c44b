// anne_requantize_s8 and anne_requantize_s16 on the Cortex-M33: all results the exact way (armv8m/rescale.h).
#include "kernels/armv8m/rescale.h"

#ifdef ANNE_ARMV8M

static inline void all_bytes(const int32_t *acc, const anne_rescale_t *factors, size_t n, const anne_output_t *output,
                             int8_t *y, bool whole) {
    const anne_output_t own = *output;
    for (const int8_t *end = y + n; y != end; acc++, factors++) {
        *y++ = (int8_t)anne_requantize_byte(*acc, factors, &own, whole);
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

// Sums may have all of 32 bits, so the first rounding is that of a product of 64.
void anne_requantize_s16(const int32_t *acc, const anne_rescale_t *factors, size_t n, anne_output_t output,
                         int16_t *y) {
    for (const int16_t *end = y + n; y != end; acc++, factors++) {
        if (factors->shift >= 0) {
            *y++ = (int16_t)anne_requantize_one(*acc, factors, &output);
            continue;
        }
        int32_t h = anne_high_mul(*acc, factors->multiplier), value;
        h += h >> 31;
        value = (((h >> (~factors->shift & 31)) + 1) >> 1) + output.zero_point;
        value = value < output.least ? output.least : value;
        *y++ = (int16_t)(value > output.most ? output.most : value);
    }
}

#endif
