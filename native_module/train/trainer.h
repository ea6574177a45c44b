// Training of dense networks: forward, backward, update, for whole epochs without any allocation.
//
// The meaning is PyTorch's. A row's loss is, with o what the network says, y what is wanted, p = max(o, 1e-7):
//
//   mse                          mean over the outputs of (o - y)^2
//   binary_cross_entropy         mean over the outputs of -(y ln p + (1 - y) ln max(1 - o, 1e-7))
//   categorical_cross_entropy    -sum of y ln p
//
// The gradient of a batch is the mean of its rows'; the last batch of an epoch may be smaller. SGD: g += decay w;
// v = momentum v + g; w -= lr v. Adam, with 0.9, 0.999 and 1e-8 outside the root, without bias: g += decay w. The slope
// of relu at 0 is 0, of leaky_relu 0.01. Cross-entropies with their sigmoid or softmax are one step: o - y, for
// targets of categorical_cross_entropy that add up to 1.
//
// All arithmetic is in integers, or in the floats of arithmetic_f32.h: the same bits on every machine. What diverges
// becomes infinite or NaN, and so does the loss of its epoch.
#ifndef ANNE_TRAINER_H
#define ANNE_TRAINER_H

#include <stdbool.h>
#include <stddef.h>

#include "train/state.h"

// Whether the caller's fields are as said above, and no layer has more than 2^24 parameters. What follows needs it.
bool anne_trainer_valid(const anne_trainer_t *self);

// The number of parameters.
uint32_t anne_trainer_parameters(const anne_trainer_t *self);

// Gives the trainer its memory, of zeros; the parameters lie first. Returns how many bytes it takes, also for NULL,
// with which nothing else may follow.
size_t anne_trainer_place(anne_trainer_t *self, float *memory);

// out = the network's outputs for x; returns the loss of that row for its targets y, or 0 if y is NULL. The memory for
// values is used.
float anne_trainer_predict(const anne_trainer_t *self, const float *x, float *out, const float *y);

// One pass over the rows: x (n_rows, sizes[0]), y (n_rows, n_targets). `order`, a permutation of their numbers, is
// shuffled first, n_rows at most 65536; NULL: as they stand. What is no number of a row there harms nothing. *loss is
// the mean of the rows' losses, each by the parameters at its step. `stop`, unless NULL, is asked after every row,
// in small networks after some, in large ones also in the middle of one; once it says so the pass ends, false is
// returned, and the parameters are those after the last whole step (velocities may have a part of a batch).
bool anne_trainer_epoch(anne_trainer_t *self, const float *x, const float *y, uint16_t *order, uint32_t n_rows,
                        bool (*stop)(void *), void *context, float *loss);

// The generator, of Numerical Recipes: state' = 1664525 state + 1013904223 mod 2^32; a seed is advanced three times. A
// draw advances first. A whole number below n <= 65536 is ((state >> 16) n) >> 16.
static inline uint32_t anne_random_next(uint32_t state) {
    return state * 1664525u + 1013904223u;
}

#endif // ANNE_TRAINER_H
