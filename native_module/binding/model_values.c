// Values into and out of a model's arena.
#include "model_values.h"

#include <string.h>

#include "functions.h"
#include "kernels/quantize.h"
#include "values.h"

// Lists of numbers become integers so many at a time, by way of floats on the stack.
#define CHUNK 64

static inline size_t least_of(size_t a, size_t b) {
    return a < b ? a : b;
}

static inline anne_scale_t scale_of(const values_t *values) {
    const anne_tensor_t *tensor = values->tensor;
    return anne_scale(tensor->scale, tensor->zero_point, tensor->dtype == ANNE_INT16);
}

// Element i of the arena's, of either type of integers.
static inline void *integer_at(const values_t *values, size_t i) {
    return (uint8_t *)values->data + (values->tensor->dtype == ANNE_INT16 ? 2 * i : i);
}

void *py_own_buffer(const values_t *values, mp_obj_t o, mp_uint_t access) {
    mp_buffer_info_t info;
    bool good = mp_obj_is_obj(o) && !py_is_list(o) && mp_get_buffer(o, &info, access)
                && (info.typecode & 0x7f) == values->letter && info.len == values->n_bytes;
    return good ? info.buf : NULL;
}

// False for anything but a list of numbers.
static bool put_list(const values_t *to, mp_obj_t x) {
    size_t n;
    mp_obj_t *items = py_list_items(x, &n);
    if (items == NULL || n != to->n) {
        return false;
    }
    if (to->tensor->dtype == ANNE_FLOAT32) {
        return py_get_items(items, n, to->data);
    }
    const anne_scale_t scale = scale_of(to);
    float floats[CHUNK];
    for (size_t i = 0; i < n; i += CHUNK) {
        size_t some = least_of(n - i, CHUNK);
        if (!py_get_items(items + i, some, floats)) {
            return false;
        }
        anne_quantize_f32(&scale, floats, some, integer_at(to, i));
    }
    return true;
}

bool py_put_plain(const values_t *to, mp_obj_t x) {
    const void *own = py_own_array(to, x);
    float *floats;
    size_t n;
    if (own == NULL && put_list(to, x)) {
        return true;
    }
    if (own != NULL || (own = py_own_buffer(to, x, MP_BUFFER_READ)) != NULL) {
        py_copy(to->data, own, to->n_bytes);
        return true;
    }
    if (py_float_buffer(x, MP_BUFFER_READ, &floats, &n) && n == to->n) {
        const anne_scale_t scale = scale_of(to); // of integers: floats are the arena's own
        anne_quantize_f32(&scale, floats, n, to->data);
        return true;
    }
    return false;
}

mp_obj_t py_call_values(claim_t *claimed, qstr name, size_t n_args, const mp_obj_t *args) {
    model_t *self = claimed->model;
    py_release(claimed); // x.tolist() may be anyone's program, and may use this model
    mp_obj_t values = py_call("anne.values", name, n_args, args);
    py_claim(claimed, &self->object); // it may have closed it, too
    return values;
}

mp_obj_t py_put_other(claim_t *claimed, mp_obj_t x, qstr name) {
    const values_t *to = &claimed->model->input;
    mp_obj_t args[] = {x, py_shape_of(to->tensor)};
    mp_obj_t values = py_call_values(claimed, name, MP_ARRAY_SIZE(args), args);
    if (mp_obj_is_type(values, &mp_type_tuple)) {
        return values;
    }
    put_list(to, values);
    return MP_OBJ_NULL;
}

mp_obj_t py_values_list(const values_t *values) {
    if (values->tensor->dtype == ANNE_FLOAT32) {
        return py_new_float_list(values->data, values->n);
    }
    mp_obj_list_t *list = py_new_list(values->n);
    const anne_scale_t scale = scale_of(values);
    float floats[CHUNK];
    for (size_t i = 0; i < values->n; i++) {
        if (i % CHUNK == 0) {
            anne_dequantize_f32(&scale, integer_at(values, i), least_of(values->n - i, CHUNK), floats);
        }
        list->items[i] = mp_obj_new_float_from_f(floats[i % CHUNK]);
    }
    return MP_OBJ_FROM_PTR(list);
}

void py_values_floats(const values_t *values, float *floats) {
    const anne_scale_t scale = scale_of(values);
    anne_dequantize_f32(&scale, values->data, values->n, floats);
}

bool py_target_get(const values_t *from, mp_obj_t out, target_t *target) {
    size_t n;
    target->raw = py_own_array(from, out);
    return target->raw != NULL || (target->raw = py_own_buffer(from, out, MP_BUFFER_WRITE)) != NULL
           || (py_float_buffer(out, MP_BUFFER_WRITE, &target->floats, &n) && n == from->n);
}
