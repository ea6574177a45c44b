// Every activation against its definition in double, over floats of all sizes, within the bounds of DESIGN.md.
#include <math.h>
#include <stdbool.h>

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
    case ANNE_ACTIVATION_log_softmax: // of one value
        return 0;
    case ANNE_ACTIVATION_exp:
        return exp(v);
    case ANNE_ACTIVATION_log:
        return log(v);
    case ANNE_ACTIVATION_sqrt:
        return sqrt(v);
    case ANNE_ACTIVATION_rsqrt:
        return 1 / sqrt(v);
    case ANNE_ACTIVATION_abs:
        return fabs(v);
    case ANNE_ACTIVATION_negative:
        return -v;
    case ANNE_ACTIVATION_square:
        return v * v;
    default: // softmax of one value
        return 1;
    }
}

static float activated(anne_activation_t activation, float alpha, float v) {
    anne_activate_f32(activation, alpha, &v, 1);
    return v;
}

// DESIGN.md, "Numbers": relative to the true value, as measured over all floats. Below the normal floats, 1.2e-38,
// there is only 0, here and in the share that swish and gelu multiply v by.
static const double bounds[ANNE_ACTIVATION_COUNT] = {
    [ANNE_ACTIVATION_leaky_relu] = 2e-7,   [ANNE_ACTIVATION_elu] = 5e-7,        [ANNE_ACTIVATION_sigmoid] = 5e-7,
    [ANNE_ACTIVATION_hard_sigmoid] = 2e-7, [ANNE_ACTIVATION_tanh] = 5e-7,       [ANNE_ACTIVATION_softplus] = 5e-7,
    [ANNE_ACTIVATION_swish] = 5e-7,        [ANNE_ACTIVATION_hard_swish] = 2e-7, [ANNE_ACTIVATION_gelu] = 6e-7,
    [ANNE_ACTIVATION_exp] = 5e-7,          [ANNE_ACTIVATION_log] = 2e-7,        [ANNE_ACTIVATION_sqrt] = 6e-8,
    [ANNE_ACTIVATION_rsqrt] = 2e-7,        [ANNE_ACTIVATION_square] = 6e-8,
};

static void check(anne_activation_t activation, float v) {
    const float alpha = 0.3f;
    bool counts_as_0 = activation >= ANNE_ACTIVATION_log && activation <= ANNE_ACTIVATION_rsqrt && fabsf(v) < 0x1p-126f;
    double expected = exact(activation, alpha, counts_as_0 ? copysign(0, v) : v);
    double bound = bounds[activation] * fabs(expected) + 1.2e-38 * fmax(1, fabs(v));
    float got = activated(activation, alpha, v);
    if (isnan(expected) || fabs(expected) > 0x1.ffffffp127) { // outside the domain, or beyond the floats
        CHECK(isnan(expected) ? isnan(got) : got == copysignf(INFINITY, (float)expected), "activation %d of %.9g: %.9g",
              activation, v, got);
        return;
    }
    CHECK(activation != ANNE_ACTIVATION_sqrt || got == sqrtf((float)(counts_as_0 ? 0 : v)), "sqrt %.9g: %.9g", v, got);
    CHECK(fabs(got - expected) <= bound, "activation %d of %.9g: %.9g, expected %.9g", activation, v, got, expected);
}

static void check_both_signs(uint32_t bits) {
    float v;
    memcpy(&v, &bits, sizeof v);
    for (anne_activation_t a = 0; a < ANNE_ACTIVATION_COUNT; a++) {
        check(a, v);
        check(a, -v);
    }
}

// Where floats end, and where the functions bend or the code takes another way, three floats to either side.
static void check_edges(void) {
    static const float edges[] = {
        0x1p-149f,   0x1p-126f,   0x1p-25f, 0x1p-8f, 0.125f,     0.25f,        0.5f,   1,
        3,           6,           10,       13,      16,         20,           87.33f, 3.4028233e38f,
        0.70710678f, 1.41421356f, 2,        4,       88.722832f, 1.8446743e19f};
    for (size_t i = 0; i < sizeof edges / sizeof edges[0]; i++) {
        uint32_t bits;
        memcpy(&bits, &edges[i], sizeof bits);
        for (uint32_t b = bits < 3 ? 0 : bits - 3; b <= bits + 3 && b < 0x7f800000; b++) {
            check_both_signs(b);
        }
    }
}

static void check_specials(void) {
    static const double at_minus_infinity[] = {-INFINITY, 0, 0, -INFINITY, -0.3f, 0, 0, -1, 0, 0, 0, 0};
    static const double at_infinity[] = {INFINITY, INFINITY, 6,        INFINITY, INFINITY, 1,
                                         1,        1,        INFINITY, INFINITY, INFINITY, INFINITY};
    for (anne_activation_t a = 0; a < ANNE_ACTIVATION_softmax; a++) {
        CHECK(activated(a, 0.3f, -INFINITY) == at_minus_infinity[a], "activation %d of -inf", a);
        CHECK(activated(a, 0.3f, INFINITY) == at_infinity[a], "activation %d of inf", a);
    }
    // as NumPy has them
    static const double of_minus_infinity[] = {0, NAN, NAN, NAN, INFINITY, INFINITY, INFINITY};
    static const double of_infinity[] = {INFINITY, INFINITY, INFINITY, 0, INFINITY, -INFINITY, INFINITY};
    static const double of_minus_zero[] = {1, -INFINITY, -0.0, -INFINITY, 0, 0, 0};
    for (uint32_t i = 0; i <= ANNE_ACTIVATION_square - ANNE_ACTIVATION_exp; i++) {
        anne_activation_t a = ANNE_ACTIVATION_exp + i;
        CHECK(isnan(of_minus_infinity[i]) ? isnan(activated(a, 0, -INFINITY))
                                          : activated(a, 0, -INFINITY) == of_minus_infinity[i],
              "activation %d of -inf", a);
        CHECK(activated(a, 0, INFINITY) == of_infinity[i], "activation %d of inf", a);
        CHECK(activated(a, 0, -0.0f) == of_minus_zero[i]
                  && !signbit(activated(a, 0, -0.0f)) == !signbit(of_minus_zero[i]),
              "activation %d of -0", a);
    }
    for (anne_activation_t a = 0; a < ANNE_ACTIVATION_COUNT; a++) {
        CHECK(isnan(activated(a, 0.3f, NAN)) && isnan(activated(a, 0.3f, -NAN)), "activation %d of NaN", a);
        anne_activate_f32(a, 0.3f, NULL, 0); // nothing to do
    }
}

// What the logarithms are off by, besides: 2^-26 of the sum's, and a rounding of the result.
static void check_log_softmax(const float *values, uint32_t n, float spread) {
    float *results = exactly(n * 4);
    memcpy(results, values, n * 4);
    double sum = 0, greatest = -INFINITY;
    for (uint32_t i = 0; i < n; i++) {
        greatest = fmax(values[i], greatest);
    }
    for (uint32_t i = 0; i < n; i++) {
        sum += exp(values[i] - greatest);
    }
    anne_activate_f32(ANNE_ACTIVATION_log_softmax, 0, results, n);
    for (uint32_t i = 0; i < n; i++) {
        double expected = values[i] - greatest - log(sum);
        double bound = 3e-7 + n * 0x1p-31 + 2 * spread * 0x1p-24 + fabs(expected) * 0x1p-23;
        CHECK(fabs(results[i] - expected) <= bound, "log_softmax of %u: %.9g, expected %.9g", n, results[i], expected);
    }
    free(results);
}

static void check_softmax(const float *values, uint32_t n, float spread) {
    float *results = exactly(n * 4);
    double sum = 0, greatest = -INFINITY;
    for (uint32_t i = 0; i < n; i++) {
        results[i] = values[i];
        greatest = fmax(values[i], greatest);
    }
    for (uint32_t i = 0; i < n; i++) {
        sum += exp(values[i] - greatest);
    }
    anne_activate_f32(ANNE_ACTIVATION_softmax, 0, results, n);
    for (uint32_t i = 0; i < n; i++) {
        // a difference of two floats up to `spread` is off by 2^-24 of it, and so is e^ of it, relative
        double expected = exp(values[i] - greatest) / sum;
        double bound = (5e-7 + n * 0x1p-31 + 2 * spread * 0x1p-24) * expected + 1.2e-38;
        CHECK(fabs(results[i] - expected) <= bound, "softmax of %u: %.9g, expected %.9g", n, results[i], expected);
    }
    free(results);
}

static void check_softmax_of_any(uint32_t n, float spread) {
    float *values = exactly(n * 4);
    for (uint32_t i = 0; i < n; i++) {
        values[i] = spread * (float)any_of(-1000000, 1000000) / 1e6f;
    }
    check_softmax(values, n, spread);
    check_log_softmax(values, n, spread);
    free(values);
}

// One term of 1 and many that the sum takes for 0: e^-21.5 is just below 2^-31.
static void check_softmax_of_little(uint32_t n) {
    float *values = exactly(n * 4);
    for (uint32_t i = 0; i < n; i++) {
        values[i] = i == n / 2 ? 0 : -21.5f;
    }
    check_softmax(values, n, 0);
    check_log_softmax(values, n, 0);
    free(values);
}

// The least normal float: what rounds to it is not lost, what is half of it is 0, a denormal may come out as it is.
static void check_least(void) {
    const float least = 0x1p-126f, below = 0x1.fffffcp-127f;
    CHECK(activated(ANNE_ACTIVATION_tanh, 0, least) == least && activated(ANNE_ACTIVATION_tanh, 0, -least) == -least,
          "tanh %g", activated(ANNE_ACTIVATION_tanh, 0, least));
    CHECK(activated(ANNE_ACTIVATION_elu, 1, -least) == -least && activated(ANNE_ACTIVATION_elu, 0.5f, -least) == 0,
          "elu %g", activated(ANNE_ACTIVATION_elu, 1, -least));
    CHECK(activated(ANNE_ACTIVATION_tanh, 0, below) == below && activated(ANNE_ACTIVATION_elu, 1, -below) == -below,
          "of a denormal");
    CHECK(activated(ANNE_ACTIVATION_gelu, 0, 2.1f * least) >= least && activated(ANNE_ACTIVATION_gelu, 0, least) == 0,
          "gelu %g", activated(ANNE_ACTIVATION_gelu, 0, 2.1f * least));
    CHECK(activated(ANNE_ACTIVATION_swish, 0, 2 * least) == least && activated(ANNE_ACTIVATION_swish, 0, least) == 0
              && activated(ANNE_ACTIVATION_hard_swish, 0, least) == 0,
          "swish %g", activated(ANNE_ACTIVATION_swish, 0, least));
    CHECK(activated(ANNE_ACTIVATION_leaky_relu, 0.5f, -2 * least) == -least
              && activated(ANNE_ACTIVATION_leaky_relu, 0.5f, -least) == 0
              && activated(ANNE_ACTIVATION_leaky_relu, 0x1p100f, -below) == 0,
          "leaky_relu %g", activated(ANNE_ACTIVATION_leaky_relu, 0.5f, -least));
    float shares[] = {0, 0, 0, 0, -87}; // e^-87 / 4 = 4e-39
    anne_activate_f32(ANNE_ACTIVATION_softmax, 0, shares, 5);
    CHECK(shares[0] == 0.25f && shares[4] == 0, "softmax %g", shares[4]);
}

int main(void) {
    for (uint32_t bits = 0; bits < 0x7f800000; bits += 4099) { // all exponents, some 2,000 mantissas each
        check_both_signs(bits);
    }
    for (int32_t i = -100000; i <= 100000; i++) { // where the curves bend
        for (anne_activation_t a = 0; a < ANNE_ACTIVATION_COUNT; a++) {
            check(a, (float)i * 1e-3f + 1e-5f);
        }
    }
    check_edges();
    check_specials();
    check_least();
    for (uint32_t n = 1; n <= 40; n++) {
        check_softmax_of_any(n, 10);
        check_softmax_of_any(n, 200);
    }
    check_softmax_of_any(1000, 5);
    check_softmax_of_little(1000);
    return 0;
}
