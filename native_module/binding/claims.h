// Objects that a call has to itself, Model and Trainer, and their methods; and Ctrl-C while one runs.
#ifndef ANNE_BINDING_CLAIMS_H
#define ANNE_BINDING_CLAIMS_H

#include "py/nlr.h"
#include "py/obj.h"

// What such an object begins with.
typedef struct {
    mp_obj_base_t base;
    bool open;
    volatile bool busy; // claimed
} claimable_t;

// An open object for the time of one call, in which no interrupt and no other core or thread may change what it holds
// or close it, nor any program that the call runs. Ended by py_release(), or by whatever exception ends the call.
typedef struct {
    nlr_jump_callback_node_t node; // first, as it is what unclaim gets
    union {
        claimable_t *object;
        struct model *model;
        struct trainer *trainer;
    };
} claim_t;

// RuntimeError if it is claimed already, ValueError if it is closed.
void py_claim(claim_t *claimed, claimable_t *object);

static inline void py_release(void) {
    nlr_pop_jump_callback(true);
}

// The object of that type in which a method was looked up, which MicroPython itself proves only for the plain
// net.method(...). TypeError for anything else.
claimable_t *py_own(const mp_obj_type_t *type, mp_obj_t o);

// A method: `run` is called with the object claimed, and with the arguments after it.
typedef struct {
    mp_obj_base_t base;
    mp_obj_t (*run)(claim_t *claimed, const mp_obj_t *args);
    const mp_obj_type_t *type; // of the object
    size_t n_args;             // the object included
} method_t;

extern const mp_obj_type_t py_method_type;

// The method NAME of KIND, model or trainer: KIND_NAME, with so many arguments.
#define METHOD(kind, name, n_args) \
    const method_t py_##kind##_##name##_obj = {{&py_method_type}, kind##_##name, &py_##kind##_type, 1 + n_args}

// Whether Ctrl-C, or another exception for this thread, has come. On USB it is a byte like any other, which is read
// when the scheduler comes to it; here it is read at once, without the program's own callbacks, which wait until the
// call has ended. Then mp_handle_pending(true) raises it.
bool py_interrupted(void);

#endif // ANNE_BINDING_CLAIMS_H
