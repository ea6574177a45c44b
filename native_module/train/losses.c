// Losses of rows, summed, and their gradients.
//
// Most targets are 0 or 1. The loss of such a one is -ln q, q its probability, so rows multiply their q, and the
// logarithm, 600 cycles, is taken once an epoch. A product is up to 2^-28 too small (q31.h), and so each of the losses
// by that too large, less than what rounding to floats adds.
#include "train/losses.h"

#include "kernels/arithmetic_f32.h"
#include "kernels/q31.h"
#include "kernels/quotient_f32.h"
#include "kernels/unary_f32.h"

#define LEAST 1e-7f // of a probability in a logarithm
#define ONE   0x3f800000
#define LN2   0x1.62e43p-1f

// Adds a term as Kahan has it, so that a million rows lose no digits.
static void add(anne_loss_sum_t *loss, float term) {
    float corrected = anne_plus_f32(term, -loss->rest);
    float sum = anne_plus_f32(loss->sum, corrected);
    loss->rest = anne_plus_f32(anne_plus_f32(sum, -loss->sum), -corrected);
    loss->sum = sum;
}

// Adds -share ln(max(p, LEAST)). By bits: comparisons of floats are calls. p is 0 to 1 or NaN, share finite.
static void add_log(anne_loss_sum_t *loss, float share, float p) {
    uint32_t bits = anne_bits_of(p), share_bits = anne_bits_of(share);
    if (bits << 1 > 0xff000000) {
        add(loss, p);
    } else if (share_bits << 1 != 0) {
        bits = bits < anne_bits_of(LEAST) || bits >> 31 ? anne_bits_of(LEAST) : bits;
        if (share_bits != ONE) {
            add(loss, -anne_times_f32(share, anne_log_f32(anne_float_of(bits), 0)));
            return;
        }
        loss->product = (uint32_t)times_inline((int32_t)loss->product, leading_one(bits) >> 1);
        loss->twos += (int32_t)(bits >> 23) - 126;
        if (loss->product >> 30 == 0) {
            loss->product <<= 1;
            loss->twos -= 1;
        }
        if (loss->twos < -0x1000000) { // long before they overflow
            add(loss, 0x1p24f * LN2);
            loss->twos += 0x1000000;
        }
    }
}

// The class that y names; none, the number of outputs, for what is no class.
static uint32_t class_of(const anne_trainer_t *trainer, float y) {
    uint32_t n_out = trainer->sizes[trainer->n_layers];
    return y >= 0 && y < (float)n_out ? (uint32_t)y : n_out;
}

static bool is_class(const anne_trainer_t *trainer) {
    return trainer->n_targets != trainer->sizes[trainer->n_layers];
}

void anne_loss_add(anne_loss_sum_t *loss, const anne_trainer_t *trainer, const float *outputs, const float *y) {
    uint32_t n_out = trainer->sizes[trainer->n_layers];
    if (is_class(trainer)) {
        uint32_t number = class_of(trainer, *y);
        add_log(loss, 1, number < n_out ? outputs[number] : 0);
        return;
    }
    for (uint32_t k = 0; k < n_out; k++) {
        if (trainer->loss == ANNE_LOSS_mse) {
            float difference = anne_plus_f32(outputs[k], -y[k]);
            add(loss, anne_times_f32(difference, difference));
            continue;
        }
        add_log(loss, y[k], outputs[k]);
        if (trainer->loss == ANNE_LOSS_binary_cross_entropy && anne_bits_of(y[k]) != ONE) {
            add_log(loss, anne_plus_f32(1, -y[k]), anne_plus_f32(1, -outputs[k]));
        }
    }
}

float anne_loss_mean(const anne_loss_sum_t *loss, const anne_trainer_t *trainer, uint32_t n_rows) {
    float product = anne_float_of(anne_packed_f32(loss->product, 0));
    float logs = anne_plus_f32(anne_times_f32((float)loss->twos, LN2), anne_log_f32(product, 0));
    float sum = anne_plus_f32(loss->sum, -anne_plus_f32(loss->rest, logs));
    float n = (float)n_rows;
    if (trainer->loss != ANNE_LOSS_categorical_cross_entropy) {
        n = anne_times_f32(n, (float)trainer->sizes[trainer->n_layers]);
    }
    return anne_quotient_f32(sum, n);
}

// By bits: o > 0 as o is not NaN, where it may be either.
static bool is_above_0(float o) {
    return (int32_t)anne_bits_of(o) > 0;
}

static float through(anne_activation_t activation, float o, float d) {
    if (activation == ANNE_ACTIVATION_tanh) {
        return anne_times_f32(d, anne_plus_f32(1, -anne_times_f32(o, o)));
    }
    if (activation == ANNE_ACTIVATION_sigmoid) {
        return anne_times_f32(d, anne_times_f32(o, anne_plus_f32(1, -o)));
    }
    return is_above_0(o) ? d : anne_times_f32(d, 0.01f);
}

void anne_through_activation(anne_activation_t activation, const float *outputs, uint32_t n, float *deltas) {
    float mean = 0;
    switch (activation) {
    case ANNE_ACTIVATION_linear:
        return;
    case ANNE_ACTIVATION_relu:
        for (uint32_t k = 0; k < n; k++) {
            if (!is_above_0(outputs[k])) {
                deltas[k] = 0;
            }
        }
        return;
    case ANNE_ACTIVATION_softmax: // o_k (d_k - sum of o_i d_i)
        for (uint32_t k = 0; k < n; k++) {
            mean = anne_plus_f32(mean, anne_times_f32(outputs[k], deltas[k]));
        }
        for (uint32_t k = 0; k < n; k++) {
            deltas[k] = anne_times_f32(outputs[k], anne_plus_f32(deltas[k], -mean));
        }
        return;
    default:
        for (uint32_t k = 0; k < n; k++) {
            deltas[k] = through(activation, outputs[k], deltas[k]);
        }
    }
}

void anne_loss_deltas(const anne_trainer_t *trainer, const float *outputs, const float *y, float scale, float *deltas) {
    uint32_t n_out = trainer->sizes[trainer->n_layers];
    uint32_t number = is_class(trainer) ? class_of(trainer, *y) : 0;
    bool is_mse = trainer->loss == ANNE_LOSS_mse;
    scale = is_mse ? anne_plus_f32(scale, scale) : scale;
    for (uint32_t k = 0; k < n_out; k++) {
        float target = !is_class(trainer) ? y[k] : k == number ? 1 : 0;
        deltas[k] = anne_times_f32(scale, anne_plus_f32(outputs[k], -target));
    }
    if (is_mse) {
        anne_through_activation(trainer->activations[trainer->n_layers - 1], outputs, n_out, deltas);
    }
}
