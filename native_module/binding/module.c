// The MicroPython module `_anne`: fetches arguments, calls the core, wraps the result. No other folder knows
// MicroPython, and no arithmetic happens here. model_*.c are the type Model,
// trainer_*.c the type Trainer, the others the functions.
#include "functions.h"
#include "types.h"

static const MP_DEFINE_STR_OBJ(version_obj, ANNE_VERSION);

#define ENTRY(name)      {MP_ROM_QSTR(NAME(name)), MP_ROM_PTR(&py_##name##_obj)},
#define TYPE(name, Name) {MP_ROM_QSTR(NAME(Name)), MP_ROM_PTR(&py_##name##_type)},
static const mp_rom_map_elem_t module_globals_table[] = {{MP_ROM_QSTR(NAME(__name__)), MP_ROM_QSTR(NAME(_anne))},
                                                         {MP_ROM_QSTR(NAME(version)), MP_ROM_PTR(&version_obj)},
                                                         PY_TYPES(TYPE) FUNCTIONS(ENTRY)};
#undef ENTRY
#undef TYPE
DEFINE_MODULE(_anne, module_globals_table);
