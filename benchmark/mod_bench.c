// The MicroPython module `_bench`, in the benchmark's firmware only: calls a kernel or one of its peers and counts the
// cycles of the core, with SysTick, interrupts off. What counting itself costs is measured and taken off.
//
// Every function that measures takes `cycles`, an array('I'), last: it calls as often as that is long and puts the
// cycles of each call there. compare.py is the program that uses this.
#include <string.h>

#include "hardware/clocks.h"
#include "hardware/regs/addressmap.h"
#include "hardware/structs/systick.h"
#include "hardware/sync.h"
#include "hardware/timer.h"
#include "py/runtime.h"

#include "kernels/requantize.h"
#include "model.h"
#include "peers.h"

// --- The counter ----------------------------------------------------------------------------------------------------

#define SYSTICK_BITS 24

typedef void (*job_t)(void *context);

static void nothing(void *context) {
    (void)context;
}

// The cycles of job(context). SysTick counts down and wraps after 134 ms; the microsecond timer tells how often it did.
static uint32_t count(job_t job, void *context) {
    uint32_t interrupts = save_and_disable_interrupts();
    uint32_t start_us = time_us_32();
    uint32_t start = systick_hw->cvr;
    job(context);
    uint32_t end = systick_hw->cvr;
    uint32_t elapsed_us = time_us_32() - start_us;
    restore_interrupts(interrupts);
    uint32_t low = (start - end) & ((1u << SYSTICK_BITS) - 1);
    uint64_t about = (uint64_t)elapsed_us * (clock_get_hz(clk_sys) / 1000000);
    uint64_t wraps = about > low ? (about - low + (1u << (SYSTICK_BITS - 1))) >> SYSTICK_BITS : 0;
    return low + (uint32_t)(wraps << SYSTICK_BITS);
}

// Fills `cycles`, an array('I'), with the cycles of job(context), each time after before(context).
static void measure(job_t before, job_t job, void *context, mp_obj_t cycles_in) {
    mp_buffer_info_t cycles;
    mp_get_buffer_raise(cycles_in, &cycles, MP_BUFFER_WRITE);
    if (cycles.typecode != 'I') {
        mp_raise_ValueError(MP_ERROR_TEXT("cycles: expected an array('I')"));
    }
    systick_hw->rvr = (1u << SYSTICK_BITS) - 1;
    systick_hw->csr = 5;  // on, at the core's clock, no interrupt
    count(nothing, NULL); // brings its code into the flash cache
    uint32_t own = count(nothing, NULL);
    for (size_t i = 0; i < cycles.len / sizeof(uint32_t); i++) {
        before(context);
        ((uint32_t *)cycles.buf)[i] = count(job, context) - own;
    }
}

// --- Arguments ------------------------------------------------------------------------------------------------------

// A buffer of items of `size` bytes, which the Cortex-M0+ can read.
static void *buffer(mp_obj_t o, mp_uint_t access, size_t size, size_t *n) {
    mp_buffer_info_t info;
    mp_get_buffer_raise(o, &info, access);
    if ((uintptr_t)info.buf % size != 0 || info.len % size != 0) {
        mp_raise_ValueError(MP_ERROR_TEXT("buffer: expected whole, aligned items"));
    }
    *n = info.len / size;
    return info.buf;
}

static void require(bool good) {
    if (!good) {
        mp_raise_ValueError(MP_ERROR_TEXT("_bench: sizes do not fit"));
    }
}

// --- This project's kernels -----------------------------------------------------------------------------------------

typedef struct {
    anne_model_t model;
    const anne_layer_t *layer; // the first
    anne_record_t record;
} opened_t;

// Opens the model file and puts x in its place, as raw bytes.
static void open_file(opened_t *self, mp_obj_t file, mp_obj_t x_in) {
    size_t n_bytes, n_x;
    const void *bytes = buffer(file, MP_BUFFER_READ, 1, &n_bytes);
    require((uintptr_t)bytes % 4 == 0 && anne_model_open(&self->model, bytes, n_bytes) == ANNE_OK);
    self->model.workspace = m_new(uint8_t, self->model.workspace_bytes);
    anne_model_prepare(&self->model);
    self->layer = self->model.workspace; // the layers' table is its beginning
    uint32_t position = 0;
    anne_model_next_record(&self->model, &position, &self->record);
    const void *x = buffer(x_in, MP_BUFFER_READ, 1, &n_x);
    require(n_x == anne_tensor_bytes(self->layer->input));
    memcpy(anne_model_data(&self->model, self->model.input), x, n_x);
}

static void close_file(opened_t *self, mp_obj_t y_in) {
    size_t n_y;
    void *y = buffer(y_in, MP_BUFFER_WRITE, 1, &n_y);
    require(n_y == anne_tensor_bytes(self->layer->output));
    memcpy(y, self->layer->y, n_y);
    m_del(uint8_t, self->model.workspace, self->model.workspace_bytes);
}

static void run_layer(void *context) {
    const anne_layer_t *layer = context;
    layer->run(layer);
}

// layer(file, x, y, cycles): the first layer of a model file, x and y as they stand in the arena.
static mp_obj_t bench_layer(size_t n_args, const mp_obj_t *args) {
    (void)n_args;
    opened_t opened;
    open_file(&opened, args[0], args[1]);
    measure(nothing, run_layer, (void *)opened.layer, args[3]);
    close_file(&opened, args[2]);
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(bench_layer_obj, 4, 4, bench_layer);

// Leaves the sums of a dense layer of integers at the beginning of the scratch, as its kernel does, and no result.
static void sums(void *context) {
    const anne_layer_t *layer = context;
    layer->run(layer);
    memset(layer->y, 0, anne_tensor_bytes(layer->output));
    if (layer->output->dtype == ANNE_INT8) { // the requantisation may have shifted them to the left
        const anne_approximation_t *approximation = layer->derived;
        int32_t left = approximation->shift < 0 ? -approximation->shift : 0, *acc = layer->scratch;
        for (uint32_t r = 0; r < layer->n_out; r++) {
            acc[r] >>= left;
        }
    }
}

static void requantise(void *context) {
    const anne_layer_t *layer = context;
    anne_output_t output = {layer->output->zero_point, layer->parameters[1], layer->parameters[2]};
    if (layer->output->dtype == ANNE_INT8) {
        anne_requantize_s8(layer->scratch, layer->constants[2], layer->derived, layer->n_out, &output, layer->y);
    } else {
        anne_requantize_s16(layer->scratch, layer->constants[2], layer->n_out, output, layer->y);
    }
}

// requantise(file, x, y, cycles): the requantisation of that layer alone, if it is a dense layer of integers.
static mp_obj_t bench_requantise(size_t n_args, const mp_obj_t *args) {
    (void)n_args;
    opened_t opened;
    open_file(&opened, args[0], args[1]);
    require(opened.record.n_constants >= 3 && opened.record.n_parameters == 3
            && opened.layer->output->dtype != ANNE_FLOAT32);
    measure(sums, requantise, (void *)opened.layer, args[3]);
    close_file(&opened, args[2]);
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(bench_requantise_obj, 4, 4, bench_requantise);

// --- Peers ----------------------------------------------------------------------------------------------------------

typedef struct {
    const void *weights, *bias, *x;
    void *out;
    size_t n_in, n_out;
} product_t;

// peer(weights, bias, x, out, cycles)
static mp_obj_t measure_product(job_t job, const mp_obj_t *args, size_t weight_bytes, size_t x_bytes) {
    product_t p;
    size_t n_weights, n_bias;
    p.weights = buffer(args[0], MP_BUFFER_READ, weight_bytes, &n_weights);
    p.bias = buffer(args[1], MP_BUFFER_READ, 4, &n_bias);
    p.x = buffer(args[2], MP_BUFFER_READ, x_bytes, &p.n_in);
    p.out = buffer(args[3], MP_BUFFER_WRITE, 4, &p.n_out);
    require(n_weights == p.n_in * p.n_out && n_bias == p.n_out);
    measure(nothing, job, &p, args[4]);
    return mp_const_none;
}

#define PEER(name, weight_bytes, x_bytes, call)                           \
    static void run_##name(void *context) {                               \
        product_t *p = context;                                           \
        call(p->weights, p->bias, p->x, p->n_in, p->n_out, p->out);       \
    }                                                                     \
    static mp_obj_t measure_##name(size_t n_args, const mp_obj_t *args) { \
        (void)n_args;                                                     \
        return measure_product(run_##name, args, weight_bytes, x_bytes);  \
    }                                                                     \
    static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(bench_##name##_obj, 5, 5, measure_##name)

PEER(plain_s8, 1, 1, bench_plain_s8);
PEER(plain_s16, 2, 2, bench_plain_s16);
PEER(plain_f32, 4, 4, bench_plain_f32);
PEER(eml_layer, 4, 4, bench_eml_layer);

// eml_net(((weights, bias, activation), ...)): makes emlearn's network; the arrays must be kept by the caller.
static mp_obj_t bench_eml_net(mp_obj_t layers_in) {
    mp_obj_t *layers;
    size_t n_layers;
    mp_obj_get_array(layers_in, &n_layers, &layers);
    for (size_t i = 0; i < n_layers; i++) {
        mp_obj_t *parts;
        size_t n_weights, n_out;
        mp_obj_get_array_fixed_n(layers[i], 3, &parts);
        const float *weights = buffer(parts[0], MP_BUFFER_READ, 4, &n_weights);
        const float *bias = buffer(parts[1], MP_BUFFER_READ, 4, &n_out);
        require(n_out > 0 && bench_eml_add(i == 0, weights, bias, n_weights / n_out, n_out, mp_obj_get_int(parts[2])));
    }
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_1(bench_eml_net_obj, bench_eml_net);

// eml_predict(x, out): what a module for MicroPython around emlearn would offer; measured by `call`.
static mp_obj_t bench_eml_predict_into(mp_obj_t x_in, mp_obj_t out_in) {
    size_t n_in, n_out;
    const float *x = buffer(x_in, MP_BUFFER_READ, 4, &n_in);
    float *out = buffer(out_in, MP_BUFFER_WRITE, 4, &n_out);
    require(bench_eml_predict(x, n_in, out, n_out));
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_2(bench_eml_predict_obj, bench_eml_predict_into);

// --- Anything in Python ---------------------------------------------------------------------------------------------

typedef struct {
    mp_obj_t function;
    size_t n_args;
    mp_obj_t *args;
    mp_obj_t result;
    void *exception;
} call_t;

// An exception must not leave interrupts off.
static void run_call(void *context) {
    call_t *self = context;
    nlr_buf_t nlr;
    if (nlr_push(&nlr) == 0) {
        self->result = mp_call_function_n_kw(self->function, self->n_args, 0, self->args);
        nlr_pop();
    } else {
        self->exception = nlr.ret_val;
    }
}

// call(function, arguments, cycles): returns the last result.
static mp_obj_t bench_call(mp_obj_t function, mp_obj_t arguments, mp_obj_t cycles) {
    call_t self = {function, 0, NULL, mp_const_none, NULL};
    mp_obj_get_array(arguments, &self.n_args, &self.args);
    measure(nothing, run_call, &self, cycles);
    if (self.exception != NULL) {
        nlr_raise(self.exception);
    }
    return self.result;
}
static MP_DEFINE_CONST_FUN_OBJ_3(bench_call_obj, bench_call);

static void spin(void *context) {
    bench_spin(*(uint32_t *)context);
}

// spin(n, cycles): 3 n cycles and a constant, to check the counter with.
static mp_obj_t bench_spin_measured(mp_obj_t n_in, mp_obj_t cycles) {
    uint32_t n = mp_obj_get_int(n_in);
    require(n > 0);
    measure(nothing, spin, &n, cycles);
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_2(bench_spin_obj, bench_spin_measured);

// flash(offset, n): bytes of the flash where they lie, read-only; cases.py puts its data there.
static mp_obj_t bench_flash(mp_obj_t offset, mp_obj_t n) {
    return mp_obj_new_memoryview('B', mp_obj_get_int(n), (uint8_t *)XIP_BASE + mp_obj_get_int(offset));
}
static MP_DEFINE_CONST_FUN_OBJ_2(bench_flash_obj, bench_flash);

static const mp_rom_map_elem_t globals_table[] = {
    {MP_ROM_QSTR(MP_QSTR___name__), MP_ROM_QSTR(MP_QSTR__bench)},
    {MP_ROM_QSTR(MP_QSTR_layer), MP_ROM_PTR(&bench_layer_obj)},
    {MP_ROM_QSTR(MP_QSTR_requantise), MP_ROM_PTR(&bench_requantise_obj)},
    {MP_ROM_QSTR(MP_QSTR_plain_s8), MP_ROM_PTR(&bench_plain_s8_obj)},
    {MP_ROM_QSTR(MP_QSTR_plain_s16), MP_ROM_PTR(&bench_plain_s16_obj)},
    {MP_ROM_QSTR(MP_QSTR_plain_f32), MP_ROM_PTR(&bench_plain_f32_obj)},
    {MP_ROM_QSTR(MP_QSTR_eml_layer), MP_ROM_PTR(&bench_eml_layer_obj)},
    {MP_ROM_QSTR(MP_QSTR_eml_net), MP_ROM_PTR(&bench_eml_net_obj)},
    {MP_ROM_QSTR(MP_QSTR_eml_predict), MP_ROM_PTR(&bench_eml_predict_obj)},
    {MP_ROM_QSTR(MP_QSTR_call), MP_ROM_PTR(&bench_call_obj)},
    {MP_ROM_QSTR(MP_QSTR_spin), MP_ROM_PTR(&bench_spin_obj)},
    {MP_ROM_QSTR(MP_QSTR_flash), MP_ROM_PTR(&bench_flash_obj)},
};
static MP_DEFINE_CONST_DICT(globals, globals_table);

const mp_obj_module_t bench_module = {
    .base = {&mp_type_module},
    .globals = (mp_obj_dict_t *)&globals,
};
MP_REGISTER_MODULE(MP_QSTR__bench, bench_module);
