// As part of a firmware. See runtime.h.
#ifndef ANNE_BINDING_PORT_H
#define ANNE_BINDING_PORT_H

#include "py/builtin.h"
#include "py/objarray.h"
#include "py/objlist.h"
#include "py/objstr.h"
#include "py/objtuple.h"
#include "py/runtime.h"

typedef qstr py_name_t;
#define NAME(name) MP_QSTR_##name

static inline qstr py_qstr(py_name_t name) {
    return name;
}

#define DEFINE_MODULE(name, table)                      \
    static MP_DEFINE_CONST_DICT(module_globals, table); \
    const mp_obj_module_t anne_module = {               \
        .base = {&mp_type_module},                      \
        .globals = (mp_obj_dict_t *)&module_globals,    \
    };                                                  \
    MP_REGISTER_MODULE(MP_QSTR_##name, anne_module)

typedef nlr_jump_callback_node_t py_guard_t;

// To look costs next to nothing, so it is done after every layer.
typedef struct {
    char unused;
} py_ears_t;

static inline py_ears_t py_ears(bool quick) {
    (void)quick;
    return (py_ears_t){0};
}

void py_listen_now(void);

static inline void py_listen(py_ears_t *ears) {
    (void)ears;
    if (MP_STATE_VM(sched_state) == MP_SCHED_PENDING || MP_STATE_MAIN_THREAD(mp_pending_exception) != MP_OBJ_NULL) {
        py_listen_now();
    }
}

static inline bool py_was_quick(const py_ears_t *ears) {
    (void)ears;
    return false;
}

#endif // ANNE_BINDING_PORT_H
