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

#define LEAST      1e-7f // of a probability in a logarithm
#define ONE        0x3f800000
#define BITS_65536 0x47800000
#define LN2        0x1.62e43p-1f

// Adds a term as Kahan has it, so that a million rows lose no digits.
static void add(anne_loss_sum_t *loss, float term) {
    float corrected = anne_plus_f32(term, -loss->rest);
    float sum = anne_plus_f32(loss->sum, corrected);
    loss->rest = anne_plus_f32(anne_plus_f32(sum, -loss->sum), -corrected);
    loss->sum = sum;
}

static float total(const anne_loss_sum_t *loss) {
    float product = anne_float_of(anne_packed_f32(loss->product, 0));
    float logs = anne_plus_f32(anne_times_f32((float)loss->twos, LN2), anne_log_f32(product, 0));
    return anne_plus_f32(loss->sum, -anne_plus_f32(loss->rest, logs));
}

// Adds -ln(max(p, LEAST)); p is finite or a NaN.
static void add_minus_log(anne_loss_sum_t *loss, float p) {
    uint32_t bits = anne_bits_of(p);
    if (is_nan(p)) {
        add(loss, p);
        return;
    }
    bits = (int32_t)bits < (int32_t)anne_bits_of(LEAST) ? anne_bits_of(LEAST) : bits;
    loss->product = (uint32_t)anne_times_q31((int32_t)loss->product, leading_one(bits) >> 1);
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

// Adds -share ln(max(p, LEAST)).
static void add_share(anne_loss_sum_t *loss, float share, float p) {
    anne_loss_sum_t one = ANNE_NO_LOSS;
    add_minus_log(&one, p);
    add(loss, anne_times_f32(share, total(&one)));
}

// Adds the loss of an output o. Comparisons are by bits, as those of floats are calls.
static void add_output(anne_loss_sum_t *loss, anne_loss_t kind, float o, float target, float difference) {
    uint32_t bits = anne_bits_of(target);
    if (kind == ANNE_LOSS_mse) {
        add(loss, anne_times_f32(difference, difference));
    } else if (bits == ONE) {
        add_minus_log(loss, o);
    } else if (bits != 0) {
        add_share(loss, target, o);
        if (kind == ANNE_LOSS_binary_cross_entropy) {
            add_share(loss, anne_plus_f32(1, -target), anne_plus_f32(1, -o));
        }
    } else if (kind == ANNE_LOSS_binary_cross_entropy) {
        add_minus_log(loss, anne_plus_f32(1, -o));
    }
}

// The number y of a class, by its bits; of what is none, NaN say, a number beyond all.
static uint32_t class_of(float y) {
    uint32_t bits = anne_bits_of(y);
    if (bits < ONE) {
        return 0;
    }
    return bits < BITS_65536 ? leading_one(bits) >> (158 - (bits >> 23)) : UINT32_MAX;
}

void anne_loss_add(anne_loss_sum_t *loss, const anne_trainer_t *trainer, const float *outputs, const float *y,
                   float scale, float *deltas) {
    uint32_t n_out = trainer->sizes[trainer->n_layers];
    bool is_class = trainer->n_targets != n_out;
    uint32_t number = is_class ? class_of(*y) : 0;
    anne_loss_t kind = trainer->loss;
    scale = kind == ANNE_LOSS_mse ? anne_plus_f32(scale, scale) : scale;
    for (uint32_t k = 0; k < n_out; k++) {
        float o = outputs[k], difference = o, target = !is_class ? y[k] : k == number ? 1 : 0;
        if (anne_bits_of(target) != 0) {
            difference = anne_plus_f32(o, -target);
        }
        add_output(loss, kind, o, target, difference);
        deltas[k] = anne_times_f32(scale, difference);
    }
    if (kind == ANNE_LOSS_mse) {
        anne_through_activation(trainer->activations[trainer->n_layers - 1], outputs, n_out, deltas);
    }
}

float anne_loss_terms(const anne_trainer_t *trainer, uint32_t n_rows) {
    uint32_t n_out = trainer->sizes[trainer->n_layers];
    float n = (float)n_rows;
    return trainer->loss == ANNE_LOSS_categorical_cross_entropy ? n : anne_times_f32(n, (float)n_out);
}

float anne_loss_mean(const anne_loss_sum_t *loss, const anne_trainer_t *trainer, uint32_t n_rows) {
    return anne_quotient_f32(total(loss), anne_loss_terms(trainer, n_rows));
}

// By bits: a NaN may count as above 0, or not.
static float through(anne_activation_t activation, float o, float d) {
    switch (activation) {
    case ANNE_ACTIVATION_sigmoid:
        return anne_times_f32(d, anne_times_f32(o, anne_plus_f32(1, -o)));
    case ANNE_ACTIVATION_tanh:
        return anne_times_f32(d, anne_plus_f32(1, -anne_times_f32(o, o)));
    case ANNE_ACTIVATION_relu:
        return (int32_t)anne_bits_of(o) > 0 ? d : 0;
    case ANNE_ACTIVATION_leaky_relu:
        return (int32_t)anne_bits_of(o) > 0 ? d : anne_times_f32(d, 0.01f);
    default: // linear
        return d;
    }
}

void anne_through_activation(anne_activation_t activation, const float *outputs, uint32_t n, float *deltas) {
    float mean = 0;
    if (activation == ANNE_ACTIVATION_softmax) { // o_k (d_k - sum of o_i d_i)
        for (uint32_t k = 0; k < n; k++) {
            mean = anne_plus_f32(mean, anne_times_f32(outputs[k], deltas[k]));
        }
        for (uint32_t k = 0; k < n; k++) {
            deltas[k] = anne_times_f32(outputs[k], anne_plus_f32(deltas[k], -mean));
        }
        return;
    }
    for (uint32_t k = 0; k < n; k++) {
        deltas[k] = through(activation, outputs[k], deltas[k]);
    }
}
