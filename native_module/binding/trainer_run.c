// Methods of Trainer. What arrays hold may change while they run, by an interrupt or the other core, and so may their
// length: so they are asked before every epoch where they lie, and the core reads nothing out of their bounds whatever
// the numbers are. It writes to the trainer's own memory, and swaps entries of `order`.
#include <math.h>
#include <string.h>

#include "trainer_type.h"
#include "values.h"

#define LISTEN_EVERY_US 5000
#define RETURN_AFTER_US 1000000 // so that the caller can tell of progress

// An array('f') of n floats; ValueError for anything else.
static float *get_floats(mp_obj_t o, mp_uint_t access, size_t n) {
    float *data;
    size_t len;
    if (!py_float_buffer(o, access, &data, &len) || len != n) {
        py_refuse_trainer();
    }
    return data;
}

typedef struct {
    const float *x, *y;
    size_t n;
} rows_t;

// x and y, as many rows of each, at least one.
static rows_t get_rows(const anne_trainer_t *core, const mp_obj_t *args) {
    rows_t rows;
    float *x;
    size_t n;
    if (!py_float_buffer(args[0], MP_BUFFER_READ, &x, &n) || n < core->sizes[0] || n % core->sizes[0] != 0) {
        py_refuse_trainer();
    }
    rows.x = x;
    rows.n = n / core->sizes[0];
    if (rows.n > SIZE_MAX / core->n_targets) {
        py_refuse_trainer();
    }
    rows.y = get_floats(args[1], MP_BUFFER_READ, rows.n * core->n_targets);
    return rows;
}

// The row numbers in an array('H') of n; NULL for None.
static uint16_t *get_order(mp_obj_t o, size_t n) {
    mp_buffer_info_t info;
    if (o == mp_const_none) {
        return NULL;
    }
    if (!mp_get_buffer(o, &info, MP_BUFFER_RW) || info.typecode != 'H' || info.len != n * sizeof(uint16_t)
        || ((uintptr_t)info.buf & 1) != 0 || n > 65536) {
        py_refuse_trainer();
    }
    uint16_t *order = info.buf;
    for (size_t i = 0; i < n; i++) {
        if (order[i] >= n) {
            py_refuse_trainer();
        }
    }
    return order;
}

// Whether Ctrl-C has come. Looked for every 5 ms, as reading USB takes a tenth of a small network's row.
static bool stop(void *last_us) {
    if (py_us_since(*(mp_uint_t *)last_us) < LISTEN_EVERY_US) {
        return false;
    }
    *(mp_uint_t *)last_us = py_ticks_us();
    return py_interrupted();
}

// Where the loss of an epoch goes, in an array('f') of one entry each.
static float *get_loss(mp_obj_t losses, size_t epoch, size_t *n_epochs) {
    float *data;
    if (!py_float_buffer(losses, MP_BUFFER_WRITE, &data, n_epochs) || epoch >= *n_epochs) {
        py_refuse_trainer();
    }
    return data + epoch;
}

// run(x, y, order, losses): the number of epochs done.
static mp_obj_t trainer_run(claim_t *claimed, const mp_obj_t *args) {
    anne_trainer_t *core = &claimed->trainer->core;
    mp_uint_t start_us = py_ticks_us(), listened_us = start_us;
    size_t n_epochs, epoch = 0;
    float loss;
    do {
        rows_t rows = get_rows(core, args);
        uint16_t *order = get_order(args[2], rows.n);
        get_loss(args[3], epoch, &n_epochs);
        if (!anne_trainer_epoch(core, rows.x, rows.y, order, rows.n, stop, &listened_us, &loss)) {
            py_raise_interrupt();
            break; // somebody has taken the exception back
        }
        *get_loss(args[3], epoch, &n_epochs) = loss;
        epoch++;
    } while (epoch < n_epochs && isfinite(loss) && py_us_since(start_us) < RETURN_AFTER_US);
    return MP_OBJ_NEW_SMALL_INT(epoch);
}
METHOD(trainer, run, 4);

// predict(x, out, y): one row, its outputs; its loss if y has its targets, None for None.
static mp_obj_t trainer_predict(claim_t *claimed, const mp_obj_t *args) {
    const anne_trainer_t *core = &claimed->trainer->core;
    const float *x = get_floats(args[0], MP_BUFFER_READ, core->sizes[0]);
    float *out = get_floats(args[1], MP_BUFFER_WRITE, core->sizes[core->n_layers]);
    bool has_targets = args[2] != mp_const_none;
    float loss =
        anne_trainer_predict(core, x, out, has_targets ? get_floats(args[2], MP_BUFFER_READ, core->n_targets) : NULL);
    return has_targets ? mp_obj_new_float_from_f(loss) : mp_const_none;
}
METHOD(trainer, predict, 3);

// get(): a copy of all parameters; set(array): the other way.
static mp_obj_t trainer_get(claim_t *claimed, const mp_obj_t *args) {
    (void)args;
    const trainer_t *self = claimed->trainer;
    size_t n = anne_trainer_parameters(&self->core);
    mp_obj_array_t *array = mp_obj_malloc(mp_obj_array_t, &mp_type_array);
    array->typecode = 'f';
    array->free = 0;
    array->len = n;
    array->items = memcpy(m_new(float, n), self->memory, n * sizeof(float));
    return MP_OBJ_FROM_PTR(array);
}
METHOD(trainer, get, 0);

static mp_obj_t trainer_set(claim_t *claimed, const mp_obj_t *args) {
    trainer_t *self = claimed->trainer;
    size_t n = anne_trainer_parameters(&self->core);
    memcpy(self->memory, get_floats(args[0], MP_BUFFER_READ, n), n * sizeof(float));
    return mp_const_none;
}
METHOD(trainer, set, 1);
