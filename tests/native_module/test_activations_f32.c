// Every activation against its definition in double, over floats of all sizes; and anne_exp_f32 within its bound.
#include <math.h>

#include "kernel_test.h"
#include "kernels/activations_f32.h"

static double relu6(double v) {
    return v < 0 ? 0 : v > 6 ? 6 : v;
}

// The definitions, as python_api/anne/reference.py has them.
static double exact(anne_activation_t activation, double alpha, double v) {
    switch (activation) {
    case ANNE_ACTIVATION_linear:
        return v;
    case ANNE_ACTIVATION_relu:
        return v < 0 ? 0 : v;
    case ANNE_ACTIVATION_relu6:
        return relu6(v);
    case ANNE_ACTIVATION_leaky_relu:
        return v < 0 ? alpha * v : v;
    case ANNE_ACTIVATION_elu:
        return v < 0 ? alpha * expm1(v) : v;
    case ANNE_ACTIVATION_sigmoid:
        return 1 / (1 + exp(-v));
    case ANNE_ACTIVATION_hard_sigmoid:
        return relu6(v + 3) / 6;
    case ANNE_ACTIVATION_tanh:
        return tanh(v);
    case ANNE_ACTIVATION_softplus:
        return (v > 0 ? v : 0) + log1p(exp(-fabs(v)));
    case ANNE_ACTIVATION_swish:
        return v / (1 + exp(-v));
    case ANNE_ACTIVATION_hard_swish:
        return v * relu6(v + 3) / 6;
    case ANNE_ACTIVATION_gelu:
        return v * 0.5 * erfc(-v * M_SQRT1_2);
    default: // softmax of one value
        return 1;
    }
}

static float activated(anne_activation_t activation, float alpha, float v) {
    anne_activate_f32(activation, alpha, &v, 1);
    return v;
}

// Within 1e-6 of the result, and within 1e-6 |v| for gelu, which is a small rest of 1 - 1 for negative v. Below the
// normal floats, 1.2e-38, there is only 0, here and in the sigmoid that swish multiplies by v.
static void check(anne_activation_t activation, float v) {
    const float alpha = 0.3f;
    double expected = exact(activation, alpha, v);
    double bound = 1e-6 * fabs(activation == ANNE_ACTIVATION_gelu ? v : expected) + 1.2e-38 * fmax(1, fabs(v));
    float got = activated(activation, alpha, v);
    CHECK(fabs(got - expected) <= bound, "activation %d of %.9g: %.9g, expected %.9g", activation, v, got, expected);
}

static void check_specials(void) {
    static const double at_minus_infinity[] = {-INFINITY, 0, 0, -INFINITY, -0.3f, 0, 0, -1, 0, 0, 0, 0};
    static const double at_infinity[] = {INFINITY, INFINITY, 6,        INFINITY, INFINITY, 1,
                                         1,        1,        INFINITY, INFINITY, INFINITY, INFINITY};
    for (anne_activation_t a = 0; a < ANNE_ACTIVATION_softmax; a++) {
        CHECK(activated(a, 0.3f, -INFINITY) == at_minus_infinity[a], "activation %d of -inf", a);
        CHECK(activated(a, 0.3f, INFINITY) == at_infinity[a], "activation %d of inf", a);
    }
    for (anne_activation_t a = 0; a < ANNE_ACTIVATION_COUNT; a++) {
        CHECK(isnan(activated(a, 0.3f, NAN)) && isnan(activated(a, 0.3f, -NAN)), "activation %d of NaN", a);
        anne_activate_f32(a, 0.3f, NULL, 0); // nothing to do
    }
}

static void check_exp(float v) {
    double expected = exp(v);
    float got = anne_exp_f32(v);
    if (v < -87.3366f) {
        CHECK(got == 0, "exp(%.9g): %.9g, expected 0", v, got);
    } else if (expected > 3.4028235e38) {
        CHECK(isinf(got), "exp(%.9g): %.9g, expected inf", v, got);
    } else {
        CHECK(fabs(got - expected) <= 3e-7 * expected, "exp(%.9g): %.9g, expected %.9g", v, got, expected);
    }
}

static void check_softmax(uint32_t n, float spread) {
    float *values = exactly(n * 4), *results = exactly(n * 4);
    double sum = 0, greatest = -INFINITY;
    for (uint32_t i = 0; i < n; i++) {
        results[i] = values[i] = spread * (float)any_of(-1000000, 1000000) / 1e6f;
        greatest = values[i] > greatest ? values[i] : greatest;
    }
    for (uint32_t i = 0; i < n; i++) {
        sum += exp(values[i] - greatest);
    }
    anne_activate_f32(ANNE_ACTIVATION_softmax, 0, results, n);
    for (uint32_t i = 0; i < n; i++) {
        // a difference of two floats up to `spread` is off by 2^-24 of it, and so is e^ of it, relative
        double expected = exp(values[i] - greatest) / sum, bound = (1e-6 + 2 * spread * 0x1p-24) * expected + 1e-37;
        CHECK(fabs(results[i] - expected) <= bound, "softmax of %u: %.9g, expected %.9g", n, results[i], expected);
    }
    free(values), free(results);
}

int main(void) {
    // all exponents, some 500 mantissas each, both signs
    for (uint32_t bits = 0; bits < 0x7f800000; bits += 16411) {
        float v;
        memcpy(&v, &bits, sizeof v);
        for (anne_activation_t a = 0; a < ANNE_ACTIVATION_COUNT; a++) {
            check(a, v);
            check(a, -v);
        }
        check_exp(v);
        check_exp(-v);
    }
    for (int32_t i = -100000; i <= 100000; i++) { // where the curves bend
        float v = (float)i * 1e-3f + 1e-5f;
        for (anne_activation_t a = 0; a < ANNE_ACTIVATION_COUNT; a++) {
            check(a, v);
        }
        check_exp(v);
    }
    check_specials();
    for (uint32_t n = 1; n <= 40; n++) {
        check_softmax(n, 10);
        check_softmax(n, 200);
    }
    check_softmax(1000, 5);
    return 0;
}
