// As a .mpy file: claims, Ctrl-C, stack, imports, objects.
#include <string.h>

#include "claims.h"
#include "loaded.h"
#include "py/smallint.h"

// --- Claims

#ifdef __ARM_ARCH_6M__
// The Cortex-M0+ cannot test and set, and the firmware's lock between the RP2040's cores is out of reach. So whoever
// finds the object free writes who he is, waits longer than the other core can take between its look and its writing,
// and has the object if that still stands there (Fischer's algorithm). Code and object lie in RAM, so those are a few
// cycles, if no interrupt comes between.
bool py_take(claimable_t *object) {
    uintptr_t me = (uintptr_t)__builtin_frame_address(0), mask; // each core has a stack of its own
    bool taken = false;
    __asm__ volatile("mrs %0, primask\n cpsid i" : "=r"(mask)::"memory");
    if (object->busy == 0) {
        object->busy = me;
        for (int i = 0; i < 8; i++) {
            __asm__ volatile("nop\n nop");
        }
        taken = object->busy == me;
    }
    __asm__ volatile("msr primask, %0" ::"r"(mask) : "memory");
    return taken;
}
#else
bool py_take(claimable_t *object) {
    return __atomic_exchange_n(&object->busy, 1, __ATOMIC_ACQUIRE) == 0;
}
#endif

void py_guard(claim_t *claimed) {
    claimed->guard.held = true;
}

void py_release(claim_t *claimed) {
    claimed->guard.held = false;
    claimed->object->busy = 0;
}

mp_obj_t py_call_claimed(claimable_t *object, method_run_t run, const mp_obj_t *args) {
    claim_t claimed;
    claimed.guard.held = false;
    nlr_buf_t nlr;
    if (nlr_push(&nlr) == 0) {
        py_claim(&claimed, object);
        mp_obj_t result = run(&claimed, args);
        py_release(&claimed);
        nlr_pop();
        return result;
    }
    if (claimed.guard.held) {
        py_release(&claimed);
    }
    nlr_jump(nlr.ret_val);
}

// --- Ctrl-C

#define LISTEN_EVERY_US 5000

static mp_obj_t interrupt; // what py_interrupted has met

// Raises what has come.
static void listen(void) {
    mp_call_function_n_kw(mp_load_attr(py_module, MP_QSTR__listen), 0, 0, NULL);
}

bool py_interrupted(void) {
    nlr_buf_t nlr;
    if (nlr_push(&nlr) == 0) {
        listen();
        nlr_pop();
        return false;
    }
    interrupt = MP_OBJ_FROM_PTR(nlr.ret_val);
    return true;
}

void py_raise_interrupt(void) {
    nlr_raise(interrupt);
}

// Where ticks_us goes on from 0 again, the positive small integers end.
#define TICKS_MASK ((mp_uint_t)MP_SMALL_INT_POSITIVE_MASK)

mp_uint_t py_ticks_us(void) {
    return MP_OBJ_SMALL_INT_VALUE(mp_call_function_n_kw(py_ticks_us_function, 0, 0, NULL));
}

mp_uint_t py_us_since(mp_uint_t start_us) {
    return (py_ticks_us() - start_us) & TICKS_MASK;
}

py_ears_t py_ears(bool quick) {
    py_ears_t ears = {.quick = quick};
    if (!quick) {
        ears.start_us = ears.last_us = py_ticks_us();
    }
    return ears;
}

void py_listen_now(py_ears_t *ears) {
    mp_uint_t now_us = py_ticks_us();
    if (((now_us - ears->last_us) & TICKS_MASK) < LISTEN_EVERY_US) {
        return;
    }
    ears->last_us = now_us;
    listen();
}

bool py_was_quick(const py_ears_t *ears) {
    return ears->quick || py_us_since(ears->start_us) < LISTEN_EVERY_US;
}

// --- Stack

// Printing an object sees to the stack, so None is printed to nowhere, in a frame below the other until one lies as low
// as is asked for: step by step, as a print that is refused has already written some words, which must lie in
// what a port keeps free below the limit (256 bytes on the RP2040). The addresses between which that went well are
// remembered, as nearly all calls come from there; on another stack (of the other core) it is tried anew.
static uintptr_t proven_low, proven_high;

static void print_nothing(void *data, const char *text, size_t n) {
    (void)data, (void)text, (void)n;
}

static __attribute__((noinline)) void try_stack(uintptr_t low) {
    const mp_print_t nowhere = {NULL, print_nothing};
    struct {
        mp_obj_tuple_t tuple;
        mp_obj_t item;
    } one = {{{&mp_type_tuple}, 1}, mp_const_none};
    MP_OBJ_TYPE_GET_SLOT(&mp_type_tuple, print)(&nowhere, MP_OBJ_FROM_PTR(&one), PRINT_REPR);
    if ((uintptr_t)&one > low) {
        try_stack(low);
    }
    __asm__ volatile("" ::"r"(&one) : "memory"); // so that the frame stays until here
}

void py_need_stack(size_t n_bytes) {
    uintptr_t high = (uintptr_t)__builtin_frame_address(0), low = high - n_bytes;
    if (low >= proven_low && high <= proven_high) {
        return;
    }
    try_stack(low);
    bool joins = low <= proven_high && high >= proven_low;
    proven_low = joins && proven_low < low ? proven_low : low;
    proven_high = joins && proven_high > high ? proven_high : high;
}

// --- Imports and names

mp_obj_t py_import(const char *name) {
    mp_obj_t args[] = {mp_obj_new_str(name, strlen(name)), mp_const_none, mp_const_none, mp_const_true,
                       MP_OBJ_NEW_SMALL_INT(0)};
    return mp_call_function_n_kw(mp_load_global(MP_QSTR___import__), MP_ARRAY_SIZE(args), 0, args);
}

mp_obj_t py_interned(mp_obj_t str) {
    size_t n, n_name;
    const char *text = mp_obj_str_get_data(str, &n);
    for (py_name_t name = 1; name <= N_NAMES; name++) {
        mp_obj_t candidate = MP_OBJ_NEW_QSTR(py_qstr(name));
        const char *candidate_text = mp_obj_str_get_data(candidate, &n_name);
        if (n == n_name && memcmp(text, candidate_text, n) == 0) {
            return candidate;
        }
    }
    return str;
}

// --- Objects

void *py_malloc(size_t n_bytes) {
    void *block = mp_fun_table.realloc_(NULL, n_bytes, false);
    if (block == NULL && n_bytes != 0) {
        py_raise(&mp_type_MemoryError, "memory allocation failed, allocating %u bytes", (unsigned)n_bytes);
    }
    return block;
}

mp_obj_t py_new_float(float value) {
    py_float_t *object = py_malloc(sizeof(py_float_t));
    object->base.type = &mp_type_float;
    object->value = value;
    return MP_OBJ_FROM_PTR(object);
}

mp_int_t py_get_int(mp_obj_t o) {
    if (mp_obj_is_small_int(o)) {
        return MP_OBJ_SMALL_INT_VALUE(o);
    }
    mp_int_t value = mp_obj_get_int_truncated(o); // TypeError for what is no integer
    if (mp_binary_op(MP_BINARY_OP_EQUAL, mp_obj_new_int(value), o) != mp_const_true) {
        py_raise(&mp_type_OverflowError, "overflow converting long int to machine word");
    }
    return value;
}

typedef struct {
    mp_obj_base_t base;
    const py_name_t *names;
    size_t n;
    mp_obj_t items[];
} record_t;

static void record_attr(mp_obj_t self_in, qstr attribute, mp_obj_t *dest) {
    const record_t *self = MP_OBJ_TO_PTR(self_in);
    for (size_t i = 0; dest[0] == MP_OBJ_NULL && i < self->n; i++) {
        if (py_qstr(self->names[i]) == attribute) {
            dest[0] = self->items[i];
        }
    }
}

MP_DEFINE_CONST_OBJ_TYPE(py_record_type, NAME(tuple), MP_TYPE_FLAG_NONE, attr, record_attr);

mp_obj_t py_new_record(const py_name_t *names, size_t n, const mp_obj_t *items) {
    record_t *self = mp_obj_malloc_var(record_t, items, mp_obj_t, n, &py_record_type);
    self->names = names;
    self->n = n;
    memcpy(self->items, items, n * sizeof(mp_obj_t));
    return MP_OBJ_FROM_PTR(self);
}

// --- Exceptions

typedef struct {
    size_t n;
    char text[120];
} text_t;

static void append(void *data, const char *text, size_t n) {
    text_t *to = data;
    size_t room = sizeof to->text - to->n;
    n = n < room ? n : room;
    memcpy(to->text + to->n, text, n);
    to->n += n;
}

void py_raise(const mp_obj_type_t *type, const char *format, ...) {
    text_t text;
    text.n = 0;
    const mp_print_t print = {&text, append};
    va_list args;
    va_start(args, format);
    mp_vprintf(&print, format, args);
    va_end(args);
    mp_obj_t message = MP_OBJ_NULL;
    volatile size_t n_args = 0; // without memory, as in a hard interrupt, no message: its type says enough
    nlr_buf_t nlr;
    if (nlr_push(&nlr) == 0) {
        message = mp_obj_new_str(text.text, text.n);
        n_args = 1;
        nlr_pop();
    }
    nlr_raise(mp_call_function_n_kw(MP_OBJ_FROM_PTR(type), n_args, 0, &message));
}
