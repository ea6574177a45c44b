// The type _anne.Model: a model that can run, and what its methods are.
#ifndef ANNE_BINDING_MODEL_TYPE_H
#define ANNE_BINDING_MODEL_TYPE_H

#include "claims.h"
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
typedef struct model {
    claimable_t object;
    mp_obj_t data; // the file, kept alive; None if `model` works on a copy of its own
    uint8_t *copy;
    anne_model_t model;
    values_t input, output; // the first of each: nearly always there is no other
} model_t;

extern const mp_obj_type_t py_model_type;
extern const mp_obj_dict_t py_model_locals;

// The methods, but close: X(name). Each is defined in its file by METHOD(model, NAME, number of arguments).
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
    X(golden)       \
    X(read)
#define DECLARE(name) extern const method_t py_model_##name##_obj;
METHODS(DECLARE)
#undef DECLARE

// A tuple; a tensor by its index in the file.
mp_obj_t py_shape_of(const anne_tensor_t *tensor);
values_t py_values_of(const anne_model_t *model, uint32_t index);

#endif // ANNE_BINDING_MODEL_TYPE_H
