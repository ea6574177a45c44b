// As a .mpy file. See runtime.h.
//
// Such a file is linked by micropython/natmod/link_mpy.py: MicroPython fills in the addresses of its table of functions
// and of the objects in it, of the names that the file lists, and of the file itself, which lies in RAM and may be
// written to. What py/dynruntime.h has no way to, or a slow one, is here. Objects are taken for those of representation
// A, as py/dynruntime.h does; mpy_init refuses others.
#ifndef ANNE_BINDING_PORT_H
#define ANNE_BINDING_PORT_H

#include "py/dynruntime.h"
#include "py/objarray.h"
#include "py/objlist.h"
#include "py/objtuple.h"

// --- Names: where a constant is needed, the number in the list of names; mpy_init puts the names in their places.

typedef uint8_t py_name_t;
#ifdef ANNE_COLLECT_NAMES
#define NAME(name) MP_QSTR_##name
#else
#define NAME(name) NAME_##name
#endif

static inline qstr py_qstr(py_name_t name) {
    return mp_native_qstr_table[name];
}

#undef MP_OBJ_NEW_QSTR
#define MP_OBJ_NEW_QSTR(q) ((mp_obj_t)((((mp_uint_t)(q)) << 3) | 2))
#define MP_ROM_QSTR(name)  ((mp_rom_obj_t)(uintptr_t)(name))

extern const mp_obj_dict_t py_module_globals;
#define DEFINE_MODULE(name, table) MP_DEFINE_CONST_DICT(py_module_globals, table)

// --- Objects of MicroPython: by their addresses if they are in its table, else found once by mpy_init.

#undef mp_type_type
#undef mp_type_str
#undef mp_type_list
#undef mp_const_none
#undef mp_const_false
#undef mp_const_true
extern const char py_none[], py_false[], py_true[];
#define mp_const_none  ((mp_obj_t)py_none)
#define mp_const_false ((mp_obj_t)py_false)
#define mp_const_true  ((mp_obj_t)py_true)
#undef mp_obj_new_bool
#define mp_obj_new_bool(b) ((b) ? mp_const_true : mp_const_false)

#undef mp_type_tuple
extern const mp_obj_type_t *py_float_type, *py_array_type, *py_tuple_type;
#define mp_type_float         (*py_float_type)
#define mp_type_array         (*py_array_type)
#define mp_type_tuple         (*py_tuple_type)
#define mp_type_MemoryError   (*(const mp_obj_type_t *)MP_OBJ_TO_PTR(mp_load_global(MP_QSTR_MemoryError)))
#define mp_type_OverflowError (*(const mp_obj_type_t *)MP_OBJ_TO_PTR(mp_load_global(MP_QSTR_OverflowError)))

// For types other than int, str, bool and None's, as MicroPython itself demands, but without its check, which looks
// these types up by their names.
#undef mp_obj_is_type
#define mp_obj_is_type(o, type) mp_obj_is_exact_type(o, type)
#define mp_obj_is_dict_or_ordereddict(o)                                     \
    (mp_obj_is_obj(o)                                                        \
     && MP_OBJ_TYPE_GET_SLOT_OR_NULL(((mp_obj_base_t *)(o))->type, make_new) \
            == MP_OBJ_TYPE_GET_SLOT_OR_NULL(&mp_type_dict, make_new))

// Floats are made and read here. Firmware for a chip with a float unit may hand floats over in its registers or not
// (the Pico 2's does not), so no call has one.
typedef struct {
    mp_obj_base_t base;
    mp_float_t value;
} py_float_t;

mp_obj_t py_new_float(float value);
#undef mp_obj_new_float_from_f
#define mp_obj_new_float_from_f(value) py_new_float(value)
#define mp_obj_float_get(o)            (((const py_float_t *)MP_OBJ_TO_PTR(o))->value)

// Whatever py/dynruntime.h would write out at each place, or cut off.
void *py_malloc(size_t n_bytes);
mp_int_t py_get_int(mp_obj_t o);
NORETURN void py_raise(const mp_obj_type_t *type, const char *format, ...);
#undef m_malloc
#define m_malloc(n_bytes) py_malloc(n_bytes)
#undef mp_obj_get_int
#define mp_obj_get_int(o)                  py_get_int(o)
#define mp_raise_msg_varg(...)             py_raise(__VA_ARGS__)
#define mp_obj_new_str_copy(type, text, n) mp_obj_new_str((const char *)(text), n)

// --- Exceptions

#ifdef __arm__
#define PY_FAR __attribute__((long_call, returns_twice))
#else
#define PY_FAR __attribute__((returns_twice))
#endif
unsigned int nlr_push(nlr_buf_t *nlr) PY_FAR;
#define nlr_pop()       mp_fun_table.nlr_pop()
#define nlr_jump(value) nlr_raise((mp_obj_t)(value))

typedef struct {
    volatile bool held;
} py_guard_t;

// --- Ctrl-C: to look takes a call of Python, so the clock tells when. The program's callbacks run then, too.

typedef struct {
    bool quick;
    mp_uint_t start_us, last_us;
} py_ears_t;

py_ears_t py_ears(bool quick);
void py_listen_now(py_ears_t *ears);
bool py_was_quick(const py_ears_t *ears);

static inline void py_listen(py_ears_t *ears) {
    if (!ears->quick) {
        py_listen_now(ears);
    }
}

#endif // ANNE_BINDING_PORT_H
