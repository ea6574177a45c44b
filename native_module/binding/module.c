// The MicroPython module `_anne`: fetches arguments, calls the core, wraps the result. No other folder knows
// MicroPython, and no arithmetic happens here. model_*.c are the type Model,
// trainer_*.c the type Trainer, the others the functions.
#include "py/obj.h"
#include "py/runtime.h"

#include "functions.h"
#include "model_type.h"
#include "trainer_type.h"

#define ENTRY(name) {MP_ROM_QSTR(MP_QSTR_##name), MP_ROM_PTR(&py_##name##_obj)},
static const mp_rom_map_elem_t module_globals_table[] = {
    {MP_ROM_QSTR(MP_QSTR___name__), MP_ROM_QSTR(MP_QSTR__anne)},
    {MP_ROM_QSTR(MP_QSTR_Model), MP_ROM_PTR(&py_model_type)}, // what load makes
    {MP_ROM_QSTR(MP_QSTR_Trainer), MP_ROM_PTR(&py_trainer_type)},
    FUNCTIONS(ENTRY)};
#undef ENTRY
static MP_DEFINE_CONST_DICT(module_globals, module_globals_table);

const mp_obj_module_t anne_module = {
    .base = {&mp_type_module},
    .globals = (mp_obj_dict_t *)&module_globals,
};
MP_REGISTER_MODULE(MP_QSTR__anne, anne_module);
