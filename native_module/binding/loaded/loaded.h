// What the files of this folder have in common.
#ifndef ANNE_BINDING_LOADED_H
#define ANNE_BINDING_LOADED_H

#include "runtime.h"

// The module _anne itself, which listen.py is a part of; and the function time.ticks_us.
extern mp_obj_t py_module, py_ticks_us_function;

extern const mp_obj_type_t py_record_type;

#endif // ANNE_BINDING_LOADED_H
