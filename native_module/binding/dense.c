// dense and neuron.
#include "activations.h"
#include "functions.h"
#include "kernels/activations_f32.h"
#include "kernels/dense_f32.h"
#include "values.h"

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
    py_floats_free(&layer->weights);
    py_floats_free(&layer->bias);
}

static bool overlaps(const void *a, size_t a_bytes, const void *b, size_t b_bytes) {
    return (uintptr_t)a < (uintptr_t)b + b_bytes && (uintptr_t)b < (uintptr_t)a + a_bytes;
}

// One sample with everything in arrays: nothing to gather, nothing to allocate. MP_OBJ_NULL unless all are array('f')
// of the right lengths, and `out` shares no bytes with the others.
static mp_obj_t dense_arrays(layer_t *layer, const mp_obj_t *xwb, mp_obj_t out) {
    size_t n_in, n_weights, n_bias, n_out;
    const float *x = py_array_floats(xwb[0], &n_in), *w = py_array_floats(xwb[1], &n_weights);
    const float *b = py_array_floats(xwb[2], &n_bias);
    float *y = py_array_floats(out, &n_out);
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
        float *values = py_floats_room(&y, layer->n_out);
        layer_run(layer, x, values);
        mp_obj_t result = py_new_float_list(values, layer->n_out);
        py_floats_free(&y);
        return result;
    }
    float *values;
    size_t n;
    if (!py_float_buffer(out, MP_BUFFER_WRITE, &values, &n) || n != layer->n_out) {
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
    float *xs = py_floats_room(&sample, layer->n_in);
    float *ys = py_floats_room(&column, layer->n_out);
    mp_obj_list_t *rows = py_new_list(layer->n_out);
    for (size_t r = 0; r < layer->n_out; r++) {
        rows->items[r] = MP_OBJ_FROM_PTR(py_new_list(n_samples));
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
    py_floats_free(&sample);
    py_floats_free(&column);
    return rows;
}

// x as features by samples, or one sample's features (n_samples is 0 then); sets layer->n_in.
static bool get_x(mp_obj_t x, layer_t *layer, size_t *n_samples, floats_t *v) {
    size_t n_rows;
    mp_obj_t *rows = py_list_items(x, &n_rows);
    if (n_rows == 0 || !py_is_list(rows[0])) {
        *n_samples = 0;
        bool good = py_floats_get(x, v);
        layer->n_in = v->n;
        return good && v->n > 0;
    }
    layer->n_in = n_rows;
    py_list_items(rows[0], n_samples);
    return *n_samples > 0 && py_floats_get_rows(x, n_rows, *n_samples, v);
}

// dense(nunit, x, w, b, activation, out=None, alpha=None)
static mp_obj_t fast_dense(size_t n_args, size_t n_kw, const mp_obj_t *args) {
    enum { NUNIT, X, W, B, ACTIVATION, OUT, ALPHA, COUNT };
    layer_t layer;
    layer_init(&layer, 0);
    if (n_args < OUT || n_args > COUNT || !mp_obj_is_small_int(args[NUNIT]) || MP_OBJ_SMALL_INT_VALUE(args[NUNIT]) < 1
        || !py_get_activation(args[ACTIVATION], &layer.activation)) {
        return MP_OBJ_NULL;
    }
    layer.alpha = py_default_alphas[layer.activation];
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
    if (alpha != mp_const_none && !py_get_float(alpha, &layer.alpha)) {
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
    if (get_x(args[X], &layer, &n_samples, &x) && py_floats_get_rows(args[W], layer.n_out, layer.n_in, &layer.weights)
        && py_floats_get(args[B], &layer.bias) && layer.bias.n == layer.n_out) {
        if (n_samples == 0) {
            result = dense_one(&layer, x.data, out);
        } else if (out == mp_const_none) {
            result = MP_OBJ_FROM_PTR(dense_many(&layer, n_samples, x.data));
        }
    }
    layer_free(&layer);
    py_floats_free(&x);
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
    if (n_args != COUNT || n_kw != 0 || !py_get_activation(args[ACTIVATION], &layer.activation)
        || !py_get_float(args[B], &layer.bias.space[0])) {
        return MP_OBJ_NULL;
    }
    layer.alpha = py_default_alphas[layer.activation];
    mp_obj_t result = MP_OBJ_NULL;
    size_t n_samples;
    floats_t x;
    x.heap = NULL;
    if (get_x(args[X], &layer, &n_samples, &x) && py_floats_get(args[W], &layer.weights)
        && layer.weights.n == layer.n_in) {
        result =
            n_samples == 0 ? dense_one(&layer, x.data, mp_const_none) : dense_many(&layer, n_samples, x.data)->items[0];
    }
    layer_free(&layer);
    py_floats_free(&x);
    return result;
}
FUNCTION(neuron, "(x, w, b, activation, alpha=None): the outputs of one neuron, a list with one a sample; see dense");
