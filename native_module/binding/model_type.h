// The type _anne.Model: a model that can run, the claim on it that each call has, and what its methods are.
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
    values_t input, output; // the first of each: nearly always there is no other
} model_t;

extern const mp_obj_type_t py_model_type;

// An open model for the time of one call, in which no interrupt and no other core or thread may change its arena or
// close it, nor any program that the call runs. Ended by py_release(), or by whatever exception ends the call.
typedef struct {
    nlr_jump_callback_node_t node; // first, as it is what unclaim gets
    model_t *model;
} claim_t;

// RuntimeError if it is claimed already, ValueError if it is closed.
void py_claim(claim_t *claimed, model_t *model);

static inline void py_release(void) {
    nlr_pop_jump_callback(true);
}

// A method of Model: `run` is called with the model claimed, and with the arguments after it.
typedef struct {
    mp_obj_base_t base;
    mp_obj_t (*run)(claim_t *claimed, const mp_obj_t *args);
    size_t n_args; // the model included
} method_t;

extern const mp_obj_type_t py_method_type;

#define METHOD(name, n_args) const method_t py_##name##_obj = {{&py_method_type}, name, 1 + n_args}

// The methods, but close: X(name). Each is defined in its file by METHOD(model_NAME, number of arguments).
#define METHODS(X)  \
    X(predict)      \
    X(predict_into) \
    X(run_raw)      \
    X(reset)        \
    X(set_input)    \
    X(run)          \
    X(values)       \
    X(layer_us)     \
    X(tensor)       \
    X(layer)        \
    X(text)         \
    X(line)         \
    X(threshold)    \
    X(port_name)    \
    X(golden)
#define DECLARE(name) extern const method_t py_model_##name##_obj;
METHODS(DECLARE)
#undef DECLARE

// A tuple; a tensor by its index in the file.
mp_obj_t py_shape_of(const anne_tensor_t *tensor);
values_t py_values_of(const anne_model_t *model, uint32_t index);

#endif // ANNE_BINDING_MODEL_TYPE_H
