// Objects that a call has to itself, Model and Trainer, and their methods.
#ifndef ANNE_BINDING_CLAIMS_H
#define ANNE_BINDING_CLAIMS_H

#include "runtime.h"

// What such an object begins with.
typedef struct {
    mp_obj_base_t base;
    bool open;
    bool quick;              // as py_was_quick says
    volatile uintptr_t busy; // not 0: claimed
} claimable_t;

// An open object for the time of one call, in which no interrupt and no other core or thread may change what it holds
// or close it, nor any program that the call runs. Ended by py_release(), or by whatever exception ends the call.
typedef struct {
    py_guard_t guard; // first, as it is what ends a claim
    union {
        claimable_t *object;
        struct model *model;
        struct trainer *trainer;
    };
} claim_t;

// RuntimeError if it is claimed already, ValueError if it is closed.
void py_claim(claim_t *claimed, claimable_t *object);
void py_release(claim_t *claimed);

// What `run` returns, called with the object claimed. All claims are made in it, or by it.
typedef mp_obj_t (*method_run_t)(claim_t *claimed, const mp_obj_t *args);
mp_obj_t py_call_claimed(claimable_t *object, method_run_t run, const mp_obj_t *args);

// For py_claim, in runtime.c: marks the object as claimed, if it is not; lets an exception end the claim.
bool py_take(claimable_t *object);
void py_guard(claim_t *claimed);

// The object of that type in which a method was looked up, which MicroPython itself proves only for the plain
// net.method(...). TypeError for anything else.
claimable_t *py_own(const mp_obj_type_t *type, mp_obj_t o);

// A method: `run` is called with the object claimed, and with the arguments after it.
typedef struct {
    mp_obj_base_t base;
    method_run_t run;
    const mp_obj_type_t *type; // of the object
    size_t n_args;             // the object included
} method_t;

extern const mp_obj_type_t py_method_type;

// The method NAME of KIND, model or trainer: KIND_NAME, with so many arguments.
#define METHOD(kind, name, n_args) \
    const method_t py_##kind##_##name##_obj = {{&py_method_type}, kind##_##name, &py_##kind##_type, 1 + n_args}

#endif // ANNE_BINDING_CLAIMS_H
