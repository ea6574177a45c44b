// What the files of this folder have in common.
#ifndef ANNE_BINDING_LOADED_H
#define ANNE_BINDING_LOADED_H

#include "runtime.h"

// The module _anne itself, which listen.py is a part of; and the function time.ticks_us.
extern mp_obj_t py_module, py_ticks_us_function;

extern const mp_obj_type_t py_record_type;

#ifdef ANNE_ROM_FLOATS
bool py_find_rom_floats(void); // rom_floats.S: false on another chip than the RP2040
#endif

#endif // ANNE_BINDING_LOADED_H
