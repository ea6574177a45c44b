// What a kernel may take for granted of the processor. The rest of its file is portable C, with the same results.
#ifndef ANNE_PROCESSOR_H
#define ANNE_PROCESSOR_H

// Cortex-M33 as in the RP2350: products of 16-bit halves (DSP extension), and a unit for single floats. armv8m/*.S. A
// Cortex-M4F has the same instructions; who links those files for one says so with ANNE_CORTEX_M4.
#if (defined(__ARM_ARCH_8M_MAIN__) || defined(ANNE_CORTEX_M4)) && defined(__ARM_FEATURE_DSP) && !defined(ANNE_PORTABLE)
#define ANNE_ARMV8M
// Weights in RAM that a model has for itself are rewritten once, as the processor reads them fastest (layers.h).
#define ANNE_REPACKS
#endif

// A microcontroller with a unit for single floats. Computers have one, too, but there results are the RP2040's, to the
// bit: the host library says what a board will say.
#if (defined(__ARM_FP) && __ARM_ARCH_PROFILE == 'M') || (defined(__riscv_flen) && __riscv_xlen == 32) \
    || (defined(__XTENSA__) && !defined(__XTENSA_SOFT_FLOAT__))
#define ANNE_FLOAT_UNIT
#endif

#endif // ANNE_PROCESSOR_H
