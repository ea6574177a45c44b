// Values into and out of a model's arena.
#ifndef ANNE_BINDING_MODEL_VALUES_H
#define ANNE_BINDING_MODEL_VALUES_H

#include <string.h>

#include "model_type.h"

// As memcpy, which takes 40 cycles to begin. In line, as what follows: a small network would notice the calls.
typedef uint32_t __attribute__((may_alias)) word_t;

static MP_ALWAYSINLINE inline void py_copy(void *to, const void *from, size_t n_bytes) {
    if (n_bytes > 32 || (((uintptr_t)to | (uintptr_t)from | n_bytes) & 3) != 0) {
        memcpy(to, from, n_bytes);
        return;
    }
    const word_t *words = from, *end = words + n_bytes / 4;
    for (word_t *at = to; words != end;) {
        *at++ = *words++;
    }
}

// What an array of the tensor's own type and size holds, as in py_array_floats; NULL for anything else.
static MP_ALWAYSINLINE inline void *py_own_array(const values_t *values, mp_obj_t o) {
    if (!mp_obj_is_exact_type(o, &mp_type_array)) {
        return NULL;
    }
    mp_obj_array_t *array = MP_OBJ_TO_PTR(o);
    return array->typecode == values->letter && array->len == values->n ? array->items : NULL;
}

// The same of anything else that has a buffer.
void *py_own_buffer(const values_t *values, mp_obj_t o, mp_uint_t access);

// Puts x, a flat list or array of as many numbers, where the model reads it; false, with some of them put, for anything
// else.
bool py_put_plain(const values_t *to, mp_obj_t x);

// What anne.values.`name` returns; or it raises the exception. The model is not claimed meanwhile, so anyone may have
// changed its arena.
mp_obj_t py_call_values(claim_t *claimed, qstr name, size_t n_args, const mp_obj_t *args);

// Puts x, which py_put_plain does not take, where a model of one input reads it, and returns MP_OBJ_NULL; or the tuple
// of samples, if x is several and `name` is "samples". "sample" refuses several.
mp_obj_t py_put_other(claim_t *claimed, mp_obj_t x, qstr name);

// All elements, as a list of floats; those of integers, as floats.
mp_obj_t py_values_list(const values_t *values);
void py_values_floats(const values_t *values, float *floats);

// Where predict_into writes an output: as it stands, or as floats.
typedef struct {
    void *raw; // NULL if it is to be floats
    float *floats;
} target_t;

// Finds it in `out`; false for anything but a writable array of that length and type.
bool py_target_get(const values_t *from, mp_obj_t out, target_t *target);

// In line: a call would be noticed in the time of a small network.
static inline void py_target_write(const target_t *target, const values_t *from) {
    if (target->raw != NULL) {
        py_copy(target->raw, from->data, from->n_bytes);
    } else {
        py_values_floats(from, target->floats);
    }
}

#endif // ANNE_BINDING_MODEL_VALUES_H
