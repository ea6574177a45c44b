// What armv6m/*.S puts into the RP2040's RAM, for speed.
#ifndef ANNE_IN_RAM_H
#define ANNE_IN_RAM_H

// Flash and RAM are too far apart for a BL, so the linker would put a detour of 16 bytes and 8 cycles between.
// A .mpy file lies in RAM as a whole.
#if defined(__ARM_ARCH_6M__) && !defined(ANNE_PORTABLE) && !defined(ANNE_ALL_IN_RAM)
#define ANNE_IN_RAM __attribute__((long_call))
#else
#define ANNE_IN_RAM
#endif

#endif // ANNE_IN_RAM_H
