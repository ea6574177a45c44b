// Training: gradients against central differences, trajectories against the optimisers' equations in double, and what
// is refused, stopped or diverges.
#include "train_nets.h"

static const anne_activation_t hidden[] = {ANNE_ACTIVATION_linear, ANNE_ACTIVATION_relu, ANNE_ACTIVATION_leaky_relu,
                                           ANNE_ACTIVATION_sigmoid, ANNE_ACTIVATION_tanh};

// Targets that the loss may have: mse any, others shares; of a class its number.
static void fill_targets(const anne_trainer_t *t, float *y, uint32_t n_rows) {
    for (uint32_t i = 0; i < n_rows; i++, y += t->n_targets) {
        uint32_t n_out = t->sizes[t->n_layers], number = (uint32_t)any_of(0, (int32_t)n_out - 1);
        bool is_soft = i % 3 == 0;
        for (uint32_t k = 0; k < t->n_targets; k++) {
            if (t->n_targets != n_out) {
                y[k] = (float)number;
            } else if (t->loss == ANNE_LOSS_mse) {
                y[k] = any_float();
            } else if (t->loss == ANNE_LOSS_binary_cross_entropy) {
                y[k] = is_soft ? 0.25f : (float)any_of(0, 1);
            } else {
                y[k] = is_soft ? 1.0f / (float)n_out : k == number ? 1 : 0;
            }
        }
    }
}

// The settings of a network of two layers, or three for more than 4 outputs.
static anne_trainer_t network(anne_activation_t first, anne_activation_t last, anne_loss_t loss, uint32_t n_out) {
    anne_trainer_t t = {.n_layers = 2, .sizes = {4, 5, n_out}, .activations = {first, last}, .loss = loss, .lr = 0.1f};
    if (n_out > 4) {
        t = (anne_trainer_t){
            .n_layers = 3, .sizes = {4, 6, 5, n_out}, .activations = {first, first, last}, .loss = loss, .lr = 0.1f};
    }
    return t;
}

static void as_doubles(const anne_trainer_t *t, double *parameters) {
    for (uint32_t i = 0; i < anne_trainer_parameters(t); i++) {
        parameters[i] = (double)t->parameters[i];
    }
}

static double greatest(const double *x, uint32_t n) {
    double most = 0;
    for (uint32_t i = 0; i < n; i++) {
        most = fabs(x[i]) > most ? fabs(x[i]) : most;
    }
    return most;
}

// The gradient of 7 rows as one batch, and of one row as a step of SGD: both within 1e-5 of the greatest.
static void check_gradients(anne_trainer_t t, const char *name) {
    enum { N_ROWS = 7 };
    float x[N_ROWS * 4], y[N_ROWS * 6], loss;
    double parameters[MOST_PARAMETERS], expected[MOST_PARAMETERS];
    t.batch = N_ROWS;
    start(&t);
    uint32_t n = anne_trainer_parameters(&t);
    fill_any(x, N_ROWS * 4);
    fill_targets(&t, y, N_ROWS);
    as_doubles(&t, parameters);
    differences(&t, parameters, x, y, N_ROWS, expected);
    double bound = 1e-5 * greatest(expected, n), wanted = mean_loss(&t, parameters, x, y, N_ROWS);
    double mean = 0;
    for (uint32_t i = 0; i < N_ROWS; i++) {
        float out[6];
        mean += (double)anne_trainer_predict(&t, x + 4 * i, out, y + t.n_targets * i) / N_ROWS;
    }
    CHECK(fabs(mean - wanted) <= 1e-6 * wanted, "%s: loss %.8g, expected %.8g", name, mean, wanted);
    CHECK(anne_trainer_epoch(&t, x, y, NULL, N_ROWS, NULL, NULL, &loss), "%s: whole", name);
    CHECK(fabs((double)loss - wanted) <= 1e-6 * wanted, "%s: loss %.8g, expected %.8g", name, loss, wanted);
    for (uint32_t i = 0; i < n; i++) {
        CHECK(fabs((double)t.gradients[i] - expected[i]) <= bound, "%s: gradient %u is %.8g, expected %.8g", name, i,
              t.gradients[i], expected[i]);
    }
    end(&t);
    t.batch = 1;
    start(&t);
    CHECK(t.gradients == NULL, "none for online SGD");
    as_doubles(&t, parameters);
    differences(&t, parameters, x, y, 1, expected);
    anne_trainer_epoch(&t, x, y, NULL, 1, NULL, NULL, &loss);
    for (uint32_t i = 0; i < n; i++) {
        double w = parameters[i] - 0.1 * expected[i];
        CHECK(fabs((double)t.parameters[i] - w) <= 1e-6, "%s: weight %u is %.8g, expected %.8g", name, i,
              t.parameters[i], w);
    }
    end(&t);
}

static void check_all_gradients(void) {
    char name[64];
    for (uint32_t first = 0; first < 5; first++) {
        for (uint32_t n_out = 1; n_out <= 6; n_out++) {
            for (uint32_t last = 0; last < 6; last++) {
                anne_activation_t activation = last < 5 ? hidden[last] : ANNE_ACTIVATION_softmax;
                snprintf(name, sizeof name, "hidden %u, last %u, %u outputs", first, last, n_out);
                check_gradients(network(hidden[first], activation, ANNE_LOSS_mse, n_out), name);
            }
            snprintf(name, sizeof name, "cross-entropies, hidden %u, %u outputs", first, n_out);
            check_gradients(network(hidden[first], ANNE_ACTIVATION_sigmoid, ANNE_LOSS_binary_cross_entropy, n_out),
                            name);
            anne_trainer_t t =
                network(hidden[first], ANNE_ACTIVATION_softmax, ANNE_LOSS_categorical_cross_entropy, n_out);
            check_gradients(t, name);
            t.n_targets = 1;
            check_gradients(t, name);
        }
    }
}

typedef struct {
    double g[MOST_PARAMETERS], v[MOST_PARAMETERS], m[MOST_PARAMETERS], w[MOST_PARAMETERS];
    int step;
} optimizer_t;

// A step as the equations in trainer.h have it.
static void step(const anne_trainer_t *t, optimizer_t *o) {
    o->step++;
    for (uint32_t i = 0; i < anne_trainer_parameters(t); i++) {
        double g = o->g[i] + (double)t->decay * o->w[i];
        if (t->optimizer == ANNE_OPTIMIZER_sgd) {
            o->v[i] = (double)t->momentum * o->v[i] + g;
            o->w[i] -= (double)t->lr * o->v[i];
        } else {
            o->m[i] = 0.9 * o->m[i] + 0.1 * g;
            o->v[i] = 0.999 * o->v[i] + 0.001 * g * g;
            double mean = o->m[i] / (1 - pow(0.9, o->step)), square = o->v[i] / (1 - pow(0.999, o->step));
            o->w[i] -= (double)t->lr * mean / (sqrt(square) + 1e-8);
        }
    }
}

// 10 epochs of 11 rows, in any order, the last batch of which is not whole.
static void check_trajectory(anne_trainer_t t, const char *name) {
    enum { N_ROWS = 11 };
    static optimizer_t o;
    float x[N_ROWS * 4], y[N_ROWS * 6];
    uint16_t order[N_ROWS];
    o = (optimizer_t){.step = 0};
    start(&t);
    fill_any(x, N_ROWS * 4);
    fill_targets(&t, y, N_ROWS);
    as_doubles(&t, o.w);
    for (uint16_t i = 0; i < N_ROWS; i++) {
        order[i] = i;
    }
    for (int epoch = 0; epoch < 10; epoch++) {
        float loss;
        double expected = 0;
        anne_trainer_epoch(&t, x, y, order, N_ROWS, NULL, NULL, &loss);
        for (uint32_t first = 0, n; first < N_ROWS; first += n) {
            float some_x[N_ROWS * 4], some_y[N_ROWS * 6];
            n = N_ROWS - first < t.batch ? N_ROWS - first : t.batch;
            for (uint32_t i = 0; i < n; i++) {
                memcpy(some_x + i * 4, x + order[first + i] * 4, 16);
                memcpy(some_y + i * t.n_targets, y + order[first + i] * t.n_targets, 4 * t.n_targets);
            }
            expected += mean_loss(&t, o.w, some_x, some_y, n) * n / N_ROWS;
            differences(&t, o.w, some_x, some_y, n, o.g);
            step(&t, &o);
        }
        CHECK(fabs((double)loss - expected) <= 2e-5, "%s, epoch %d: loss %.8g, expected %.8g", name, epoch, loss,
              expected);
    }
    for (uint32_t i = 0; i < anne_trainer_parameters(&t); i++) {
        CHECK(fabs((double)t.parameters[i] - o.w[i]) <= 2e-5, "%s: weight %u is %.8g, expected %.8g", name, i,
              t.parameters[i], o.w[i]);
    }
    end(&t);
}

static void check_optimizers(void) {
    for (uint32_t batch = 1; batch <= 11; batch += 3) {
        anne_trainer_t t =
            network(ANNE_ACTIVATION_tanh, ANNE_ACTIVATION_softmax, ANNE_LOSS_categorical_cross_entropy, 3);
        t.batch = batch;
        t.random = batch;
        check_trajectory(t, "sgd");
        t.decay = 0.01f;
        check_trajectory(t, "sgd, decay");
        t.momentum = 0.9f;
        check_trajectory(t, "sgd, momentum, decay");
        t.decay = 0;
        check_trajectory(t, "sgd, momentum");
        t.optimizer = ANNE_OPTIMIZER_adam;
        t.lr = 0.01f;
        check_trajectory(t, "adam");
        t.decay = 0.01f;
        check_trajectory(t, "adam, decay");
        t.loss = ANNE_LOSS_mse;
        check_trajectory(t, "adam, decay, mse");
    }
}

// Settings that are refused, each by one field of a network that is not.
static void check_refused(void) {
    anne_trainer_t t = network(ANNE_ACTIVATION_relu, ANNE_ACTIVATION_softmax, ANNE_LOSS_categorical_cross_entropy, 3);
    t.batch = 1;
    t.n_targets = 3;
    CHECK(anne_trainer_valid(&t), "as it is");
#define REFUSED(field, value)                                  \
    do {                                                       \
        anne_trainer_t wrong = t;                              \
        wrong.field = (value);                                 \
        CHECK(!anne_trainer_valid(&wrong), #field " " #value); \
    } while (0)
    REFUSED(n_layers, 0);
    REFUSED(n_layers, 9);
    REFUSED(n_layers, UINT32_MAX);
    REFUSED(sizes[0], 0);
    REFUSED(sizes[1], 0);
    REFUSED(sizes[2], 0);
    REFUSED(sizes[0], 65536);
    REFUSED(sizes[1], UINT32_MAX);
    REFUSED(activations[0], ANNE_ACTIVATION_softmax);
    REFUSED(activations[0], ANNE_ACTIVATION_gelu);
    REFUSED(activations[0], ANNE_ACTIVATION_COUNT);
    REFUSED(activations[1], ANNE_ACTIVATION_sigmoid);
    REFUSED(activations[1], ANNE_ACTIVATION_log_softmax);
    REFUSED(loss, ANNE_LOSS_binary_cross_entropy);
    REFUSED(loss, ANNE_LOSS_COUNT);
    REFUSED(optimizer, ANNE_OPTIMIZER_COUNT);
    REFUSED(batch, 0);
    REFUSED(batch, 65536);
    REFUSED(n_targets, 0);
    REFUSED(n_targets, 2);
    REFUSED(n_targets, 4);
    t.loss = ANNE_LOSS_mse;
    CHECK(anne_trainer_valid(&t), "mse behind softmax");
    REFUSED(n_targets, 1);
    t.sizes[0] = t.sizes[1] = 65535;
    CHECK(!anne_trainer_valid(&t), "more parameters than memory has words");
}

static bool at_third(void *context) {
    return ++*(int *)context == 3;
}

// stop ends a pass after whole steps: 4 rows as a batch leave everything as it was, single rows have learnt.
static void check_stop(void) {
    anne_trainer_t t = network(ANNE_ACTIVATION_relu, ANNE_ACTIVATION_linear, ANNE_LOSS_mse, 2);
    float x[200 * 4], y[200 * 2], loss = -1, before[MOST_PARAMETERS];
    int asked = 0;
    t.batch = 200;
    start(&t);
    fill_any(x, 200 * 4);
    fill_any(y, 200 * 2);
    uint32_t n_bytes = 4 * anne_trainer_parameters(&t);
    memcpy(before, t.parameters, n_bytes);
    CHECK(!anne_trainer_epoch(&t, x, y, NULL, 200, at_third, &asked, &loss) && loss == -1, "stopped");
    CHECK(memcmp(before, t.parameters, n_bytes) == 0, "no whole batch");
    end(&t);
    t.batch = 1;
    start(&t);
    memcpy(before, t.parameters, n_bytes);
    CHECK(!anne_trainer_epoch(&t, x, y, NULL, 200, at_third, (asked = 0, &asked), &loss) && loss == -1, "stopped");
    CHECK(memcmp(before, t.parameters, n_bytes) != 0, "single rows");
    end(&t);
}

// The generator, by its definition, and what it makes of an order.
static void check_shuffle(void) {
    anne_trainer_t t = network(ANNE_ACTIVATION_relu, ANNE_ACTIVATION_linear, ANNE_LOSS_mse, 2);
    float x[9 * 4] = {0}, y[9 * 2] = {0}, loss;
    uint16_t order[9], expected[9];
    uint32_t state = 12345;
    t.random = state;
    for (uint16_t i = 0; i < 9; i++) {
        order[i] = expected[i] = i;
    }
    start(&t);
    for (uint32_t i = 8; i > 0; i--) {
        state = (uint32_t)((1664525ull * state + 1013904223ull) % 4294967296ull);
        uint32_t j = (uint32_t)(((uint64_t)(state >> 16) * (i + 1)) >> 16);
        uint16_t swap = expected[i];
        expected[i] = expected[j];
        expected[j] = swap;
    }
    anne_trainer_epoch(&t, x, y, order, 9, NULL, NULL, &loss);
    CHECK(memcmp(order, expected, sizeof order) == 0 && t.random == state, "the order");
    order[0] = 60000; // what an interrupt may write there
    CHECK(anne_trainer_epoch(&t, x, y, order, 9, NULL, NULL, &loss), "no row of that number");
    end(&t);
}

// Of 300 classes each has its own loss; what is no class has none, and its outputs are lowered.
static void check_classes(void) {
    anne_trainer_t t = {.n_layers = 1,
                        .sizes = {1, 300},
                        .activations = {ANNE_ACTIVATION_softmax},
                        .loss = ANNE_LOSS_categorical_cross_entropy,
                        .n_targets = 1};
    float one = 1, share[300], out[300];
    start(&t);
    anne_trainer_predict(&t, &one, share, NULL);
    for (uint32_t k = 0; k < 300; k++) {
        float y = (float)k;
        float loss = anne_trainer_predict(&t, &one, out, &y);
        CHECK(fabs((double)loss + log((double)share[k])) <= 1e-6, "class %u: %g, of %g", k, loss, share[k]);
    }
    const float none[] = {300, 65536, 1e30f, -1, INFINITY, NAN};
    for (size_t i = 0; i < sizeof none / sizeof *none; i++) {
        float loss = anne_trainer_predict(&t, &one, out, none + i);
        CHECK(loss == 0, "no class %g: %g", none[i], loss);
    }
    end(&t);
}

// Steps far too large, and data that are not finite: the loss tells, and nothing is undefined.
static void check_divergence(void) {
    for (uint32_t optimizer = 0; optimizer < ANNE_OPTIMIZER_COUNT; optimizer++) {
        for (uint32_t batch = 1; batch <= 3; batch++) {
            for (int bad = 0; bad < 4; bad++) {
                anne_trainer_t t = network(ANNE_ACTIVATION_tanh, ANNE_ACTIVATION_linear, ANNE_LOSS_mse, 2);
                float x[5 * 4], y[5 * 2], loss = 0;
                t.optimizer = (anne_optimizer_t)optimizer;
                t.batch = batch;
                t.lr = bad == 0 ? 1e30f : 0.1f;
                start(&t);
                fill_any(x, 5 * 4);
                fill_any(y, 5 * 2);
                x[6] = bad == 1 ? NAN : x[6];
                y[3] = bad == 2 ? INFINITY : y[3];
                t.parameters[2] = bad == 3 ? -INFINITY : t.parameters[2];
                for (int epoch = 0; epoch < 4 && isfinite(loss); epoch++) {
                    anne_trainer_epoch(&t, x, y, NULL, 5, NULL, NULL, &loss);
                }
                CHECK(!isfinite(loss), "optimizer %u, batch %u, %d: %g", optimizer, batch, bad, loss);
                end(&t);
            }
        }
    }
}

int main(void) {
    check_all_gradients();
    check_optimizers();
    check_refused();
    check_stop();
    check_shuffle();
    check_classes();
    check_divergence();
    return 0;
}
