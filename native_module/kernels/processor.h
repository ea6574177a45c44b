// What a kernel may take for granted of the processor. The rest of its file is portable C, with the same results.
#ifndef ANNE_PROCESSOR_H
#define ANNE_PROCESSOR_H

// Cortex-M33 as in the RP2350: products of 16-bit halves (DSP extension), and a unit for single floats. armv8m/*.S.
#if defined(__ARM_ARCH_8M_MAIN__) && defined(__ARM_FEATURE_DSP) && !defined(ANNE_PORTABLE)
#define ANNE_ARMV8M
#endif

#endif // ANNE_PROCESSOR_H
