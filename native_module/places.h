// Where tensors lie in the arena: that none is written over another that is still needed.
#ifndef ANNE_PLACES_H
#define ANNE_PLACES_H

#include <stdint.h>

#include "model.h"

#define ANNE_NEEDED_FOREVER 0xfffe // as the output of the network is

// Of a model whose layers are proven, each of which reads one tensor and makes one. needed[n_tensors] is for each
// tensor the number of the last layer that reads it; layers count from 1, and 0 is for what none reads.
anne_status_t anne_places_check(const anne_model_t *model, const uint16_t *needed);

#endif // ANNE_PLACES_H
