// How MicroPython's headers are read for a .mpy file: stock firmware's objects, by the table of functions that it has
// for such files (py/dynruntime.h).
#include <stdint.h>

typedef intptr_t mp_int_t;
typedef uintptr_t mp_uint_t;
typedef intptr_t mp_off_t;

#define NO_QSTR                   // names.h, which the build makes, instead
#define MICROPY_ENABLE_DYNRUNTIME (1)
// Python's floats, as stock firmware has them: doubles on a PC.
#ifdef __x86_64__
#define MICROPY_FLOAT_IMPL (MICROPY_FLOAT_IMPL_DOUBLE)
#else
#define MICROPY_FLOAT_IMPL (MICROPY_FLOAT_IMPL_FLOAT)
#endif

extern const uint16_t mp_native_qstr_table[];
#ifndef ANNE_COLLECT_NAMES
#include "names.h"
#endif
