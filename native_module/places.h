// When tensors live, and where: that each is made before it is read, and none written over another that is still
// needed (FORMAT.md, "Tensors").
#ifndef ANNE_PLACES_H
#define ANNE_PLACES_H

#include <stdint.h>

#include "records.h"

// For each tensor the number of the last layer that needs its bytes (layers count from 1; 0 is for what none needs), or
// whose bytes they are: places.c.
typedef struct {
    uint16_t needed[ANNE_MAX_TENSORS];
} anne_lives_t;

// At first only the inputs of the network are there. Then each layer in order, number `layer` of kind `kind`, whose
// `record` need not be proven: it reads tensors that are there and makes others.
void anne_lives_begin(const anne_model_t *model, anne_lives_t *lives);
anne_status_t anne_lives_note(const anne_model_t *model, const anne_record_t *record, const anne_layer_kind_t *kind,
                              uint32_t layer, anne_lives_t *lives);

// Of a model whose layers are proven and noted: that all tensors are made, each in a place that is free. Spoils
// `lives`.
anne_status_t anne_places_check(const anne_model_t *model, anne_lives_t *lives);

#endif // ANNE_PLACES_H
