// Activations by their names.
#ifndef ANNE_BINDING_ACTIVATIONS_H
#define ANNE_BINDING_ACTIVATIONS_H

#include "py/obj.h"

#include "anne.h"

extern const float default_alphas[];

// The activation of that name; false for anything else.
bool get_activation(mp_obj_t o, anne_activation_t *activation);

#endif // ANNE_BINDING_ACTIVATIONS_H
