// relu, sigmoid and the others, on a list.
#include "activations.h"

#include <string.h>

#include "functions.h"
#include "kernels/activations_f32.h"
#include "values.h"

const float py_default_alphas[] = {
#define DEFAULT_ALPHA(name, alpha) alpha,
    ANNE_ACTIVATIONS(DEFAULT_ALPHA)
#undef DEFAULT_ALPHA
};

const py_name_t py_activations[] = {
#define ENTRY(name, alpha) NAME(name),
    ANNE_ACTIVATIONS(ENTRY)
#undef ENTRY
};

bool py_get_activation(mp_obj_t o, anne_activation_t *activation) {
    if (!mp_obj_is_str(o)) {
        return false;
    }
    // Names in a program are interned, so comparing pointers settles nearly all.
    mp_obj_t name = mp_obj_is_qstr(o) ? o : py_interned(o);
    for (uint32_t i = 0; i < ANNE_ACTIVATION_COUNT; i++) {
        if (name == MP_OBJ_NEW_QSTR(py_qstr(py_activations[i]))) {
            *activation = (anne_activation_t)i;
            return true;
        }
    }
    return false;
}

static mp_obj_t activated_list(anne_activation_t activation, float alpha, mp_obj_t x) {
    mp_obj_t result = MP_OBJ_NULL;
    floats_t v;
    if (py_floats_get(x, &v) && v.n > 0) {
        floats_t y;
        float *values = py_floats_room(&y, v.n);
        memcpy(values, v.data, v.n * sizeof(float));
        anne_activate_f32(activation, alpha, values, v.n);
        result = py_new_float_list(values, v.n);
        py_floats_free(&y);
    }
    py_floats_free(&v);
    return result;
}

#define ACTIVATION_FUNCTION(name, formula)                                                                  \
    static mp_obj_t fast_##name(size_t n_args, size_t n_kw, const mp_obj_t *args) {                         \
        return n_args == 1 && n_kw == 0 ? activated_list(ANNE_ACTIVATION_##name, 0, args[0]) : MP_OBJ_NULL; \
    }                                                                                                       \
    FUNCTION(name, "(x): the list of " formula " for v in x")

ACTIVATION_FUNCTION(relu, "max(0, v)");
ACTIVATION_FUNCTION(sigmoid, "1 / (1 + e^-v)");
ACTIVATION_FUNCTION(tanh, "tanh(v)");
ACTIVATION_FUNCTION(softmax, "e^v / (sum of e^v over x)");

static mp_obj_t fast_leaky_relu(size_t n_args, size_t n_kw, const mp_obj_t *args) {
    float alpha = py_default_alphas[ANNE_ACTIVATION_leaky_relu];
    if (n_args < 1 || n_args > 2 || n_kw != 0 || (n_args == 2 && !py_get_float(args[1], &alpha))) {
        return MP_OBJ_NULL;
    }
    return activated_list(ANNE_ACTIVATION_leaky_relu, alpha, args[0]);
}
FUNCTION(leaky_relu, "(x, alpha=0.01): the list of v where v >= 0, else alpha v, for v in x");
