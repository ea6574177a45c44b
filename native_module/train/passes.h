// Forward and backward through all layers, for one row.
#ifndef ANNE_PASSES_H
#define ANNE_PASSES_H

#include "train/state.h"

// The outputs of all layers for x, and what they take, apart; returns those of the last.
const float *anne_forward(const anne_trainer_t *self, const float *x);

// After anne_forward, with the last layer's deltas: what the row's loss changes by each parameter, times what the
// deltas were multiplied with, is added to target, which has a place for each; it may be the parameters themselves.
// Where a delta is not finite a bias becomes NaN and nothing else: so do all outputs of the next row.
void anne_backward(const anne_trainer_t *self, float *target);

#endif // ANNE_PASSES_H
