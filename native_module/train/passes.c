// Forward and backward: what a row takes beside its products. Compiled as kernels are (core.cmake), for small networks.
#include "train/passes.h"

#include <math.h>
#include <string.h>

#include "kernels/activations_f32.h"
#include "kernels/arithmetic_f32.h"
#include "kernels/parts_f32.h"
#include "train/losses.h"

static void fill(float *x, uint32_t n, float value) {
    for (uint32_t i = 0; i < n; i++) {
        x[i] = value;
    }
}

const float *anne_forward(const anne_trainer_t *self, const float *x) {
    const float *weights = self->parameters;
    anne_parts_f32_t *parts = self->inputs;
    float *out = self->outputs;
    for (uint32_t l = 0; l < self->n_layers; l++) {
        uint32_t n_in = self->sizes[l], n_out = self->sizes[l + 1];
        if (anne_take_apart_f32(x, n_in, parts)) {
            anne_dots_f32(&(anne_dots_f32_t){weights, sizeof *weights, n_in * sizeof *weights, parts, parts + n_in,
                                             weights + n_in * n_out, out, out + n_out,
                                             self->activations[l] == ANNE_ACTIVATION_relu, NULL});
        } else {
            fill(out, n_out, NAN);
        }
        if (self->activations[l] != ANNE_ACTIVATION_relu) {
            anne_activate_f32(self->activations[l], 0.01f, out, n_out);
        }
        weights += (n_in + 1) * n_out;
        parts += n_in;
        x = out;
        out += n_out;
    }
    return x;
}

// below = the weights' transpose times the deltas, apart: factors; 0 for what is not live (parts_f32.h).
static void gradient_below(const float *weights, uint32_t n_in, const float *deltas, const anne_parts_f32_t *factors,
                           uint32_t n_out, const float *live, float *below) {
    if (n_out > 1) {
        anne_dots_f32(&(anne_dots_f32_t){weights, n_in * sizeof *weights, sizeof *weights, factors, factors + n_out,
                                         NULL, below, below + n_in, false, live});
        return;
    }
    for (uint32_t i = 0; i < n_in; i++) { // of a single unit: a product each
        bool is_live = live == NULL || (int32_t)anne_bits_of(live[i]) > 0;
        below[i] = is_live ? anne_times_f32(weights[i], *deltas) : 0;
    }
}

void anne_backward(const anne_trainer_t *self, float *target) {
    const float *weights = self->parameters + self->n_parameters;
    const anne_parts_f32_t *x = self->factors;
    anne_parts_f32_t *factors = self->factors;
    float *deltas = self->deltas[0], *below = self->deltas[1], *out = deltas - self->sizes[self->n_layers];
    target += self->n_parameters;
    for (uint32_t l = self->n_layers; l-- > 0;) {
        uint32_t n_in = self->sizes[l], n_out = self->sizes[l + 1];
        target -= n_out;
        if (!anne_take_apart_f32(deltas, n_out, factors)) {
            *target = NAN;
            return;
        }
        weights -= (n_in + 1) * n_out;
        target -= n_in * n_out;
        x -= n_in;
        if (l > 0) {
            out -= n_in;
            anne_activation_t activation = self->activations[l - 1];
            bool is_relu = activation == ANNE_ACTIVATION_relu;
            gradient_below(weights, n_in, deltas, factors, n_out, is_relu ? out : NULL, below);
            if (!is_relu) {
                anne_through_activation(activation, out, n_in, below);
            }
        }
        anne_add_outer_f32(target, factors, n_out, x, n_in, target + n_in * n_out);
        float *swap = deltas;
        deltas = below;
        below = swap;
    }
}
