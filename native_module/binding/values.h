// Lists, tuples and arrays of MicroPython as vectors of floats, and back.
#ifndef ANNE_BINDING_VALUES_H
#define ANNE_BINDING_VALUES_H

#include "runtime.h"

// A vector of floats: an array('f') where it lies, or numbers of a list copied to `space` or, if they are many, to the
// heap. Lives on the C stack, so the garbage collector sees what it points to.
#define FLOATS_SPACE 16
typedef struct {
    const float *data;
    size_t n;
    float *heap; // NULL unless data was allocated; `allocated` floats long
    size_t allocated;
    float space[FLOATS_SPACE];
} floats_t;

// Both in line: every call of dense does without the heap, or nearly.
static inline void py_floats_free(floats_t *v) {
    if (v->heap != NULL) {
        m_del(float, v->heap, v->allocated);
    }
}

// Room for n floats, which py_floats_free gives back.
static inline float *py_floats_room(floats_t *v, size_t n) {
    v->heap = NULL;
    if (n <= FLOATS_SPACE) {
        return v->space;
    }
    v->allocated = n;
    return v->heap = m_new(float, n);
}

// The items of a list or a tuple; NULL for anything else.
mp_obj_t *py_list_items(mp_obj_t o, size_t *n);

bool py_is_list(mp_obj_t o);

// The floats of an array('f'), which are aligned and can be written; NULL for anything else. What nearly always comes
// where speed counts, and five times faster than the buffer protocol.
float *py_array_floats(mp_obj_t o, size_t *n);

// The floats of an array('f') or a memoryview of one, word aligned as the Cortex-M0+ needs them; else false.
bool py_float_buffer(mp_obj_t o, mp_uint_t access, float **data, size_t *n);

// A number; n numbers; false, with some of them written, for anything that is not plainly one.
bool py_get_float(mp_obj_t o, float *value);
bool py_get_items(const mp_obj_t *items, size_t n, float *values);

// A vector of numbers. False for anything else; py_floats_free ends it in either case.
bool py_floats_get(mp_obj_t o, floats_t *v);

// A list of rows, each of n numbers or each an array('f') of n, copied row after row; else as py_floats_get.
bool py_floats_get_rows(mp_obj_t o, size_t n_rows, size_t n, floats_t *v);

// A list of n items to be filled. The garbage collector may come before: the heap clears what it hands out.
mp_obj_list_t *py_new_list(size_t n);

// The list of n floats.
mp_obj_t py_new_float_list(const float *values, size_t n);

// An index below `limit`, or IndexError.
uint32_t py_get_index(mp_obj_t o, uint32_t limit);

#endif // ANNE_BINDING_VALUES_H
