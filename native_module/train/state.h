// A network that learns, and where it has what it needs. trainer.h says what becomes of it.
#ifndef ANNE_TRAINER_STATE_H
#define ANNE_TRAINER_STATE_H

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

#endif // ANNE_TRAINER_STATE_H
