// Functions of the module `_anne`, and how they come to Python.
//
// What a function does not recognise (a wrong length, a string, a generator, a number too large) it hands over, with
// all its arguments, to the function of the same name in `anne.reference`, which either has the answer or raises the
// exception. So errors are written once, in Python, and read the same on every backend.
#ifndef ANNE_BINDING_FUNCTIONS_H
#define ANNE_BINDING_FUNCTIONS_H

#include "runtime.h"

// A function of this module: `fast` returns MP_OBJ_NULL, without having changed anything, for what it leaves to the
// reference. It sees the bare call: n_args values, then n_kw pairs of name and value.
typedef mp_obj_t (*fast_t)(size_t n_args, size_t n_kw, const mp_obj_t *args);

typedef struct {
    mp_obj_base_t base;
    fast_t fast;
    const char *module; // of the function of that name in Python
    py_name_t name;
    const char *help; // the arguments, and a sentence
} function_t;

extern const mp_obj_type_t py_function_type;

#define FUNCTION(name, help) \
    const function_t py_##name##_obj = {{&py_function_type}, fast_##name, "anne.reference", NAME(name), help}

// The functions of the module: X(name). Each is defined in its file by FUNCTION(name, help), with fast_NAME.
#define FUNCTIONS(X) \
    X(dense)         \
    X(neuron)        \
    X(relu)          \
    X(leaky_relu)    \
    X(sigmoid)       \
    X(tanh)          \
    X(softmax)       \
    X(load)          \
    X(zeros)         \
    X(zero_dim)      \
    X(add_dim)       \
    X(transpose)     \
    X(dot)           \
    X(print_matrix)  \
    X(classification_report)
#define DECLARE(name) extern const function_t py_##name##_obj;
FUNCTIONS(DECLARE)
#undef DECLARE

// Calls a function of Python, which raises the exception or has the answer.
mp_obj_t py_call(const char *module, qstr name, size_t n_args, const mp_obj_t *args);

#endif // ANNE_BINDING_FUNCTIONS_H
