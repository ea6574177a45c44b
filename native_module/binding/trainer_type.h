// The type _anne.Trainer: a network of dense layers that learns.
#ifndef ANNE_BINDING_TRAINER_TYPE_H
#define ANNE_BINDING_TRAINER_TYPE_H

#include "claims.h"
#include "train/trainer.h"

// anne.reference_trainer.Trainer is its twin in Python, with the same methods.
typedef struct trainer {
    claimable_t object;
    anne_trainer_t core;
    float memory[]; // all that the core needs, parameters first
} trainer_t;

extern const mp_obj_type_t py_trainer_type;
extern const mp_obj_dict_t py_trainer_locals;

// ValueError for arguments that anne.trainer, or whoever else calls, should have proven.
NORETURN void py_refuse_trainer(void);

// The methods: X(name). Each is defined in its file by METHOD(trainer, NAME, number of arguments).
#define TRAINER_METHODS(X) \
    X(get)                 \
    X(set)                 \
    X(run)                 \
    X(predict)
#define DECLARE(name) extern const method_t py_trainer_##name##_obj;
TRAINER_METHODS(DECLARE)
#undef DECLARE

#endif // ANNE_BINDING_TRAINER_TYPE_H
