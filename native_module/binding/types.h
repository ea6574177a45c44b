// The types of the module.
#ifndef ANNE_BINDING_TYPES_H
#define ANNE_BINDING_TYPES_H

#include "model_type.h"
#include "trainer_type.h"

// X(name in C, name in Python)
#ifdef ANNE_DENSE_ALONE // layers.h
#define PY_TYPES(X) X(model, Model)
#else
#define PY_TYPES(X) X(model, Model) X(trainer, Trainer)
#endif

#endif // ANNE_BINDING_TYPES_H
