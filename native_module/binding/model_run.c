// Methods of Model that run it.
#include <string.h>

#include "model_ports.h"
#include "model_values.h"
#include "values.h"

// n layers, at least one. Ctrl-C must not wait for the layers to come.
static void run_layers(const anne_layer_t *layer, size_t n, py_ears_t *ears) {
    do {
        layer->run(layer);
        layer++;
        py_listen(ears);
    } while (--n > 0);
}

static inline void run_all(model_t *self) {
    py_ears_t ears = py_ears(self->object.quick);
    run_layers(self->model.workspace, self->model.n_layers, &ears);
    self->object.quick = py_was_quick(&ears);
}

// Puts x where the model reads it, and returns MP_OBJ_NULL; or the tuple of samples, if x is several. In line, as is
// what follows: in the time of a small network calls would be noticed.
static MP_ALWAYSINLINE inline mp_obj_t put(claim_t *claimed, mp_obj_t x) {
    const model_t *self = claimed->model;
    if (self->model.n_inputs > 1) {
        return py_put_inputs(claimed, x, MP_QSTR_samples_of_inputs);
    }
    return py_put_plain(&self->input, x) ? MP_OBJ_NULL : py_put_other(claimed, x, MP_QSTR_samples);
}

// The same for what must be one sample.
static MP_ALWAYSINLINE inline void put_sample(claim_t *claimed, mp_obj_t x) {
    const model_t *self = claimed->model;
    const void *own = py_own_array(&self->input, x);
    if (self->model.n_inputs > 1) {
        py_put_inputs(claimed, x, MP_QSTR_sample_of_inputs);
    } else if (own != NULL) {
        py_copy(self->input.data, own, self->input.n_bytes);
    } else if (!py_put_plain(&self->input, x)) {
        py_put_other(claimed, x, MP_QSTR_sample);
    }
}

// And by a call, where that is little beside the rest.
static void put_sample_by_call(claim_t *claimed, mp_obj_t x) {
    put_sample(claimed, x);
}

static mp_obj_t answer(model_t *self) {
    run_all(self);
    return self->model.n_outputs == 1 ? py_values_list(&self->output) : py_outputs_list(self);
}

static mp_obj_t model_predict(claim_t *claimed, const mp_obj_t *args) {
    model_t *self = claimed->model;
    mp_obj_t samples = put(claimed, args[0]);
    mp_obj_t volatile kept = samples; // for the garbage collector, which knows an object by its beginning only
    if (samples == MP_OBJ_NULL) {
        return answer(self);
    }
    size_t n;
    py_list_items(samples, &n);
    mp_obj_list_t *answers = py_new_list(n);
    py_ears_t ears = py_ears(false);
    for (size_t i = 0; i < n; i++) {
        put_sample_by_call(claimed, py_list_items(kept, &n)[i]);
        answers->items[i] = answer(self);
        py_listen(&ears);
    }
    return MP_OBJ_FROM_PTR(answers);
}
METHOD(model, predict, 1);

static MP_ALWAYSINLINE inline void get_target(const model_t *self, mp_obj_t out, target_t *target) {
    target->raw = py_own_array(&self->output, out);
    if (target->raw == NULL && !py_target_get(&self->output, out, target)) {
        py_refuse_out(&self->output, out, mp_const_none);
    }
}

static mp_obj_t model_predict_into(claim_t *claimed, const mp_obj_t *args) {
    model_t *self = claimed->model;
    mp_obj_t out = args[1];
    if (self->model.n_outputs > 1) {
        py_write_outputs(self, out, false);
        put_sample_by_call(claimed, args[0]);
        run_all(self);
        py_write_outputs(self, out, true);
        return out;
    }
    target_t target;
    get_target(self, out, &target);
    put_sample(claimed, args[0]);
    run_all(self);
    get_target(self, out, &target); // again, as x.tolist(), or a callback of USB, might have changed its size
    py_target_write(&target, &self->output);
    return out;
}
METHOD(model, predict_into, 2);

static void get_raw(const model_t *self, const mp_obj_t *args, mp_buffer_info_t *x, mp_buffer_info_t *y) {
    unsigned x_bytes = anne_model_bytes(&self->model, ANNE_ROLE_INPUT);
    unsigned y_bytes = anne_model_bytes(&self->model, ANNE_ROLE_OUTPUT);
    mp_get_buffer_raise(args[0], x, MP_BUFFER_READ);
    mp_get_buffer_raise(args[1], y, MP_BUFFER_WRITE);
    if (x->len != x_bytes || y->len != y_bytes) {
        mp_raise_msg_varg(&mp_type_ValueError, MP_ERROR_TEXT("run_raw: expected %u and %u bytes, got %u and %u"),
                          x_bytes, y_bytes, (unsigned)x->len, (unsigned)y->len);
    }
}

static mp_obj_t model_run_raw(claim_t *claimed, const mp_obj_t *args) {
    model_t *self = claimed->model;
    mp_buffer_info_t x, y;
    get_raw(self, args, &x, &y);
    anne_model_put_inputs(&self->model, x.buf);
    run_all(self);
    get_raw(self, args, &x, &y); // again, as in predict_into
    anne_model_get_outputs(&self->model, y.buf);
    return mp_const_none;
}
METHOD(model, run_raw, 2);

static mp_obj_t model_reset(claim_t *claimed, const mp_obj_t *args) {
    (void)args;
    anne_model_reset(&claimed->model->model);
    return mp_const_none;
}
METHOD(model, reset, 0);

static mp_obj_t model_set_input(claim_t *claimed, const mp_obj_t *args) {
    put_sample_by_call(claimed, args[0]);
    return mp_const_none;
}
METHOD(model, set_input, 1);

static mp_obj_t model_run(claim_t *claimed, const mp_obj_t *args) {
    const model_t *self = claimed->model;
    uint32_t first = py_get_index(args[0], self->model.n_layers + 1);
    uint32_t last = py_get_index(args[1], self->model.n_layers + 1);
    if (first < last) {
        py_ears_t ears = py_ears(false);
        run_layers((const anne_layer_t *)self->model.workspace + first, last - first, &ears);
    }
    return mp_const_none;
}
METHOD(model, run, 2);

static mp_obj_t model_values(claim_t *claimed, const mp_obj_t *args) {
    const anne_model_t *model = &claimed->model->model;
    values_t values = py_values_of(model, py_get_index(args[0], model->n_tensors));
    return py_values_list(&values);
}
METHOD(model, values, 1);

static mp_obj_t model_layer_us(claim_t *claimed, const mp_obj_t *args) {
    const model_t *self = claimed->model;
    uint32_t index = py_get_index(args[0], self->model.n_layers);
    mp_int_t repeat = mp_obj_get_int(args[1]);
    py_ears_t ears = py_ears(self->object.quick && repeat <= 16); // so little is not worth to disturb the time
    mp_uint_t start_us = py_ticks_us();
    for (mp_int_t i = 0; i < repeat; i++) {
        run_layers((const anne_layer_t *)self->model.workspace + index, 1, &ears);
    }
    return mp_obj_new_int_from_uint(py_us_since(start_us));
}
METHOD(model, layer_us, 2);
