// Values into and out of a model's arena.
#ifndef ANNE_BINDING_MODEL_VALUES_H
#define ANNE_BINDING_MODEL_VALUES_H

#include "py/objarray.h"

#include "model_type.h"

// Element i as a number, whatever the type is.
float py_get_value(const values_t *from, size_t i);

// What an array of the tensor's own type and size holds, as in py_array_floats; NULL for anything else.
static inline void *py_own_array(const values_t *values, mp_obj_t o) {
    if (!mp_obj_is_exact_type(o, &mp_type_array)) {
        return NULL;
    }
    mp_obj_array_t *array = MP_OBJ_TO_PTR(o);
    return array->typecode == values->letter && array->len == values->n ? array->items : NULL;
}

// The same of anything else that has a buffer.
void *py_own_buffer(const values_t *values, mp_obj_t o, mp_uint_t access);

// Puts x where the model reads it, and returns MP_OBJ_NULL; or the tuple of samples, if x is several and `name` is
// "samples". "sample" refuses several. A flat list or array of as many numbers needs no Python.
mp_obj_t py_put_input(claim_t *claimed, mp_obj_t x, qstr name);

// All elements, as a list of floats.
mp_obj_t py_values_list(const values_t *values);

#endif // ANNE_BINDING_MODEL_VALUES_H
