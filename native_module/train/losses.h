// Losses of rows, summed, and their gradients.
#ifndef ANNE_LOSSES_H
#define ANNE_LOSSES_H

#include "train/state.h"

// The sum so far: sum - rest - ln(product 2^(twos - 31)).
typedef struct {
    float sum, rest;  // rest: what rounding has added to the sum
    uint32_t product; // 2^30 to 2^31 - 1
    int32_t twos;
} anne_loss_sum_t;

#define ANNE_NO_LOSS ((anne_loss_sum_t){0, 0, 1u << 30, 1})

// Adds the loss of one row of the last layer's outputs for the targets y, times their number if it is a mean; deltas[k]
// = scale times what that changes by the last layer's sum k before its activation. A number that is no class has no
// loss.
void anne_loss_add(anne_loss_sum_t *loss, const anne_trainer_t *trainer, const float *outputs, const float *y,
                   float scale, float *deltas);

// How many terms of which the loss is a mean n_rows rows have: outputs, or of categorical_cross_entropy rows.
float anne_loss_terms(const anne_trainer_t *trainer, uint32_t n_rows);

// The mean of n_rows rows' losses.
float anne_loss_mean(const anne_loss_sum_t *loss, const anne_trainer_t *trainer, uint32_t n_rows);

// deltas by outputs to deltas by the sums before the activation, in place.
void anne_through_activation(anne_activation_t activation, const float *outputs, uint32_t n, float *deltas);

#endif // ANNE_LOSSES_H
