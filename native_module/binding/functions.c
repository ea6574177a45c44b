// The call of a function, and those functions that are Python's alone.
#include "functions.h"

mp_obj_t py_call(const char *module, qstr name, size_t n_args, const mp_obj_t *args) {
    return mp_call_function_n_kw(mp_load_attr(py_import(module), name), n_args, 0, args);
}

static mp_obj_t function_call(mp_obj_t self_in, size_t n_args, size_t n_kw, const mp_obj_t *args) {
    const function_t *self = MP_OBJ_TO_PTR(self_in);
    py_need_stack(CALL_STACK_BYTES);
    mp_obj_t result = self->fast(n_args, n_kw, args);
    if (result != MP_OBJ_NULL) {
        return result;
    }
    return mp_call_function_n_kw(mp_load_attr(py_import(self->module), py_qstr(self->name)), n_args, n_kw, args);
}

// help(function) prints it as str does, and nothing of it besides.
static void function_print(const mp_print_t *print, mp_obj_t self_in, mp_print_kind_t kind) {
    const function_t *self = MP_OBJ_TO_PTR(self_in);
    mp_printf(print, kind == PRINT_STR ? "%q%s" : "<function %q>", py_qstr(self->name), self->help);
}

MP_DEFINE_CONST_OBJ_TYPE(py_function_type, NAME(function), MP_TYPE_FLAG_NONE, print, function_print, call,
                         function_call);

// Functions of Python alone, which say nothing of themselves there: firmware keeps no docstrings.
static mp_obj_t leave_to_python(size_t n_args, size_t n_kw, const mp_obj_t *args) {
    return MP_OBJ_NULL;
}

#define PYTHON_FUNCTION(module, name, help) \
    const function_t py_##name##_obj = {{&py_function_type}, leave_to_python, "anne." module, NAME(name), help}

PYTHON_FUNCTION("model", load,
                "(source, copy=None): the network in a model file, by its path or bytes; copy: its weights to RAM");
PYTHON_FUNCTION("reference", zeros, "(rows, cols): a matrix of zeros, a list of rows");
PYTHON_FUNCTION("reference", zero_dim, "(x): a list of zeros as long as x");
PYTHON_FUNCTION("reference", add_dim, "(x, y): the list of x[i] + y[i]");
PYTHON_FUNCTION("reference", transpose, "(M): the rows of M as columns");
PYTHON_FUNCTION("reference", dot, "(A, B): the matrix product A B");
PYTHON_FUNCTION("reference", print_matrix, "(M, decimals=3): prints M, a row a line");
PYTHON_FUNCTION("reference", classification_report,
                "(ytrue, ypred): (accuracy, [[TN, FP], [FN, TP]]) for labels 0 and 1");
