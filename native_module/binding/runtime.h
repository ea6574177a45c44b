// What the binding uses of MicroPython. It stands in two places, as part of a firmware (linked/) and as a .mpy file
// that any firmware loads (loaded/); what differs between them is port.h and runtime.c there, chosen by the build's
// include path. Everything else in this folder is the same in both.
//
// port.h includes MicroPython's headers, and has of its own:
//
//   py_name_t, NAME(x), py_qstr(name)  names in tables of constants, where MP_QSTR_x may be no constant
//   DEFINE_MODULE(name, table)         the module with these globals
//   py_guard_t                         what a claim (claims.h) needs to end with an exception
//   py_ears_t, py_ears(quick), py_listen(ears), py_was_quick(ears)
//                                      Ctrl-C between the layers of a model; `quick` if it took no time when last run
#ifndef ANNE_BINDING_RUNTIME_H
#define ANNE_BINDING_RUNTIME_H

#include "port.h"

// What functions take at most, with all that they call: proving a file, and anything else (tests/reliability/board.py).
#define OPEN_STACK_BYTES 2048
#define CALL_STACK_BYTES 1024

// RuntimeError unless the stack has room for so many bytes more. Where it ends the heap begins, and MicroPython sees
// to it only when Python functions are called.
void py_need_stack(size_t n_bytes);

// A module by its name with points, "anne.values".
mp_obj_t py_import(const char *name);

// A str made at run time, looked up among the interned ones but not added to them: those are never freed. Any object
// that is no name of this module's, if there is none.
mp_obj_t py_interned(mp_obj_t str);

// A tuple whose n items have names.
mp_obj_t py_new_record(const py_name_t *names, size_t n, const mp_obj_t *items);

// The time, and how much of it has passed.
mp_uint_t py_ticks_us(void);
mp_uint_t py_us_since(mp_uint_t start_us);

// Whether Ctrl-C, or another exception for this thread, has come; then py_raise_interrupt raises it. On USB Ctrl-C is a
// byte like any other, which is read when the scheduler comes to it; here it is read at once.
bool py_interrupted(void);
void py_raise_interrupt(void);

#endif // ANNE_BINDING_RUNTIME_H
