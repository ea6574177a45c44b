// Denormals that count as 0 in the floating-point unit of a microcontroller, where it has a mode for that: Arm's have.
#ifndef ANNE_FLUSH_F32_H
#define ANNE_FLUSH_F32_H

#include <stdbool.h>
#include <stdint.h>

#include "kernels/processor.h"

#ifdef ANNE_FLOAT_UNIT

#ifdef __ARM_FP
#define ANNE_FLUSHES                  // there is
#define ANNE_FLUSH_TO_ZERO (1u << 24) // in FPSCR; and that a result was below the normal floats, so that it became 0
#define ANNE_UNDERFLOW     (1u << 3)

// Begins it, all flags being as in `before`.
static inline void anne_flush_set(uint32_t before) {
    __asm__ volatile("vmsr fpscr, %0" : : "r"(before | ANNE_FLUSH_TO_ZERO) : "memory");
}

// The same with flags as they are; returns what anne_flush_end takes.
static inline uint32_t anne_flush_begin(void) {
    uint32_t before;
    __asm__ volatile("vmrs %0, fpscr" : "=r"(before));
    anne_flush_set(before);
    return before;
}

// Whether one of these eight results, or another since the flag was 0, became 0.
static inline __attribute__((always_inline)) bool anne_flush_underflow(const float *y) {
    uint32_t flags; // read when all are there
    __asm__ volatile("vmrs %0, fpscr"
                     : "=r"(flags)
                     : "t"(y[0]), "t"(y[1]), "t"(y[2]), "t"(y[3]), "t"(y[4]), "t"(y[5]), "t"(y[6]), "t"(y[7]));
    return (flags & ANNE_UNDERFLOW) != 0;
}

static inline void anne_flush_end(uint32_t before) {
    __asm__ volatile("vmsr fpscr, %0" : : "r"(before) : "memory");
}
#else
static inline uint32_t anne_flush_begin(void) {
    return 0;
}

static inline void anne_flush_end(uint32_t before) {
    (void)before;
}
#endif

#endif

#endif // ANNE_FLUSH_F32_H
