// Rescaling on the Cortex-M33, in 9 instructions instead of some 25: no approximate factor is worth while there.
//
// SMMULR gives (a b + 2^31) >> 32 of 64 bits; with 2 x for a that is the first rounding, (x multiplier + 2^30) >> 31.
// The second takes halves away from zero: with h1 = h - 1 for h < 0, else h, it is ((h1 >> (n - 1)) + 1) >> 1, to which
// the zero point is added before the last shift, as twice itself. SSAT does that shift and limits to a byte.
//
// Ranges: 2 x is an int32 for |x| < 2^30. |h| < 2^30, and |zero_point| <= 2^15, so nothing overflows. n - 1 = ~shift
// is 0 to 30 for a shift of -31 to -1; for others it is not that, and the portable way is taken.
#ifndef ANNE_ARMV8M_RESCALE_H
#define ANNE_ARMV8M_RESCALE_H

#include "kernels/processor.h"
#include "kernels/requantize.h"

#ifdef ANNE_ARMV8M

// (a b + 2^31) >> 32
static inline int32_t anne_smmulr(int32_t a, int32_t b) {
    int32_t high;
    __asm__("smmulr %0, %1, %2" : "=r"(high) : "r"(a), "r"(b));
    return high;
}

// x / 2, rounded down, limited to an int8
static inline int32_t anne_half_s8(int32_t x) {
    int32_t limited;
    __asm__("ssat %0, #8, %1, asr #1" : "=r"(limited) : "r"(x) : "cc"); // and a flag that nobody reads
    return limited;
}

// The second rounding but its last step, where 1 is added and half of it taken; right = ~shift.
static inline int32_t anne_halved(int32_t h, uint32_t right) {
    h += h >> 31;
    __asm__("asr %0, %0, %1" : "+r"(h) : "r"(right)); // without a mask, which C would need
    return h;
}

// Both roundings but for that; |x| < 2^30.
static inline int32_t anne_rescale_steps(int32_t x, int32_t multiplier, uint32_t right) {
    return anne_halved(anne_smmulr(2 * x, multiplier), right);
}

// Whether nothing limits a result but that it is a byte.
static inline bool anne_whole_byte(const anne_output_t *output) {
    return output->least == -128 && output->most == 127;
}

// An output as numbers that stay in registers.
typedef struct {
    const anne_output_t *output;
    int32_t offset; // twice the zero point, and what rounds
    int32_t least;
    int32_t most;
} anne_byte_t;

static inline anne_byte_t anne_byte_of(const anne_output_t *output) {
    return (anne_byte_t){output, 2 * output->zero_point + 1, output->least, output->most};
}

// anne_requantize_one for |acc| < 2^30; `whole`, which is a constant where this is used: anne_whole_byte(output).
static inline int32_t anne_requantize_byte(int32_t acc, const anne_rescale_t *factor, const anne_byte_t *byte,
                                           bool whole) {
    if (factor->shift >= 0) {
        return anne_requantize_one(acc, factor, byte->output);
    }
    int32_t y = anne_half_s8(anne_rescale_steps(acc, factor->multiplier, (uint32_t)~factor->shift) + byte->offset);
    if (!whole) {
        y = y < byte->least ? byte->least : y;
        y = y > byte->most ? byte->most : y;
    }
    return y;
}

#endif

#endif // ANNE_ARMV8M_RESCALE_H
