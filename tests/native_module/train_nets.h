// Trainers for the tests, and what they should do, in double: losses by their definitions, and gradients by central
// differences, so that nothing here knows how to go backward.
#ifndef TRAIN_NETS_H
#define TRAIN_NETS_H

#include <math.h>

#include "kernel_test.h"
#include "train/trainer.h"

#define MOST_PARAMETERS 200
#define MOST_UNITS      16

// A float from -1 to 1.
static inline float any_float(void) {
    return (float)any_of(-1000000, 1000000) / 1000000;
}

static inline void fill_any(float *x, uint32_t n) {
    for (uint32_t i = 0; i < n; i++) {
        x[i] = any_float();
    }
}

// Memory and parameters for a trainer whose settings are there; its targets are as many as its outputs by default.
static inline void start(anne_trainer_t *t) {
    t->batch += t->batch == 0;
    t->n_targets = t->n_targets != 0 ? t->n_targets : t->sizes[t->n_layers];
    CHECK(anne_trainer_valid(t), "settings");
    size_t n_bytes = anne_trainer_place(t, NULL);
    float *memory = exactly(n_bytes);
    memset(memory, 0, n_bytes);
    anne_trainer_place(t, memory);
    fill_any(t->parameters, anne_trainer_parameters(t));
}

static inline void end(anne_trainer_t *t) {
    free(t->parameters);
}

static inline double activated(anne_activation_t activation, double z) {
    switch (activation) {
    case ANNE_ACTIVATION_relu:
        return z > 0 ? z : 0;
    case ANNE_ACTIVATION_leaky_relu:
        return z > 0 ? z : (double)0.01f * z;
    case ANNE_ACTIVATION_sigmoid:
        return 1 / (1 + exp(-z));
    case ANNE_ACTIVATION_tanh:
        return tanh(z);
    default:
        return z;
    }
}

static inline void outputs_of(const anne_trainer_t *t, const double *parameters, const float *x, double *out) {
    double in[MOST_UNITS];
    for (uint32_t i = 0; i < t->sizes[0]; i++) {
        in[i] = (double)x[i];
    }
    for (uint32_t l = 0; l < t->n_layers; l++) {
        uint32_t n_in = t->sizes[l], n_out = t->sizes[l + 1];
        double sum = 0;
        for (uint32_t r = 0; r < n_out; r++) {
            double z = parameters[n_in * n_out + r];
            for (uint32_t i = 0; i < n_in; i++) {
                z += parameters[r * n_in + i] * in[i];
            }
            out[r] = t->activations[l] == ANNE_ACTIVATION_softmax ? exp(z) : activated(t->activations[l], z);
            sum += out[r];
        }
        for (uint32_t r = 0; r < n_out; r++) {
            in[r] = out[r] /= t->activations[l] == ANNE_ACTIVATION_softmax ? sum : 1;
        }
        parameters += (n_in + 1) * n_out;
    }
}

static inline double minus_log(double p) {
    return -log(p > 1e-7 ? p : 1e-7);
}

static inline double loss_of_row(const anne_trainer_t *t, const double *parameters, const float *x, const float *y) {
    uint32_t n_out = t->sizes[t->n_layers];
    double out[MOST_UNITS], loss = 0;
    outputs_of(t, parameters, x, out);
    if (t->n_targets != n_out) {
        return minus_log(out[(uint32_t)*y]);
    }
    for (uint32_t k = 0; k < n_out; k++) {
        double o = out[k], wanted = (double)y[k];
        if (t->loss == ANNE_LOSS_mse) {
            loss += (o - wanted) * (o - wanted) / n_out;
        } else if (t->loss == ANNE_LOSS_binary_cross_entropy) {
            loss += (wanted * minus_log(o) + (1 - wanted) * minus_log(1 - o)) / n_out;
        } else {
            loss += wanted * minus_log(o);
        }
    }
    return loss;
}

static inline double mean_loss(const anne_trainer_t *t, const double *parameters, const float *x, const float *y,
                               uint32_t n_rows) {
    double sum = 0;
    for (uint32_t i = 0; i < n_rows; i++) {
        sum += loss_of_row(t, parameters, x + i * t->sizes[0], y + i * t->n_targets);
    }
    return sum / n_rows;
}

// gradient[i] = how the mean loss changes by parameter i.
static inline void differences(const anne_trainer_t *t, double *parameters, const float *x, const float *y,
                               uint32_t n_rows, double *gradient) {
    const double h = 1e-6;
    for (uint32_t i = 0; i < anne_trainer_parameters(t); i++) {
        double old = parameters[i];
        parameters[i] = old + h;
        double above = mean_loss(t, parameters, x, y, n_rows);
        parameters[i] = old - h;
        gradient[i] = (above - mean_loss(t, parameters, x, y, n_rows)) / (2 * h);
        parameters[i] = old;
    }
}

#endif // TRAIN_NETS_H
