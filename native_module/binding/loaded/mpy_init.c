// What runs when MicroPython has loaded the file: `import _anne` for the first time.
#include "functions.h"
#include "loaded.h"
#include "types.h"

const mp_obj_type_t *py_float_type, *py_array_type, *py_tuple_type;
mp_obj_t py_module, py_ticks_us_function;

static mp_obj_t attribute_of(qstr module, qstr name) {
    return mp_load_attr(mp_import_name(module, mp_const_none, MP_OBJ_NEW_SMALL_INT(0)), name);
}

static void find_objects(void) {
    py_float_type = MP_OBJ_TO_PTR(mp_load_global(MP_QSTR_float));
    py_array_type = MP_OBJ_TO_PTR(attribute_of(MP_QSTR_array, MP_QSTR_array));
    py_tuple_type = mp_obj_get_type(mp_fun_table.new_tuple(0, NULL));
    py_ticks_us_function = attribute_of(MP_QSTR_time, MP_QSTR_ticks_us);
}

// Constants are written to once, here, as they lie in RAM like all of the file: instead of the numbers of names they
// get the names.
static void name_types(void) {
#define TYPE(name, Name) &py_##name##_type,
    static const mp_obj_type_t *const types[] = {&py_function_type, &py_method_type, &py_record_type, PY_TYPES(TYPE)};
    for (size_t i = 0; i < MP_ARRAY_SIZE(types); i++) {
        mp_obj_type_t *type = (mp_obj_type_t *)types[i];
        type->name = py_qstr(type->name);
    }
}

static void name_entries(const mp_obj_dict_t *dict) {
    for (size_t i = 0; i < dict->map.used; i++) {
        mp_map_elem_t *entry = &dict->map.table[i];
        entry->key = MP_OBJ_NEW_QSTR(py_qstr((uintptr_t)entry->key));
    }
}

#define LOCALS(name, Name) name_entries(&py_##name##_locals);

mp_obj_t mpy_init(mp_obj_fun_bc_t *self, size_t n_args, size_t n_kw, mp_obj_t *args) {
    MP_DYNRUNTIME_INIT_ENTRY(void) n_args, (void)n_kw, (void)args;
    if (mp_fun_table.native_to_obj(MP_QSTR_Model, MP_NATIVE_TYPE_QSTR) != MP_OBJ_NEW_QSTR(MP_QSTR_Model)) {
        mp_raise_msg(&mp_type_RuntimeError,
                     MP_ERROR_TEXT("_anne: made for objects of another kind than this MicroPython's"));
    }
#ifdef ANNE_ROM_FLOATS
    if (!py_find_rom_floats()) {
        mp_raise_ValueError(MP_ERROR_TEXT("made for the RP2040")); // anne.unfit says the rest
    }
#endif
    py_module = MP_OBJ_FROM_PTR(&self->context->module);
    find_objects();
    name_types();
    PY_TYPES(LOCALS)
    for (size_t i = 0; i < py_module_globals.map.used; i++) {
        const mp_map_elem_t *entry = &py_module_globals.map.table[i];
        if ((uintptr_t)entry->key != NAME(__name__)) { // which the import has set
            mp_store_global(py_qstr((uintptr_t)entry->key), entry->value);
        }
    }
    MP_DYNRUNTIME_INIT_EXIT
}
