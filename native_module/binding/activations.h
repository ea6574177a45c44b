// Activations by their names.
#ifndef ANNE_BINDING_ACTIVATIONS_H
#define ANNE_BINDING_ACTIVATIONS_H

#include "anne.h"
#include "runtime.h"

// Of each activation, by its number: alpha, where none is given, and its name.
extern const float py_default_alphas[];
extern const py_name_t py_activations[];

// The activation of that name; false for anything else.
bool py_get_activation(mp_obj_t o, anne_activation_t *activation);

#endif // ANNE_BINDING_ACTIVATIONS_H
