// The MicroPython module `_anne`: fetches arguments, calls the core, wraps the result. The only file that knows
// MicroPython; no arithmetic happens here.
//
// What a function does not recognise (a wrong length, a string, a generator, a number too large) it hands over, with
// all its arguments, to the function of the same name in `anne.reference`, which either has the answer or raises the
// exception. So errors are written once, in Python, and read the same on every backend.
#include "py/builtin.h"
#include "py/objarray.h"
#include "py/objstr.h"
#include "py/runtime.h"

#include "anne.h"
#include "kernels/activations_f32.h"
#include "kernels/dense_f32.h"

// --- Functions ------------------------------------------------------------------------------------------------------

// A function of this module: `fast` returns MP_OBJ_NULL, without having changed anything, for what it leaves to the
// reference. It sees the bare call: n_args values, then n_kw pairs of name and value.
typedef mp_obj_t (*fast_t)(size_t n_args, size_t n_kw, const mp_obj_t *args);

typedef struct {
    mp_obj_base_t base;
    fast_t fast;
    qstr name;
} function_t;

static mp_obj_t function_call(mp_obj_t self_in, size_t n_args, size_t n_kw, const mp_obj_t *args) {
    const function_t *self = MP_OBJ_TO_PTR(self_in);
    mp_obj_t result = self->fast(n_args, n_kw, args);
    if (result != MP_OBJ_NULL) {
        return result;
    }
    mp_obj_t module = mp_import_name(MP_QSTR_anne_dot_reference, mp_const_true, MP_OBJ_NEW_SMALL_INT(0));
    return mp_call_function_n_kw(mp_load_attr(module, self->name), n_args, n_kw, args);
}

static MP_DEFINE_CONST_OBJ_TYPE(function_type, MP_QSTR_function, MP_TYPE_FLAG_NONE, call, function_call);

#define FUNCTION(name) static const function_t name##_obj = {{&function_type}, fast_##name, MP_QSTR_##name}

// --- Floats from lists and arrays -----------------------------------------------------------------------------------

// A vector of floats: an array('f') where it lies, or numbers of a list copied to `space` or, if they are many, to the
// heap. Lives on the C stack, so the garbage collector sees what it points to.
#define SPACE 16
typedef struct {
    const float *data;
    size_t n;
    float *heap; // NULL unless data was allocated; `allocated` floats long
    size_t allocated;
    float space[SPACE];
} floats_t;

static void floats_free(floats_t *v) {
    if (v->heap != NULL) {
        m_del(float, v->heap, v->allocated);
    }
}

static float *floats_room(floats_t *v, size_t n) {
    v->heap = NULL;
    if (n <= SPACE) {
        return v->space;
    }
    v->allocated = n;
    return v->heap = m_new(float, n);
}

static bool is_list(mp_obj_t o) {
    return mp_obj_is_type(o, &mp_type_list) || mp_obj_is_type(o, &mp_type_tuple);
}

// The floats of an array('f') or a memoryview of one, word aligned as the Cortex-M0+ needs them; else false.
static bool float_buffer(mp_obj_t o, mp_uint_t access, float **data, size_t *n) {
    mp_buffer_info_t info;
    if (!mp_obj_is_obj(o) || is_list(o) || !mp_get_buffer(o, &info, access) || (info.typecode & 0x7f) != 'f'
        || ((uintptr_t)info.buf & 3) != 0) {
        return false;
    }
    *data = info.buf;
    *n = info.len / sizeof(float);
    return true;
}

static bool get_float(mp_obj_t o, float *value) {
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

static bool get_list(mp_obj_t o, float *values, size_t n) {
    size_t len;
    mp_obj_t *items;
    mp_obj_get_array(o, &len, &items);
    if (len != n) {
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        if (!get_float(items[i], &values[i])) {
            return false;
        }
    }
    return true;
}

static bool floats_get(mp_obj_t o, floats_t *v) {
    v->heap = NULL;
    v->n = 0;
    float *data;
    if (float_buffer(o, MP_BUFFER_READ, &data, &v->n)) {
        v->data = data;
        return true;
    }
    if (!is_list(o)) {
        return false;
    }
    v->n = MP_OBJ_SMALL_INT_VALUE(mp_obj_len(o));
    float *room = floats_room(v, v->n);
    v->data = room;
    return get_list(o, room, v->n);
}

// A list of rows, each of n numbers or each an array('f') of n, copied row after row; else as floats_get.
static bool floats_get_rows(mp_obj_t o, size_t n_rows, size_t n, floats_t *v) {
    size_t len = 0;
    mp_obj_t *rows = NULL;
    if (is_list(o)) {
        mp_obj_get_array(o, &len, &rows);
    }
    if (len == 0 || !is_list(rows[0])) {
        return floats_get(o, v) && v->n == n_rows * n;
    }
    if (len != n_rows || n > SIZE_MAX / sizeof(float) / len) {
        return false;
    }
    v->n = len * n;
    float *room = floats_room(v, v->n);
    v->data = room;
    for (size_t r = 0; r < len; r++) {
        if (!is_list(rows[r]) || !get_list(rows[r], room + r * n, n)) {
            return false;
        }
    }
    return true;
}

// A list of n None, whole at any moment: a garbage collection may come before it is filled.
static mp_obj_list_t *new_none_list(size_t n) {
    mp_obj_list_t *list = MP_OBJ_TO_PTR(mp_obj_new_list(n, NULL));
    for (size_t i = 0; i < n; i++) {
        list->items[i] = mp_const_none;
    }
    return list;
}

static mp_obj_t new_float_list(const float *values, size_t n) {
    mp_obj_list_t *list = new_none_list(n);
    for (size_t i = 0; i < n; i++) {
        list->items[i] = mp_obj_new_float_from_f(values[i]);
    }
    return MP_OBJ_FROM_PTR(list);
}

// --- Activations ----------------------------------------------------------------------------------------------------

typedef struct {
    qstr name;
    float alpha;
} activation_entry_t;

#define ACTIVATION_ENTRY(name, alpha) {MP_QSTR_##name, alpha},
static const activation_entry_t activation_table[] = {ANNE_ACTIVATIONS(ACTIVATION_ENTRY)};

// The activation of that name and its default alpha; false for anything else.
static bool get_activation(mp_obj_t o, anne_activation_t *activation, float *alpha) {
    if (!mp_obj_is_str(o)) {
        return false;
    }
    for (size_t i = 0; i < ANNE_ACTIVATION_COUNT; i++) {
        mp_obj_t name = MP_OBJ_NEW_QSTR(activation_table[i].name);
        // names in a program are interned, so the first test settles nearly all
        if (o == name || (!mp_obj_is_qstr(o) && mp_obj_str_equal(o, name))) {
            *activation = i;
            *alpha = activation_table[i].alpha;
            return true;
        }
    }
    return false;
}

static mp_obj_t activated_list(anne_activation_t activation, float alpha, mp_obj_t x) {
    mp_obj_t result = MP_OBJ_NULL;
    floats_t v;
    if (floats_get(x, &v) && v.n > 0) {
        floats_t y;
        float *values = floats_room(&y, v.n);
        memcpy(values, v.data, v.n * sizeof(float));
        anne_activate_f32(activation, alpha, values, v.n);
        result = new_float_list(values, v.n);
        floats_free(&y);
    }
    floats_free(&v);
    return result;
}

#define ACTIVATION_FUNCTION(name)                                                             \
    static mp_obj_t fast_##name(size_t n_args, size_t n_kw, const mp_obj_t *args) {           \
        return n_args == 1 && n_kw == 0 ? activated_list(ANNE_ACTIVATION_##name, 0, args[0])  \
                                        : MP_OBJ_NULL;                                        \
    }                                                                                         \
    FUNCTION(name)

ACTIVATION_FUNCTION(relu);
ACTIVATION_FUNCTION(sigmoid);
ACTIVATION_FUNCTION(tanh);
ACTIVATION_FUNCTION(softmax);

static mp_obj_t fast_leaky_relu(size_t n_args, size_t n_kw, const mp_obj_t *args) {
    float alpha = activation_table[ANNE_ACTIVATION_leaky_relu].alpha;
    if (n_args < 1 || n_args > 2 || n_kw != 0 || (n_args == 2 && !get_float(args[1], &alpha))) {
        return MP_OBJ_NULL;
    }
    return activated_list(ANNE_ACTIVATION_leaky_relu, alpha, args[0]);
}
FUNCTION(leaky_relu);

// --- Dense ----------------------------------------------------------------------------------------------------------

// What dense and neuron have in common: n_out units over n_in inputs with one activation.
typedef struct {
    size_t n_in;
    size_t n_out;
    anne_activation_t activation;
    float alpha;
    floats_t weights;
    floats_t bias;
} layer_t;

static void layer_run(const layer_t *layer, const float *x, float *y) {
    anne_dense_f32(layer->weights.data, layer->bias.data, x, layer->n_in, layer->n_out, y);
    anne_activate_f32(layer->activation, layer->alpha, y, layer->n_out);
}

static void layer_free(layer_t *layer) {
    floats_free(&layer->weights);
    floats_free(&layer->bias);
}

static bool overlaps(const void *a, size_t a_bytes, const void *b, size_t b_bytes) {
    return (uintptr_t)a < (uintptr_t)b + b_bytes && (uintptr_t)b < (uintptr_t)a + a_bytes;
}

// One sample, x[n_in]: fills `out`, or a new list if out is None.
static mp_obj_t dense_one(const layer_t *layer, const float *x, mp_obj_t out) {
    if (out == mp_const_none) {
        floats_t y;
        float *values = floats_room(&y, layer->n_out);
        layer_run(layer, x, values);
        mp_obj_t result = new_float_list(values, layer->n_out);
        floats_free(&y);
        return result;
    }
    float *values;
    size_t n;
    if (!float_buffer(out, MP_BUFFER_WRITE, &values, &n) || n != layer->n_out) {
        return MP_OBJ_NULL;
    }
    size_t bytes = n * sizeof(float);
    if (overlaps(values, bytes, x, layer->n_in * sizeof(float))
        || overlaps(values, bytes, layer->weights.data, bytes * layer->n_in)
        || overlaps(values, bytes, layer->bias.data, bytes)) {
        return MP_OBJ_NULL;
    }
    layer_run(layer, x, values);
    return out;
}

// Many samples, x[n_in][n_samples] as a list of lists: a new list of n_out lists of n_samples.
static mp_obj_list_t *dense_many(const layer_t *layer, size_t n_samples, const float *x) {
    floats_t sample, column;
    float *xs = floats_room(&sample, layer->n_in);
    float *ys = floats_room(&column, layer->n_out);
    mp_obj_list_t *rows = new_none_list(layer->n_out);
    for (size_t r = 0; r < layer->n_out; r++) {
        rows->items[r] = MP_OBJ_FROM_PTR(new_none_list(n_samples));
    }
    for (size_t s = 0; s < n_samples; s++) {
        for (size_t j = 0; j < layer->n_in; j++) {
            xs[j] = x[j * n_samples + s];
        }
        layer_run(layer, xs, ys);
        for (size_t r = 0; r < layer->n_out; r++) {
            mp_obj_list_t *row = MP_OBJ_TO_PTR(rows->items[r]);
            row->items[s] = mp_obj_new_float_from_f(ys[r]);
        }
    }
    floats_free(&sample);
    floats_free(&column);
    return rows;
}

// x as features by samples, or one sample's features (n_samples is 0 then); sets layer->n_in.
static bool get_x(mp_obj_t x, layer_t *layer, size_t *n_samples, floats_t *v) {
    size_t n_rows = 0;
    mp_obj_t *rows = NULL;
    if (is_list(x)) {
        mp_obj_get_array(x, &n_rows, &rows);
    }
    if (n_rows == 0 || !is_list(rows[0])) {
        *n_samples = 0;
        bool good = floats_get(x, v);
        layer->n_in = v->n;
        return good && v->n > 0;
    }
    layer->n_in = n_rows;
    *n_samples = MP_OBJ_SMALL_INT_VALUE(mp_obj_len(rows[0]));
    return *n_samples > 0 && floats_get_rows(x, n_rows, *n_samples, v);
}

// dense(nunit, x, w, b, activation, out=None, alpha=None)
static mp_obj_t fast_dense(size_t n_args, size_t n_kw, const mp_obj_t *args) {
    enum { NUNIT, X, W, B, ACTIVATION, OUT, ALPHA, COUNT };
    layer_t layer = {0};
    if (n_args < OUT || n_args > COUNT || !mp_obj_is_small_int(args[NUNIT]) || MP_OBJ_SMALL_INT_VALUE(args[NUNIT]) < 1
        || !get_activation(args[ACTIVATION], &layer.activation, &layer.alpha)) {
        return MP_OBJ_NULL;
    }
    mp_obj_t out = n_args > OUT ? args[OUT] : mp_const_none;
    mp_obj_t alpha = n_args > ALPHA ? args[ALPHA] : mp_const_none;
    for (const mp_obj_t *kw = args + n_args; n_kw > 0; n_kw--, kw += 2) {
        if (kw[0] == MP_OBJ_NEW_QSTR(MP_QSTR_out) && n_args <= OUT) {
            out = kw[1];
        } else if (kw[0] == MP_OBJ_NEW_QSTR(MP_QSTR_alpha) && n_args <= ALPHA) {
            alpha = kw[1];
        } else {
            return MP_OBJ_NULL;
        }
    }
    if (alpha != mp_const_none && !get_float(alpha, &layer.alpha)) {
        return MP_OBJ_NULL;
    }
    layer.n_out = MP_OBJ_SMALL_INT_VALUE(args[NUNIT]);
    mp_obj_t result = MP_OBJ_NULL;
    size_t n_samples;
    floats_t x = {0};
    if (get_x(args[X], &layer, &n_samples, &x) && floats_get_rows(args[W], layer.n_out, layer.n_in, &layer.weights)
        && floats_get(args[B], &layer.bias) && layer.bias.n == layer.n_out) {
        if (n_samples == 0) {
            result = dense_one(&layer, x.data, out);
        } else if (out == mp_const_none) {
            result = MP_OBJ_FROM_PTR(dense_many(&layer, n_samples, x.data));
        }
    }
    layer_free(&layer);
    floats_free(&x);
    return result;
}
FUNCTION(dense);

// neuron(x, w, b, activation): a dense layer of one unit, a value per sample
static mp_obj_t fast_neuron(size_t n_args, size_t n_kw, const mp_obj_t *args) {
    enum { X, W, B, ACTIVATION, COUNT };
    layer_t layer = {.n_out = 1, .bias = {.n = 1}};
    layer.bias.data = layer.bias.space;
    if (n_args != COUNT || n_kw != 0 || !get_activation(args[ACTIVATION], &layer.activation, &layer.alpha)
        || !get_float(args[B], &layer.bias.space[0])) {
        return MP_OBJ_NULL;
    }
    mp_obj_t result = MP_OBJ_NULL;
    size_t n_samples;
    floats_t x = {0};
    if (get_x(args[X], &layer, &n_samples, &x) && floats_get(args[W], &layer.weights)
        && layer.weights.n == layer.n_in) {
        result = n_samples == 0 ? dense_one(&layer, x.data, mp_const_none)
                                : dense_many(&layer, n_samples, x.data)->items[0];
    }
    layer_free(&layer);
    floats_free(&x);
    return result;
}
FUNCTION(neuron);

// --- The module -----------------------------------------------------------------------------------------------------

static const mp_rom_map_elem_t module_globals_table[] = {
    {MP_ROM_QSTR(MP_QSTR___name__), MP_ROM_QSTR(MP_QSTR__anne)},
    {MP_ROM_QSTR(MP_QSTR_dense), MP_ROM_PTR(&dense_obj)},
    {MP_ROM_QSTR(MP_QSTR_neuron), MP_ROM_PTR(&neuron_obj)},
    {MP_ROM_QSTR(MP_QSTR_relu), MP_ROM_PTR(&relu_obj)},
    {MP_ROM_QSTR(MP_QSTR_leaky_relu), MP_ROM_PTR(&leaky_relu_obj)},
    {MP_ROM_QSTR(MP_QSTR_sigmoid), MP_ROM_PTR(&sigmoid_obj)},
    {MP_ROM_QSTR(MP_QSTR_tanh), MP_ROM_PTR(&tanh_obj)},
    {MP_ROM_QSTR(MP_QSTR_softmax), MP_ROM_PTR(&softmax_obj)},
};
static MP_DEFINE_CONST_DICT(module_globals, module_globals_table);

const mp_obj_module_t anne_module = {
    .base = {&mp_type_module},
    .globals = (mp_obj_dict_t *)&module_globals,
};
MP_REGISTER_MODULE(MP_QSTR__anne, anne_module);
