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

#include "anne.h"
#include "kernels/parts_f32.h"

#define ANNE_TRAINER_MOST_LAYERS 8

// Their order gives their numbers to those who call.
#define ANNE_LOSSES(X)     X(mse) X(binary_cross_entropy) X(categorical_cross_entropy)
#define ANNE_OPTIMIZERS(X) X(sgd) X(adam)

typedef enum {
#define ANNE_LOSS_ENUM(name) ANNE_LOSS_##name,
    ANNE_LOSSES(ANNE_LOSS_ENUM)
#undef ANNE_LOSS_ENUM
        ANNE_LOSS_COUNT,
} anne_loss_t;

typedef enum {
#define ANNE_OPTIMIZER_ENUM(name) ANNE_OPTIMIZER_##name,
    ANNE_OPTIMIZERS(ANNE_OPTIMIZER_ENUM)
#undef ANNE_OPTIMIZER_ENUM
        ANNE_OPTIMIZER_COUNT,
} anne_optimizer_t;

typedef struct {
    // What the caller says.
    uint32_t n_layers;                                       // 1 to ANNE_TRAINER_MOST_LAYERS
    uint32_t sizes[ANNE_TRAINER_MOST_LAYERS + 1];            // inputs, then the units of each layer; 1 to 65535
    anne_activation_t activations[ANNE_TRAINER_MOST_LAYERS]; // linear, relu, leaky_relu, sigmoid, tanh; softmax last
    anne_loss_t loss;                                        // cross-entropies behind their sigmoid or softmax only
    anne_optimizer_t optimizer;
    float lr, momentum, decay; // momentum is SGD's
    uint32_t batch;            // rows a step, 1 to 65535
    uint32_t n_targets;        // numbers of y a row: one for each output; or 1, the number of the class (categorical)
    uint32_t random;           // state of the generator (below)
    uint32_t step;             // Adam's steps so far

    // Places in memory, by anne_trainer_place.
    uint32_t n_parameters;
    float *parameters;         // layer after layer weights (n_out, n_in) row-major, then bias (n_out)
    float *gradients;          // of a batch; SGD's velocities. NULL where parameters change at once: SGD, row by row
    float *means;              // Adam's sums, then its squares (adam_f32.h); else NULL
    float *outputs;            // of all layers
    float *deltas[2];          // what the loss changes by a layer's sums, and by those of the layer below
    anne_parts_f32_t *inputs;  // of all layers
    anne_parts_f32_t *factors; // deltas taken apart
} anne_trainer_t;

// Whether the caller's fields are as said above, and no layer has more than 2^24 parameters. What follows needs it.
bool anne_trainer_valid(const anne_trainer_t *self);

// The number of parameters.
uint32_t anne_trainer_parameters(const anne_trainer_t *self);

// Words of 4 bytes of memory; the parameters lie first.
uint32_t anne_trainer_words(const anne_trainer_t *self);

// Gives the trainer its memory, as many words as that, of zeros.
void anne_trainer_place(anne_trainer_t *self, float *memory);

// y = the network's outputs for x. The memory for values is used.
void anne_trainer_predict(const anne_trainer_t *self, const float *x, float *y);

// One pass over the rows: x (n_rows, sizes[0]), y (n_rows, n_targets). `order`, a permutation of their numbers, is
// shuffled first, n_rows at most 65536; NULL: as they stand. What is no number of a row there harms nothing. *loss is
// the mean of the rows' losses, each by the parameters at its step. `stop`, unless NULL, is asked after every row,
// in small networks after some, in large ones also in the middle of one; once it says so the pass ends, false is
// returned, and the parameters are those after the last whole step (velocities may have a part of a batch).
bool anne_trainer_epoch(anne_trainer_t *self, const float *x, const float *y, uint16_t *order, uint32_t n_rows,
                        bool (*stop)(void *), void *context, float *loss);

// *loss is the mean of the rows' losses; nothing is learnt. `stop` as above.
bool anne_trainer_loss(anne_trainer_t *self, const float *x, const float *y, uint32_t n_rows, bool (*stop)(void *),
                       void *context, float *loss);

// The generator, of Numerical Recipes: state' = 1664525 state + 1013904223 mod 2^32; a seed is advanced three times. A
// draw advances first. A whole number below n <= 65536 is ((state >> 16) n) >> 16.
static inline uint32_t anne_random_next(uint32_t state) {
    return state * 1664525u + 1013904223u;
}

#endif // ANNE_TRAINER_H
