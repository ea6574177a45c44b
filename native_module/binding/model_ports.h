// Networks of several inputs or outputs: their names, and samples with an entry for each.
#ifndef ANNE_BINDING_MODEL_PORTS_H
#define ANNE_BINDING_MODEL_PORTS_H

#include "model_type.h"

// Puts x where a model of several inputs reads it, and returns MP_OBJ_NULL; or the tuple of samples, if x is several
// and `name` is "samples_of_inputs". x is a list or tuple with an entry for each input, or a dict of them by name; only
// entries that py_put_plain does not take need Python.
mp_obj_t py_put_inputs(claim_t *claimed, mp_obj_t x, qstr name);

// All outputs, as a list of lists of floats.
mp_obj_t py_outputs_list(const model_t *self);

// Writes the outputs to `outs`, a list or tuple with an array for each, if all of them fit; only looks at them, if not
// `write`. TypeError for what does not fit.
void py_write_outputs(const model_t *self, mp_obj_t outs, bool write);

// TypeError that tells what predict_into needs to write an output; `name` is its name, or None if there is but one.
NORETURN void py_refuse_out(const values_t *from, mp_obj_t out, mp_obj_t name);

#endif // ANNE_BINDING_MODEL_PORTS_H
