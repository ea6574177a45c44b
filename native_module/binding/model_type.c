// The MicroPython module `_anne`: fetches arguments, calls the core, wraps the result. The only file that knows
// MicroPython; no arithmetic happens here.
//
// What a function does not recognise (a wrong length, a string, a generator, a number too large) it hands over, with
// all its arguments, to the function of the same name in `anne.reference`, which either has the answer or raises the
// exception. So errors are written once, in Python, and read the same on every backend.
#include <string.h>

#include "py/builtin.h"
#include "py/mphal.h"
#include "py/objarray.h"
#include "py/objstr.h"
#include "py/runtime.h"
#ifdef MICROPY_HW_ENABLE_USBDEV
#include "shared/tinyusb/mp_usbd.h"
#endif

#include "anne.h"
#include "kernels/activations_f32.h"
#include "kernels/dense_f32.h"
#include "kernels/quantize.h"
#include "metadata.h"
#include "model.h"

// --- Functions ------------------------------------------------------------------------------------------------------

// A function of this module: `fast` returns MP_OBJ_NULL, without having changed anything, for what it leaves to the
// reference. It sees the bare call: n_args values, then n_kw pairs of name and value.
typedef mp_obj_t (*fast_t)(size_t n_args, size_t n_kw, const mp_obj_t *args);

typedef struct {
    mp_obj_base_t base;
    fast_t fast;
    const char *module; // of the function of that name in Python
    qstr name;
    const char *help; // the arguments, and a sentence
} function_t;

// RuntimeError unless the stack has room for so many bytes more. Where it ends the heap begins, and MicroPython sees
// to it only when Python functions are called.
static void need_stack(size_t n_bytes) {
    // mp_cstack_usage() in line, as every prediction asks
    size_t usage = MP_STATE_THREAD(stack_top) - (char *)__builtin_frame_address(0);
    if (usage + n_bytes > MP_STATE_THREAD(stack_limit)) {
        mp_raise_recursion_depth();
    }
}

// What functions take at most, with all that they call: proving a file, and anything else (tests/reliability/board.py).
#define OPEN_STACK_BYTES 2048
#define CALL_STACK_BYTES 1024

// A name with a point cannot be written MP_QSTR_..., which stands for names of C only.
static mp_obj_t import_module(const char *name) {
    return mp_import_name(qstr_from_str(name), mp_const_true, MP_OBJ_NEW_SMALL_INT(0));
}

static mp_obj_t function_call(mp_obj_t self_in, size_t n_args, size_t n_kw, const mp_obj_t *args) {
    const function_t *self = MP_OBJ_TO_PTR(self_in);
    need_stack(CALL_STACK_BYTES);
    mp_obj_t result = self->fast(n_args, n_kw, args);
    if (result != MP_OBJ_NULL) {
        return result;
    }
    return mp_call_function_n_kw(mp_load_attr(import_module(self->module), self->name), n_args, n_kw, args);
}

// help(function) prints it as str does, and nothing of it besides.
static void function_print(const mp_print_t *print, mp_obj_t self_in, mp_print_kind_t kind) {
    const function_t *self = MP_OBJ_TO_PTR(self_in);
    mp_printf(print, kind == PRINT_STR ? "%q%s" : "<function %q>", self->name, self->help);
}

static MP_DEFINE_CONST_OBJ_TYPE(function_type, MP_QSTR_function, MP_TYPE_FLAG_NONE, print, function_print, call,
                                function_call);

#define FUNCTION(name, help) \
    static const function_t name##_obj = {{&function_type}, fast_##name, "anne.reference", MP_QSTR_##name, help}

// Functions of Python alone, which say nothing of themselves there: firmware keeps no docstrings.
static mp_obj_t leave_to_python(size_t n_args, size_t n_kw, const mp_obj_t *args) {
    return MP_OBJ_NULL;
}

#define PYTHON_FUNCTION(module, name, help) \
    static const function_t name##_obj = {{&function_type}, leave_to_python, "anne." module, MP_QSTR_##name, help}

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

static inline float *floats_room(floats_t *v, size_t n) {
    v->heap = NULL;
    if (n <= SPACE) {
        return v->space;
    }
    v->allocated = n;
    return v->heap = m_new(float, n);
}

// The items of a list or a tuple; NULL for anything else.
static mp_obj_t *list_items(mp_obj_t o, size_t *n) {
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

static bool is_list(mp_obj_t o) {
    size_t n;
    return list_items(o, &n) != NULL;
}

// The floats of an array('f'), which are aligned and can be written; NULL for anything else. What nearly always comes
// where speed counts, and five times faster than the buffer protocol.
static inline float *array_floats(mp_obj_t o, size_t *n) {
    *n = 0;
    if (!mp_obj_is_exact_type(o, &mp_type_array)) {
        return NULL;
    }
    mp_obj_array_t *array = MP_OBJ_TO_PTR(o);
    *n = array->len;
    return array->typecode == 'f' ? array->items : NULL;
}

// The floats of an array('f') or a memoryview of one, word aligned as the Cortex-M0+ needs them; else false.
static bool float_buffer(mp_obj_t o, mp_uint_t access, float **data, size_t *n) {
    mp_buffer_info_t info;
    if ((*data = array_floats(o, n)) != NULL) {
        return true;
    }
    if (!mp_obj_is_obj(o) || is_list(o) || !mp_get_buffer(o, &info, access) || (info.typecode & 0x7f) != 'f'
        || ((uintptr_t)info.buf & 3) != 0) {
        return false;
    }
    *data = info.buf;
    *n = info.len / sizeof(float);
    return true;
}

static inline bool get_float(mp_obj_t o, float *value) {
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

static inline bool get_items(const mp_obj_t *items, size_t n, float *values) {
    for (const mp_obj_t *end = items + n; items < end; items++, values++) {
        if (mp_obj_is_float(*items)) { // nearly always: without a call of get_float
            *values = (float)mp_obj_float_get(*items);
        } else if (!get_float(*items, values)) {
            return false;
        }
    }
    return true;
}

static bool floats_get(mp_obj_t o, floats_t *v) {
    v->heap = NULL;
    mp_obj_t *items = list_items(o, &v->n);
    if (items != NULL) {
        float *room = floats_room(v, v->n);
        v->data = room;
        return get_items(items, v->n, room);
    }
    float *data;
    bool good = float_buffer(o, MP_BUFFER_READ, &data, &v->n);
    v->data = data;
    return good;
}

// A list of rows, each of n numbers or each an array('f') of n, copied row after row; else as floats_get.
static inline bool floats_get_rows(mp_obj_t o, size_t n_rows, size_t n, floats_t *v) {
    size_t len;
    mp_obj_t *rows = list_items(o, &len);
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
        size_t row_len;
        mp_obj_t *items = list_items(rows[r], &row_len);
        if (items == NULL || row_len != n || !get_items(items, n, room + r * n)) {
            return false;
        }
    }
    return true;
}

// A list of n items to be filled. The garbage collector may come before: the heap clears what it hands out.
static mp_obj_list_t *new_list(size_t n) {
    return MP_OBJ_TO_PTR(mp_obj_new_list(n, NULL));
}

static mp_obj_t new_float_list(const float *values, size_t n) {
    mp_obj_list_t *list = new_list(n);
    for (size_t i = 0; i < n; i++) {
        list->items[i] = mp_obj_new_float_from_f(values[i]);
    }
    return MP_OBJ_FROM_PTR(list);
}

// --- Activations ----------------------------------------------------------------------------------------------------

static const float default_alphas[] = {
#define DEFAULT_ALPHA(name, alpha) alpha,
    ANNE_ACTIVATIONS(DEFAULT_ALPHA)
#undef DEFAULT_ALPHA
};

// A str made at run time, looked up among the interned ones but not added to them: those are never freed.
static mp_obj_t interned(mp_obj_t str) {
    size_t n;
    const char *text = mp_obj_str_get_data(str, &n);
    return MP_OBJ_NEW_QSTR(qstr_find_strn(text, n));
}

// The activation of that name; false for anything else.
static inline bool get_activation(mp_obj_t o, anne_activation_t *activation) {
    if (!mp_obj_is_str(o)) {
        return false;
    }
    // Names in a program are interned, so comparing pointers settles nearly all; unrolled, as it is in every call.
    mp_obj_t name = mp_obj_is_qstr(o) ? o : interned(o);
#define MATCH(candidate, alpha)                         \
    if (name == MP_OBJ_NEW_QSTR(MP_QSTR_##candidate)) { \
        *activation = ANNE_ACTIVATION_##candidate;      \
        return true;                                    \
    }
    ANNE_ACTIVATIONS(MATCH)
#undef MATCH
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
    float alpha = default_alphas[ANNE_ACTIVATION_leaky_relu];
    if (n_args < 1 || n_args > 2 || n_kw != 0 || (n_args == 2 && !get_float(args[1], &alpha))) {
        return MP_OBJ_NULL;
    }
    return activated_list(ANNE_ACTIVATION_leaky_relu, alpha, args[0]);
}
FUNCTION(leaky_relu, "(x, alpha=0.01): the list of v where v >= 0, else alpha v, for v in x");

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

// Not by an initialiser: that would clear the space of both vectors, too.
static void layer_init(layer_t *layer, size_t n_out) {
    layer->n_out = n_out;
    layer->weights.heap = layer->bias.heap = NULL;
}

static void layer_free(layer_t *layer) {
    floats_free(&layer->weights);
    floats_free(&layer->bias);
}

static bool overlaps(const void *a, size_t a_bytes, const void *b, size_t b_bytes) {
    return (uintptr_t)a < (uintptr_t)b + b_bytes && (uintptr_t)b < (uintptr_t)a + a_bytes;
}

// One sample with everything in arrays: nothing to gather, nothing to allocate. MP_OBJ_NULL unless all are array('f')
// of the right lengths, and `out` shares no bytes with the others.
static mp_obj_t dense_arrays(layer_t *layer, const mp_obj_t *xwb, mp_obj_t out) {
    size_t n_in, n_weights, n_bias, n_out;
    const float *x = array_floats(xwb[0], &n_in), *w = array_floats(xwb[1], &n_weights);
    const float *b = array_floats(xwb[2], &n_bias);
    float *y = array_floats(out, &n_out);
    if (x == NULL || w == NULL || b == NULL || y == NULL || n_in == 0 || n_out != layer->n_out || n_bias != n_out
        || n_weights != n_in * n_out || y == x || y == w || y == b) {
        return MP_OBJ_NULL; // two arrays share either all bytes or none
    }
    anne_dense_f32(w, b, x, n_in, n_out, y);
    anne_activate_f32(layer->activation, layer->alpha, y, n_out);
    return out;
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
    mp_obj_list_t *rows = new_list(layer->n_out);
    for (size_t r = 0; r < layer->n_out; r++) {
        rows->items[r] = MP_OBJ_FROM_PTR(new_list(n_samples));
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
    size_t n_rows;
    mp_obj_t *rows = list_items(x, &n_rows);
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
    layer_t layer;
    layer_init(&layer, 0);
    if (n_args < OUT || n_args > COUNT || !mp_obj_is_small_int(args[NUNIT]) || MP_OBJ_SMALL_INT_VALUE(args[NUNIT]) < 1
        || !get_activation(args[ACTIVATION], &layer.activation)) {
        return MP_OBJ_NULL;
    }
    layer.alpha = default_alphas[layer.activation];
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
    mp_obj_t result = out == mp_const_none ? MP_OBJ_NULL : dense_arrays(&layer, args + X, out);
    if (result != MP_OBJ_NULL) {
        return result;
    }
    size_t n_samples;
    floats_t x;
    x.heap = NULL;
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
FUNCTION(dense,
         "(nunit, x, w, b, activation, out=None, alpha=None): the outputs of nunit neurons, activation(w x + b); "
         "x: inputs of one sample, or a row an input; w: a row a neuron; b: a number a neuron");

// neuron(x, w, b, activation): a dense layer of one unit, a value per sample
static mp_obj_t fast_neuron(size_t n_args, size_t n_kw, const mp_obj_t *args) {
    enum { X, W, B, ACTIVATION, COUNT };
    layer_t layer;
    layer_init(&layer, 1);
    layer.bias.data = layer.bias.space;
    if (n_args != COUNT || n_kw != 0 || !get_activation(args[ACTIVATION], &layer.activation)
        || !get_float(args[B], &layer.bias.space[0])) {
        return MP_OBJ_NULL;
    }
    layer.alpha = default_alphas[layer.activation];
    mp_obj_t result = MP_OBJ_NULL;
    size_t n_samples;
    floats_t x;
    x.heap = NULL;
    if (get_x(args[X], &layer, &n_samples, &x) && floats_get(args[W], &layer.weights)
        && layer.weights.n == layer.n_in) {
        result =
            n_samples == 0 ? dense_one(&layer, x.data, mp_const_none) : dense_many(&layer, n_samples, x.data)->items[0];
    }
    layer_free(&layer);
    floats_free(&x);
    return result;
}
FUNCTION(neuron, "(x, w, b, activation, alpha=None): the outputs of one neuron, a list with one a sample; see dense");

// --- Models ---------------------------------------------------------------------------------------------------------

// A tensor in the arena, with what each prediction asks about it.
typedef struct {
    const anne_tensor_t *tensor;
    void *data;
    uint32_t n; // elements
    uint32_t n_bytes;
    char letter; // the type code of arrays that hold its values as they are
} values_t;

// A model file ready to run; anne.reference_model.Model is its twin in Python, with the same methods.
typedef struct {
    mp_obj_base_t base;
    mp_obj_t data; // the file, kept alive; None if `model` works on a copy of its own
    uint8_t *copy;
    bool open;
    volatile bool busy; // claimed
    anne_model_t model;
    values_t input, output;
} model_t;

// Calls a function of Python, which raises the exception or has the answer.
static mp_obj_t call_python(const char *module, qstr name, size_t n_args, const mp_obj_t *args) {
    return mp_call_function_n_kw(mp_load_attr(import_module(module), name), n_args, 0, args);
}

static const mp_obj_type_t model_type;

// The Model that a subclass was made of; TypeError for anything else.
static __attribute__((noinline)) mp_obj_t base_model(mp_obj_t o) {
    o = mp_obj_cast_to_native_base(o, MP_OBJ_FROM_PTR(&model_type)); // what a subclass has not made yet is no Model
    if (o == MP_OBJ_NULL || !mp_obj_is_exact_type(o, &model_type)) {
        mp_raise_TypeError(MP_ERROR_TEXT("expected a Model"));
    }
    return o;
}

// The Model that a method was looked up in, which MicroPython itself proves only for the plain net.method(...).
static inline model_t *get_model(mp_obj_t o) {
    return MP_OBJ_TO_PTR(mp_obj_is_exact_type(o, &model_type) ? o : base_model(o));
}

// An open model for the time of one call, in which no interrupt and no other core or thread may change its arena or
// close it, nor any program that the call runs. Ended by release(), or by whatever exception ends the call.
typedef struct {
    nlr_jump_callback_node_t node; // first, as it is what unclaim gets
    model_t *model;
} claim_t;

static void unclaim(void *node) {
    ((claim_t *)node)->model->busy = false;
}

static void claim(claim_t *claimed, model_t *model) {
    mp_uint_t state = MICROPY_BEGIN_ATOMIC_SECTION(); // the Cortex-M0+ has no other way to test and set
    bool busy = model->busy;
    if (!busy) { // else the other core, which may end just now, would end in vain
        model->busy = true;
    }
    MICROPY_END_ATOMIC_SECTION(state);
    if (busy) {
        mp_raise_msg(&mp_type_RuntimeError, MP_ERROR_TEXT("the model is running"));
    }
    claimed->model = model;
    nlr_push_jump_callback(&claimed->node, unclaim);
    if (!model->open) {
        mp_raise_ValueError(MP_ERROR_TEXT("the model is closed"));
    }
}

static inline void release(void) {
    nlr_pop_jump_callback(true);
}

// A method of Model: `run` is called with the model claimed, and with the arguments after it.
typedef struct {
    mp_obj_base_t base;
    mp_obj_t (*run)(claim_t *claimed, const mp_obj_t *args);
    size_t n_args; // the model included
} method_t;

static mp_obj_t method_call(mp_obj_t self_in, size_t n_args, size_t n_kw, const mp_obj_t *args) {
    const method_t *self = MP_OBJ_TO_PTR(self_in);
    if (n_args != self->n_args || n_kw != 0) {
        mp_arg_check_num(n_args, n_kw, self->n_args, self->n_args, false); // raises
    }
    need_stack(CALL_STACK_BYTES);
    claim_t claimed;
    claim(&claimed, get_model(args[0]));
    mp_obj_t result = self->run(&claimed, args + 1);
    release();
    return result;
}

// As a function of MicroPython's own: it gets the object it is looked up in.
static MP_DEFINE_CONST_OBJ_TYPE(method_type, MP_QSTR_function, MP_TYPE_FLAG_BINDS_SELF | MP_TYPE_FLAG_BUILTIN_FUN, call,
                                method_call);

#define METHOD(name, n_args) static const method_t name##_obj = {{&method_type}, name, 1 + n_args}

static mp_obj_t shape_of(const anne_tensor_t *tensor) {
    mp_obj_t shape[ANNE_MAX_RANK];
    for (uint32_t i = 0; i < tensor->rank; i++) {
        shape[i] = MP_OBJ_NEW_SMALL_INT(tensor->shape[i]);
    }
    return mp_obj_new_tuple(tensor->rank, shape);
}

static values_t values_of(const anne_model_t *model, uint32_t index) {
    const anne_tensor_t *tensor = &model->tensors[index];
    return (values_t){tensor, anne_model_data(model, index), anne_tensor_elements(tensor), anne_tensor_bytes(tensor),
                      " fbh"[tensor->dtype]};
}

// Raises what anne.model_file finds wrong with `data`; if it finds nothing, or has no memory for it, the core's status.
static NORETURN void refuse(anne_status_t status, mp_obj_t data) {
    nlr_buf_t nlr;
    if (nlr_push(&nlr) == 0) {
        call_python("anne.model_file", MP_QSTR_ModelFile, 1, &data); // finds the same fault and says what it is
        nlr_pop();
        mp_raise_msg_varg(&mp_type_ValueError,
                          MP_ERROR_TEXT("model file: weights, bias or tables of wrong size or value (status %d)"),
                          (int)status);
    }
    if (mp_obj_get_type(MP_OBJ_FROM_PTR(nlr.ret_val)) != &mp_type_MemoryError) {
        nlr_jump(nlr.ret_val);
    }
    mp_raise_msg_varg(&mp_type_ValueError, MP_ERROR_TEXT("model file: refused, without memory to say why (status %d)"),
                      (int)status);
}

// Proves the file at `bytes`, which are those of `data`.
static void open_or_raise(anne_model_t *model, const uint8_t *bytes, size_t n_bytes, mp_obj_t data) {
    anne_status_t status = anne_model_open(model, bytes, n_bytes);
    if (status != ANNE_OK) {
        refuse(status, data);
    }
}

// Model(data, copy=False): uses the file where it lies if it is read-only and aligned, else a copy on the heap.
static mp_obj_t model_make_new(const mp_obj_type_t *type, size_t n_args, size_t n_kw, const mp_obj_t *args) {
    mp_arg_check_num(n_args, n_kw, 1, 2, false);
    need_stack(OPEN_STACK_BYTES);
    mp_buffer_info_t info, writable;
    mp_get_buffer_raise(args[0], &info, MP_BUFFER_READ);
    bool aligned = ((uintptr_t)info.buf & 3) == 0;
    bool copy =
        (n_args > 1 && mp_obj_is_true(args[1])) || !aligned || mp_get_buffer(args[0], &writable, MP_BUFFER_WRITE);
    anne_model_t model;
    if (aligned) {
        open_or_raise(&model, info.buf, info.len, args[0]); // before anything is allocated
    }
    uint8_t *bytes = NULL;
    if (copy) {
        bytes = memcpy(m_new(uint8_t, info.len), info.buf, info.len);
        open_or_raise(&model, bytes, info.len, args[0]);
    }
    model_t *self = mp_obj_malloc(model_t, type);
    self->data = copy ? mp_const_none : args[0];
    self->copy = bytes;
    self->busy = false;
    self->model = model;
    self->model.workspace = m_new(uint8_t, model.workspace_bytes);
    memset(self->model.workspace, 0, model.workspace_bytes);
    anne_model_prepare(&self->model);
    self->input = values_of(&self->model, self->model.input);
    self->output = values_of(&self->model, self->model.output);
    self->open = true;
    return MP_OBJ_FROM_PTR(self);
}

static mp_obj_t model_close(mp_obj_t self_in) {
    model_t *self = get_model(self_in);
    if (self->open) {
        claim_t claimed;
        claim(&claimed, self);
        self->open = false;
        m_del(uint8_t, self->model.workspace, self->model.workspace_bytes);
        if (self->copy != NULL) {
            m_del(uint8_t, self->copy, self->model.n_bytes);
        }
        self->data = mp_const_none;
        self->copy = NULL;
        self->model.workspace = NULL;
        release();
    }
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_1(model_close_obj, model_close);

// --- Values into and out of the arena

static void put_float(const values_t *to, size_t i, float value) {
    const anne_tensor_t *tensor = to->tensor;
    switch (tensor->dtype) {
    case ANNE_INT8:
        ((int8_t *)to->data)[i] = anne_round(value / tensor->scale, tensor->zero_point, INT8_MIN, INT8_MAX);
        break;
    case ANNE_INT16:
        ((int16_t *)to->data)[i] = anne_round(value / tensor->scale, 0, INT16_MIN, INT16_MAX);
        break;
    default:
        ((float *)to->data)[i] = value;
    }
}

static float get_value(const values_t *from, size_t i) {
    const anne_tensor_t *tensor = from->tensor;
    switch (tensor->dtype) {
    case ANNE_INT8:
        return (float)(((const int8_t *)from->data)[i] - tensor->zero_point) * tensor->scale;
    case ANNE_INT16:
        return (float)((const int16_t *)from->data)[i] * tensor->scale;
    default:
        return ((const float *)from->data)[i];
    }
}

// What an array of the tensor's own type and size holds, as in array_floats; NULL for anything else.
static inline void *own_array(const values_t *values, mp_obj_t o) {
    if (!mp_obj_is_exact_type(o, &mp_type_array)) {
        return NULL;
    }
    mp_obj_array_t *array = MP_OBJ_TO_PTR(o);
    return array->typecode == values->letter && array->len == values->n ? array->items : NULL;
}

// The same of anything else that has a buffer.
static void *own_buffer(const values_t *values, mp_obj_t o, mp_uint_t access) {
    mp_buffer_info_t info;
    bool good = mp_obj_is_obj(o) && !is_list(o) && mp_get_buffer(o, &info, access)
                && (info.typecode & 0x7f) == values->letter && info.len == values->n_bytes;
    return good ? info.buf : NULL;
}

// False for anything but a list of numbers.
static bool put_list(const values_t *to, mp_obj_t x) {
    size_t n;
    mp_obj_t *items = list_items(x, &n);
    if (items == NULL || n != to->n) {
        return false;
    }
    if (to->tensor->dtype == ANNE_FLOAT32) {
        return get_items(items, n, to->data);
    }
    for (size_t i = 0; i < n; i++) {
        float value;
        if (!get_float(items[i], &value)) {
            return false;
        }
        put_float(to, i, value);
    }
    return true;
}

// What anne.values.`name` makes of x for the input's shape; or it raises the exception.
static mp_obj_t call_values(claim_t *claimed, qstr name, mp_obj_t x) {
    model_t *self = claimed->model;
    mp_obj_t args[] = {x, shape_of(self->input.tensor)};
    release(); // x.tolist() may be anyone's program, and may use this model
    mp_obj_t values = call_python("anne.values", name, MP_ARRAY_SIZE(args), args);
    claim(claimed, self); // it may have closed it, too
    return values;
}

// Puts x where the model reads it, and returns MP_OBJ_NULL; or the tuple of samples, if x is several and `name` is
// "samples". "sample" refuses several. A flat list or array of as many numbers needs no Python.
static mp_obj_t put_input(claim_t *claimed, mp_obj_t x, qstr name) {
    const values_t *to = &claimed->model->input;
    const void *own = own_array(to, x);
    float *floats;
    size_t n;
    if (own == NULL && put_list(to, x)) {
        return MP_OBJ_NULL;
    }
    if (own != NULL || (own = own_buffer(to, x, MP_BUFFER_READ)) != NULL) {
        memcpy(to->data, own, to->n_bytes);
    } else if (float_buffer(x, MP_BUFFER_READ, &floats, &n) && n == to->n) {
        for (size_t i = 0; i < n; i++) {
            put_float(to, i, floats[i]);
        }
    } else {
        mp_obj_t values = call_values(claimed, name, x);
        if (mp_obj_is_type(values, &mp_type_tuple)) {
            return values;
        }
        put_list(to, values);
    }
    return MP_OBJ_NULL;
}

// --- Running

// Ctrl-C must not wait for the layers to come. On USB it is a byte like any other, which is read when the scheduler
// comes to it; here it is read at once, without the program's own callbacks, which wait until the model has run.
static __attribute__((noinline)) void raise_interrupt(void) {
#ifdef MICROPY_HW_ENABLE_USBDEV
    if (MP_STATE_VM(sched_state) == MP_SCHED_PENDING && MP_STATE_VM(sched_head) != NULL && mp_thread_is_main_thread()) {
        mp_usbd_task_callback(NULL);
    }
#endif
    if (MP_STATE_MAIN_THREAD(mp_pending_exception) != MP_OBJ_NULL) {
        mp_handle_pending(true);
    }
}

static void run_layers(const anne_layer_t *layer, size_t n) {
    for (; n > 0; n--) {
        layer->run(layer);
        layer++;
        if (MP_STATE_VM(sched_state) == MP_SCHED_PENDING || MP_STATE_MAIN_THREAD(mp_pending_exception) != MP_OBJ_NULL) {
            raise_interrupt();
        }
    }
}

static inline void run_all(const model_t *self) {
    run_layers(self->model.workspace, self->model.n_layers);
}

static mp_obj_t values_list(const values_t *values) {
    if (values->tensor->dtype == ANNE_FLOAT32) {
        return new_float_list(values->data, values->n);
    }
    mp_obj_list_t *list = new_list(values->n);
    for (size_t i = 0; i < values->n; i++) {
        list->items[i] = mp_obj_new_float_from_f(get_value(values, i));
    }
    return MP_OBJ_FROM_PTR(list);
}

static mp_obj_t model_predict(claim_t *claimed, const mp_obj_t *args) {
    const model_t *self = claimed->model;
    mp_obj_t samples = put_input(claimed, args[0], MP_QSTR_samples);
    mp_obj_t volatile kept = samples; // for the garbage collector, which knows an object by its beginning only
    if (samples == MP_OBJ_NULL) {
        run_all(self);
        return values_list(&self->output);
    }
    size_t n;
    list_items(samples, &n);
    mp_obj_list_t *answers = new_list(n);
    for (size_t i = 0; i < n; i++) {
        put_input(claimed, list_items(kept, &n)[i], MP_QSTR_sample);
        run_all(self);
        answers->items[i] = values_list(&self->output);
    }
    return MP_OBJ_FROM_PTR(answers);
}
METHOD(model_predict, 1);

// Where predict_into writes: the output as it stands, or as floats.
typedef struct {
    void *raw; // NULL if it is to be floats
    float *floats;
} target_t;

static void get_target(const model_t *self, mp_obj_t out, target_t *target) {
    const values_t *from = &self->output;
    size_t n;
    target->raw = own_array(from, out);
    if (target->raw != NULL || (target->raw = own_buffer(from, out, MP_BUFFER_WRITE)) != NULL
        || (float_buffer(out, MP_BUFFER_WRITE, &target->floats, &n) && n == from->n)) {
        return;
    }
    mp_obj_t args[] = {out, mp_obj_new_int(from->n), mp_obj_new_str(&from->letter, 1)};
    call_python("anne.values", MP_QSTR_refuse_out, 3, args); // raises
    mp_raise_TypeError(MP_ERROR_TEXT("predict_into: out"));
}

static mp_obj_t model_predict_into(claim_t *claimed, const mp_obj_t *args) {
    const model_t *self = claimed->model;
    mp_obj_t out = args[1];
    target_t target;
    get_target(self, out, &target);
    put_input(claimed, args[0], MP_QSTR_sample);
    run_all(self);
    get_target(self, out, &target); // again, as x.tolist(), or a callback of USB, might have changed its size
    const values_t *from = &self->output;
    if (target.raw != NULL) {
        memcpy(target.raw, from->data, from->n_bytes);
    } else {
        for (size_t i = 0; i < from->n; i++) {
            target.floats[i] = get_value(from, i);
        }
    }
    return out;
}
METHOD(model_predict_into, 2);

static void get_raw(const model_t *self, const mp_obj_t *args, mp_buffer_info_t *x, mp_buffer_info_t *y) {
    unsigned x_bytes = self->input.n_bytes, y_bytes = self->output.n_bytes;
    mp_get_buffer_raise(args[0], x, MP_BUFFER_READ);
    mp_get_buffer_raise(args[1], y, MP_BUFFER_WRITE);
    if (x->len != x_bytes || y->len != y_bytes) {
        mp_raise_msg_varg(&mp_type_ValueError, MP_ERROR_TEXT("run_raw: expected %u and %u bytes, got %u and %u"),
                          x_bytes, y_bytes, (unsigned)x->len, (unsigned)y->len);
    }
}

static mp_obj_t model_run_raw(claim_t *claimed, const mp_obj_t *args) {
    const model_t *self = claimed->model;
    mp_buffer_info_t x, y;
    get_raw(self, args, &x, &y);
    memcpy(self->input.data, x.buf, x.len);
    run_all(self);
    get_raw(self, args, &x, &y); // again, as in predict_into
    memcpy(y.buf, self->output.data, y.len);
    return mp_const_none;
}
METHOD(model_run_raw, 2);

static mp_obj_t model_set_input(claim_t *claimed, const mp_obj_t *args) {
    put_input(claimed, args[0], MP_QSTR_sample);
    return mp_const_none;
}
METHOD(model_set_input, 1);

// An index below `limit`, or IndexError.
static uint32_t get_index(mp_obj_t o, uint32_t limit) {
    mp_int_t index = mp_obj_get_int(o);
    if (index < 0 || (mp_uint_t)index >= limit) {
        mp_raise_type(&mp_type_IndexError);
    }
    return index;
}

static mp_obj_t model_run(claim_t *claimed, const mp_obj_t *args) {
    const model_t *self = claimed->model;
    uint32_t first = get_index(args[0], self->model.n_layers + 1);
    uint32_t last = get_index(args[1], self->model.n_layers + 1);
    if (first < last) {
        run_layers((const anne_layer_t *)self->model.workspace + first, last - first);
    }
    return mp_const_none;
}
METHOD(model_run, 2);

static mp_obj_t model_values(claim_t *claimed, const mp_obj_t *args) {
    const anne_model_t *model = &claimed->model->model;
    values_t values = values_of(model, get_index(args[0], model->n_tensors));
    return values_list(&values);
}
METHOD(model_values, 1);

static mp_obj_t model_layer_us(claim_t *claimed, const mp_obj_t *args) {
    const model_t *self = claimed->model;
    uint32_t index = get_index(args[0], self->model.n_layers);
    mp_int_t repeat = mp_obj_get_int(args[1]);
    mp_uint_t start = mp_hal_ticks_us();
    for (mp_int_t i = 0; i < repeat; i++) {
        run_layers((const anne_layer_t *)self->model.workspace + index, 1);
    }
    mp_uint_t elapsed_us = mp_hal_ticks_us() - start;
    return mp_obj_new_int_from_uint(elapsed_us);
}
METHOD(model_layer_us, 2);

// --- What the file says

// A tensor and a layer as objects with attributes, as anne.model_file has them.
static mp_obj_t model_tensor(claim_t *claimed, const mp_obj_t *args) {
    static const qstr dtypes[] = {MP_QSTRnull, MP_QSTR_float32, MP_QSTR_int8, MP_QSTR_int16};
    static const qstr fields[] = {MP_QSTR_dtype, MP_QSTR_shape, MP_QSTR_scale, MP_QSTR_zero_point};
    const anne_model_t *model = &claimed->model->model;
    const anne_tensor_t *tensor = &model->tensors[get_index(args[0], model->n_tensors)];
    const mp_obj_t values[] = {
        MP_OBJ_NEW_QSTR(dtypes[tensor->dtype]),
        shape_of(tensor),
        mp_obj_new_float_from_f(tensor->scale),
        MP_OBJ_NEW_SMALL_INT(tensor->zero_point),
    };
    return mp_obj_new_attrtuple(fields, MP_ARRAY_SIZE(fields), values);
}
METHOD(model_tensor, 1);

#define NAME(name) MP_QSTR_##name,
static const qstr kinds[] = {MP_QSTRnull, ANNE_KINDS(NAME)};
static const qstr layouts[] = {MP_QSTRnull, ANNE_LAYOUTS(NAME)};
static const qstr tags[] = {MP_QSTRnull, ANNE_TAGS(NAME)};
#undef NAME
#define NAME(name, alpha) MP_QSTR_##name,
static const qstr activations[] = {ANNE_ACTIVATIONS(NAME)};
#undef NAME

static mp_obj_t model_layer(claim_t *claimed, const mp_obj_t *args) {
    static const qstr fields[] = {MP_QSTR_kind,   MP_QSTR_activation, MP_QSTR_layout, MP_QSTR_input,
                                  MP_QSTR_output, MP_QSTR_nbytes,     MP_QSTR_macs};
    const anne_model_t *model = &claimed->model->model;
    anne_record_t record;
    anne_model_record(model, get_index(args[0], model->n_layers), &record);
    uint32_t n_bytes = 0;
    for (uint32_t i = 0; i < record.n_constants; i++) {
        n_bytes += record.constant_bytes[i];
    }
    bool is_dense = record.kind == ANNE_KIND_dense;
    uint32_t macs = is_dense ? anne_tensor_elements(record.input) * anne_tensor_elements(record.output) : 0;
    const mp_obj_t values[] = {
        MP_OBJ_NEW_QSTR(kinds[record.kind]),
        MP_OBJ_NEW_QSTR(activations[record.activation]),
        is_dense ? MP_OBJ_NEW_QSTR(layouts[record.parameters[0]]) : mp_const_none,
        MP_OBJ_NEW_SMALL_INT(record.tensors[0]),
        MP_OBJ_NEW_SMALL_INT(record.tensors[record.n_inputs]),
        MP_OBJ_NEW_SMALL_INT(n_bytes),
        MP_OBJ_NEW_SMALL_INT(macs),
    };
    return mp_obj_new_attrtuple(fields, MP_ARRAY_SIZE(fields), values);
}
METHOD(model_layer, 1);

// The entry of metadata by its name in FORMAT.md; KeyError for another.
static anne_entry_t get_entry(const claim_t *claimed, mp_obj_t name) {
    mp_obj_t tag = mp_obj_is_str(name) && !mp_obj_is_qstr(name) ? interned(name) : name;
    for (uint32_t i = 1; i < ANNE_TAG_END; i++) {
        if (tag == MP_OBJ_NEW_QSTR(tags[i])) {
            return anne_metadata_entry(&claimed->model->model, i);
        }
    }
    mp_raise_type_arg(&mp_type_KeyError, name);
}

// Copied and not looked up among the names in use, which takes longer than a small network.
static mp_obj_t text_or_none(anne_entry_t text) {
    return text.bytes == NULL ? mp_const_none : mp_obj_new_str_copy(&mp_type_str, text.bytes, text.n_bytes);
}

static mp_obj_t model_text(claim_t *claimed, const mp_obj_t *args) {
    return text_or_none(get_entry(claimed, args[0]));
}
METHOD(model_text, 1);

static mp_obj_t model_line(claim_t *claimed, const mp_obj_t *args) {
    return text_or_none(anne_metadata_line(get_entry(claimed, args[0]), get_index(args[1], ANNE_MAX_ELEMENTS)));
}
METHOD(model_line, 2);

static mp_obj_t model_threshold(claim_t *claimed, const mp_obj_t *args) {
    (void)args;
    anne_entry_t entry = anne_metadata_entry(&claimed->model->model, ANNE_TAG_threshold);
    return entry.bytes == NULL ? mp_const_none : mp_obj_new_float_from_f(*(const float *)(const void *)entry.bytes);
}
METHOD(model_threshold, 0);

// Golden sample number i, as input and output stand in the arena; None if there are fewer.
static mp_obj_t model_golden(claim_t *claimed, const mp_obj_t *args) {
    const model_t *self = claimed->model;
    uint32_t x_bytes = self->input.n_bytes, y_bytes = self->output.n_bytes;
    anne_entry_t x = anne_metadata_entry(&self->model, ANNE_TAG_golden_inputs);
    anne_entry_t y = anne_metadata_entry(&self->model, ANNE_TAG_golden_outputs);
    uint32_t i = get_index(args[0], UINT32_MAX);
    if (i >= x.n_bytes / x_bytes) {
        return mp_const_none;
    }
    mp_obj_t sample[] = {mp_obj_new_bytes(x.bytes + i * x_bytes, x_bytes),
                         mp_obj_new_bytes(y.bytes + i * y_bytes, y_bytes)};
    return mp_obj_new_tuple(2, sample);
}
METHOD(model_golden, 1);

// --- Attributes

static const mp_rom_map_elem_t model_locals_table[] = {
    {MP_ROM_QSTR(MP_QSTR_close), MP_ROM_PTR(&model_close_obj)},
    {MP_ROM_QSTR(MP_QSTR_predict), MP_ROM_PTR(&model_predict_obj)},
    {MP_ROM_QSTR(MP_QSTR_predict_into), MP_ROM_PTR(&model_predict_into_obj)},
    {MP_ROM_QSTR(MP_QSTR_run_raw), MP_ROM_PTR(&model_run_raw_obj)},
    {MP_ROM_QSTR(MP_QSTR_set_input), MP_ROM_PTR(&model_set_input_obj)},
    {MP_ROM_QSTR(MP_QSTR_run), MP_ROM_PTR(&model_run_obj)},
    {MP_ROM_QSTR(MP_QSTR_values), MP_ROM_PTR(&model_values_obj)},
    {MP_ROM_QSTR(MP_QSTR_layer_us), MP_ROM_PTR(&model_layer_us_obj)},
    {MP_ROM_QSTR(MP_QSTR_tensor), MP_ROM_PTR(&model_tensor_obj)},
    {MP_ROM_QSTR(MP_QSTR_layer), MP_ROM_PTR(&model_layer_obj)},
    {MP_ROM_QSTR(MP_QSTR_text), MP_ROM_PTR(&model_text_obj)},
    {MP_ROM_QSTR(MP_QSTR_line), MP_ROM_PTR(&model_line_obj)},
    {MP_ROM_QSTR(MP_QSTR_threshold), MP_ROM_PTR(&model_threshold_obj)},
    {MP_ROM_QSTR(MP_QSTR_golden), MP_ROM_PTR(&model_golden_obj)},
};
static MP_DEFINE_CONST_DICT(model_locals, model_locals_table);

static void model_attr(mp_obj_t self_in, qstr attribute, mp_obj_t *dest) {
    const model_t *self = MP_OBJ_TO_PTR(self_in);
    if (dest[0] != MP_OBJ_NULL) {
        return; // read only
    }
    if (attribute == MP_QSTR_copied) {
        dest[0] = mp_obj_new_bool(self->copy != NULL);
    } else if (attribute == MP_QSTR_workspace_bytes) {
        dest[0] = mp_obj_new_int_from_uint(self->open ? self->model.workspace_bytes : 0);
    } else if (attribute == MP_QSTR_nbytes) {
        dest[0] = mp_obj_new_int_from_uint(self->model.n_bytes);
    } else if (attribute == MP_QSTR_n_layers) {
        dest[0] = MP_OBJ_NEW_SMALL_INT(self->model.n_layers);
    } else if (attribute == MP_QSTR_input) {
        dest[0] = MP_OBJ_NEW_SMALL_INT(self->model.input);
    } else if (attribute == MP_QSTR_output) {
        dest[0] = MP_OBJ_NEW_SMALL_INT(self->model.output);
    } else {
        dest[1] = MP_OBJ_SENTINEL; // look among the methods
    }
}

static MP_DEFINE_CONST_OBJ_TYPE(model_type, MP_QSTR_Model, MP_TYPE_FLAG_NONE, make_new, model_make_new, attr,
                                model_attr, locals_dict, &model_locals);

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
    {MP_ROM_QSTR(MP_QSTR_load), MP_ROM_PTR(&load_obj)},
    {MP_ROM_QSTR(MP_QSTR_zeros), MP_ROM_PTR(&zeros_obj)},
    {MP_ROM_QSTR(MP_QSTR_zero_dim), MP_ROM_PTR(&zero_dim_obj)},
    {MP_ROM_QSTR(MP_QSTR_add_dim), MP_ROM_PTR(&add_dim_obj)},
    {MP_ROM_QSTR(MP_QSTR_transpose), MP_ROM_PTR(&transpose_obj)},
    {MP_ROM_QSTR(MP_QSTR_dot), MP_ROM_PTR(&dot_obj)},
    {MP_ROM_QSTR(MP_QSTR_print_matrix), MP_ROM_PTR(&print_matrix_obj)},
    {MP_ROM_QSTR(MP_QSTR_classification_report), MP_ROM_PTR(&classification_report_obj)},
    {MP_ROM_QSTR(MP_QSTR_Model), MP_ROM_PTR(&model_type)},
};
static MP_DEFINE_CONST_DICT(module_globals, module_globals_table);

const mp_obj_module_t anne_module = {
    .base = {&mp_type_module},
    .globals = (mp_obj_dict_t *)&module_globals,
};
MP_REGISTER_MODULE(MP_QSTR__anne, anne_module);
