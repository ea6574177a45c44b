// The type _anne.Model.
#ifndef ANNE_BINDING_MODEL_TYPE_H
#define ANNE_BINDING_MODEL_TYPE_H

#include "py/nlr.h"
#include "py/obj.h"

#include "model.h"

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

extern const mp_obj_type_t model_type;

// An open model for the time of one call, in which no interrupt and no other core or thread may change its arena or
// close it, nor any program that the call runs. Ended by release(), or by whatever exception ends the call.
typedef struct {
    nlr_jump_callback_node_t node; // first, as it is what unclaim gets
    model_t *model;
} claim_t;

void claim(claim_t *claimed, model_t *model);
static inline void release(void) {
    nlr_pop_jump_callback(true);
}

// A method of Model: `run` is called with the model claimed, and with the arguments after it.
typedef struct {
    mp_obj_base_t base;
    mp_obj_t (*run)(claim_t *claimed, const mp_obj_t *args);
    size_t n_args; // the model included
} method_t;

extern const mp_obj_type_t method_type;

#define METHOD(name, n_args) const method_t name##_obj = {{&method_type}, name, 1 + n_args}

#define METHODS(X)                                                                                          \
    X(predict)                                                                                              \
    X(predict_into) X(run_raw) X(set_input) X(run) X(values) X(layer_us) X(tensor) X(layer) X(text) X(line) \
        X(threshold) X(golden)
#define DECLARE(name) extern const method_t model_##name##_obj;
METHODS(DECLARE)
#undef DECLARE

mp_obj_t shape_of(const anne_tensor_t *tensor);
values_t values_of(const anne_model_t *model, uint32_t index);

#endif // ANNE_BINDING_MODEL_TYPE_H
