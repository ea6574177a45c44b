// Training of dense networks: forward, backward, update.
//
// Where a step is w -= lr g, as in SGD without momentum and decay, and a batch is one row, the gradient is never
// written: it goes into the weights at once. Otherwise the gradients of a batch are added up, for SGD on top of its
// velocities, and the optimiser makes a step of them. What the row counts in that is a factor of the last layer's
// deltas, and so of all.
//
// Numbers that are not finite do not reach the kernels: they become NaN in what depends on them, and in the loss.
#include "train/trainer.h"

#include <stdint.h>
#include <string.h>

#include "kernels/adam_f32.h"
#include "kernels/arithmetic_f32.h"
#include "kernels/parts_f32.h"
#include "kernels/quotient_f32.h"
#include "train/losses.h"
#include "train/passes.h"

#define MOST_OF_LAYER (1u << 24) // parameters, so that memory is counted in 30 bits
#define MOST_UNITS    65535
#define MANY_WEIGHTS  16384 // a row of more takes longer than stop() may wait
#define FEW_WEIGHTS   512   // of so many stop() may wait for some rows
#define FEW_ROWS      8

static bool updates_at_once(const anne_trainer_t *self) {
    return self->optimizer == ANNE_OPTIMIZER_sgd && self->batch == 1 && anne_bits_of(self->momentum) << 1 == 0
           && anne_bits_of(self->decay) << 1 == 0;
}

uint32_t anne_trainer_parameters(const anne_trainer_t *self) {
    uint32_t n = 0;
    for (uint32_t l = 0; l < self->n_layers; l++) {
        n += (self->sizes[l] + 1) * self->sizes[l + 1];
    }
    return n;
}

// Whether the layer may stand there; of so many parameters before it, its own are added.
static bool valid_layer(const anne_trainer_t *self, uint32_t l, uint32_t *n) {
    const uint32_t usable = 1u << ANNE_ACTIVATION_linear | 1u << ANNE_ACTIVATION_relu | 1u << ANNE_ACTIVATION_leaky_relu
                            | 1u << ANNE_ACTIVATION_sigmoid | 1u << ANNE_ACTIVATION_tanh;
    uint32_t activation = (uint32_t)self->activations[l];
    if (self->sizes[l] - 1 >= MOST_UNITS || self->sizes[l + 1] - 1 >= MOST_UNITS) {
        return false;
    }
    uint32_t own = (self->sizes[l] + 1) * self->sizes[l + 1]; // below 2^32
    if (own > MOST_OF_LAYER) {
        return false;
    }
    *n += own; // of 8 layers below 2^27
    bool is_usable = activation < ANNE_ACTIVATION_COUNT && (usable >> activation & 1);
    return is_usable || (activation == ANNE_ACTIVATION_softmax && l + 1 == self->n_layers);
}

bool anne_trainer_valid(const anne_trainer_t *self) {
    uint32_t n = 0;
    if (self->n_layers - 1 >= ANNE_TRAINER_MOST_LAYERS || self->batch - 1 >= MOST_UNITS) {
        return false;
    }
    for (uint32_t l = 0; l < self->n_layers; l++) {
        if (!valid_layer(self, l, &n)) {
            return false;
        }
    }
    anne_activation_t last = self->activations[self->n_layers - 1];
    bool needs_nothing = self->loss == ANNE_LOSS_mse;
    bool is_binary = self->loss == ANNE_LOSS_binary_cross_entropy && last == ANNE_ACTIVATION_sigmoid;
    bool is_categorical = self->loss == ANNE_LOSS_categorical_cross_entropy && last == ANNE_ACTIVATION_softmax;
    return (needs_nothing || is_binary || is_categorical) && (uint32_t)self->optimizer < ANNE_OPTIMIZER_COUNT
           && (self->n_targets == self->sizes[self->n_layers] || (is_categorical && self->n_targets == 1));
}

// The next n words of memory, which is a number: there may be none yet.
static void *take(uintptr_t *at, uint32_t n) {
    uintptr_t begin = *at;
    *at += n * sizeof(float);
    return (void *)begin;
}

size_t anne_trainer_place(anne_trainer_t *self, float *memory) {
    uint32_t n = anne_trainer_parameters(self), n_inputs = 0, widest = 0;
    uintptr_t at = (uintptr_t)memory;
    for (uint32_t l = 0; l < self->n_layers; l++) {
        uint32_t n_out = self->sizes[l + 1];
        n_inputs += self->sizes[l];
        widest = n_out > widest ? n_out : widest;
    }
    bool keeps_gradients = !updates_at_once(self), is_adam = self->optimizer == ANNE_OPTIMIZER_adam;
    self->n_parameters = n;
    self->parameters = take(&at, n);
    self->gradients = keeps_gradients ? take(&at, n) : NULL;
    self->means = is_adam ? take(&at, 2 * n) : NULL;
    self->outputs = take(&at, n_inputs - self->sizes[0] + self->sizes[self->n_layers]);
    self->deltas[0] = take(&at, widest);
    self->deltas[1] = take(&at, widest);
    self->inputs = take(&at, 2 * n_inputs); // each in two words
    self->factors = take(&at, 2 * widest);
    return at - (uintptr_t)memory;
}

float anne_trainer_predict(const anne_trainer_t *self, const float *x, float *out, const float *y) {
    anne_loss_sum_t sum = ANNE_NO_LOSS;
    memcpy(out, anne_forward(self, x), self->sizes[self->n_layers] * sizeof *out);
    if (y == NULL) {
        return 0;
    }
    anne_loss_add(&sum, self, out, y, 0, self->deltas[0]);
    return anne_loss_mean(&sum, self, 1);
}

// The gradients before the rows of a batch are added: 0, or what is left of SGD's velocities, and the decay.
static void begin_batch(anne_trainer_t *self) {
    uint32_t n = self->n_parameters;
    float momentum = self->optimizer == ANNE_OPTIMIZER_sgd ? self->momentum : 0;
    for (uint32_t i = 0; i < n; i++) {
        self->gradients[i] = anne_bits_of(momentum) << 1 != 0 ? anne_times_f32(momentum, self->gradients[i]) : 0;
    }
    if (anne_bits_of(self->decay) << 1 != 0) {
        anne_add_scaled_f32(self->gradients, self->parameters, n, self->decay);
    }
}

static void end_batch(anne_trainer_t *self) {
    uint32_t n = self->n_parameters;
    if (self->optimizer == ANNE_OPTIMIZER_sgd) {
        anne_add_scaled_f32(self->parameters, self->gradients, n, -self->lr);
        return;
    }
    self->step += self->step < UINT32_MAX;
    anne_adam_f32(self->parameters, self->gradients, self->means, self->means + n, n, self->lr, self->step);
}

static void shuffle(anne_trainer_t *self, uint16_t *order, uint32_t n) {
    for (uint32_t i = n; i-- > 1;) {
        self->random = anne_random_next(self->random);
        uint32_t j = ((self->random >> 16) * (i + 1)) >> 16;
        uint16_t swap = order[i];
        order[i] = order[j];
        order[j] = swap;
    }
}

// What a row's gradient counts in a step over n_rows: their mean, and lr if weights change at once.
static float row_scale(const anne_trainer_t *self, uint32_t n_rows) {
    return anne_quotient_f32(self->gradients == NULL ? -self->lr : 1, anne_loss_terms(self, n_rows));
}

bool anne_trainer_epoch(anne_trainer_t *self, const float *x, const float *y, uint16_t *order, uint32_t n_rows,
                        bool (*stop)(void *), void *context, float *loss) {
    anne_loss_sum_t sum = ANNE_NO_LOSS;
    bool is_long = self->n_parameters > FEW_WEIGHTS, is_very_long = self->n_parameters > MANY_WEIGHTS;
    uint32_t batch_end = 0;
    float scale = 0;
    if (order != NULL) {
        shuffle(self, order, n_rows);
    }
    for (uint32_t i = 0; i < n_rows; i++) {
        if (i == batch_end) {
            uint32_t n = n_rows - i < self->batch ? n_rows - i : self->batch;
            batch_end += n;
            if (i == 0 || n < self->batch) {
                scale = row_scale(self, n);
            }
            if (self->gradients != NULL) {
                begin_batch(self);
            }
        }
        size_t row = order != NULL ? order[i] : i;
        if (row >= n_rows) { // an interrupt, or the other core, may write into the array
            row = i;
        }
        const float *row_x = x + row * self->sizes[0];
        anne_loss_add(&sum, self, anne_forward(self, row_x), y + row * self->n_targets, scale, self->deltas[0]);
        if (is_very_long && stop != NULL && stop(context)) {
            return false;
        }
        anne_backward(self, self->gradients != NULL ? self->gradients : self->parameters);
        if (self->gradients != NULL && i + 1 == batch_end) {
            end_batch(self);
        }
        if ((is_long || i % FEW_ROWS == 0) && stop != NULL && stop(context)) {
            return false;
        }
    }
    *loss = anne_loss_mean(&sum, self, n_rows);
    return true;
}
