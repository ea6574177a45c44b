// Lists, tuples and arrays of MicroPython as vectors of floats, and back.
#include "values.h"

mp_obj_t *py_list_items(mp_obj_t o, size_t *n) {
    *n = 0;
    if (mp_obj_is_type(o, &mp_type_list)) {
        mp_obj_list_t *list = MP_OBJ_TO_PTR(o);
        *n = list->len;
        return list->items;
    }
    if (mp_obj_is_type(o, &mp_type_tuple)) {
        mp_obj_tuple_t *tuple = MP_OBJ_TO_PTR(o);
        *n = tuple->len;
        return tuple->items;
    }
    return NULL;
}

bool py_is_list(mp_obj_t o) {
    size_t n;
    return py_list_items(o, &n) != NULL;
}

float *py_array_floats(mp_obj_t o, size_t *n) {
    *n = 0;
    if (!mp_obj_is_exact_type(o, &mp_type_array)) {
        return NULL;
    }
    mp_obj_array_t *array = MP_OBJ_TO_PTR(o);
    *n = array->len;
    return array->typecode == 'f' ? array->items : NULL;
}

bool py_float_buffer(mp_obj_t o, mp_uint_t access, float **data, size_t *n) {
    mp_buffer_info_t info;
    if ((*data = py_array_floats(o, n)) != NULL) {
        return true;
    }
    if (!mp_obj_is_obj(o) || py_is_list(o) || !mp_get_buffer(o, &info, access) || (info.typecode & 0x7f) != 'f'
        || ((uintptr_t)info.buf & 3) != 0) {
        return false;
    }
    *data = info.buf;
    *n = info.len / sizeof(float);
    return true;
}

bool py_get_float(mp_obj_t o, float *value) {
    // Integers beyond a machine word and everything that is not plainly a number are the reference's to judge.
    if (mp_obj_is_small_int(o)) {
        *value = (float)MP_OBJ_SMALL_INT_VALUE(o);
        return true;
    }
    if (!mp_obj_is_float(o)) {
        return false;
    }
    *value = (float)mp_obj_float_get(o);
    return true;
}

// What nearly always stands in a list, and a call for each would take as long as the rest.
#if MICROPY_OBJ_REPR == MICROPY_OBJ_REPR_A
typedef struct { // as py/objfloat.c has it
    mp_obj_base_t base;
    mp_float_t value;
} float_object_t;

static inline float value_of(mp_obj_t o) {
    return (float)((const float_object_t *)MP_OBJ_TO_PTR(o))->value;
}
#else
static inline float value_of(mp_obj_t o) {
    return (float)mp_obj_float_get(o);
}
#endif

bool py_get_items(const mp_obj_t *items, size_t n, float *values) {
    const mp_obj_t *end = items + n;
    if (items == end) {
        return true;
    }
    do {
        if (mp_obj_is_float(*items)) {
            *values = value_of(*items);
        } else if (!py_get_float(*items, values)) {
            return false;
        }
        values++;
    } while (++items != end);
    return true;
}

bool py_floats_get(mp_obj_t o, floats_t *v) {
    v->heap = NULL;
    mp_obj_t *items = py_list_items(o, &v->n);
    if (items != NULL) {
        float *room = py_floats_room(v, v->n);
        v->data = room;
        return py_get_items(items, v->n, room);
    }
    float *data;
    bool good = py_float_buffer(o, MP_BUFFER_READ, &data, &v->n);
    v->data = data;
    return good;
}

bool py_floats_get_rows(mp_obj_t o, size_t n_rows, size_t n, floats_t *v) {
    size_t len;
    mp_obj_t *rows = py_list_items(o, &len);
    if (len == 0 || !py_is_list(rows[0])) {
        return py_floats_get(o, v) && v->n == n_rows * n;
    }
    if (len != n_rows || n > SIZE_MAX / sizeof(float) / len) {
        return false;
    }
    v->n = len * n;
    float *room = py_floats_room(v, v->n);
    v->data = room;
    for (size_t r = 0; r < len; r++) {
        size_t row_len;
        mp_obj_t *items = py_list_items(rows[r], &row_len);
        if (items == NULL || row_len != n || !py_get_items(items, n, room + r * n)) {
            return false;
        }
    }
    return true;
}

// mp_obj_new_list clears the items once more, which takes as long as a small layer's sigmoid. As there, room for four
// at least: a list of none could not grow.
mp_obj_list_t *py_new_list(size_t n) {
    mp_obj_list_t *list = mp_obj_malloc(mp_obj_list_t, &mp_type_list);
    list->alloc = n < 4 ? 4 : n;
    list->items = m_new(mp_obj_t, list->alloc);
    list->len = n;
    return list;
}

mp_obj_t py_new_float_list(const float *values, size_t n) {
    mp_obj_list_t *list = py_new_list(n);
    for (size_t i = 0; i < n; i++) {
        list->items[i] = mp_obj_new_float_from_f(values[i]);
    }
    return MP_OBJ_FROM_PTR(list);
}

uint32_t py_get_index(mp_obj_t o, uint32_t limit) {
    mp_int_t index = mp_obj_get_int(o);
    if (index < 0 || (mp_uint_t)index >= limit) {
        mp_raise_type(&mp_type_IndexError);
    }
    return index;
}
