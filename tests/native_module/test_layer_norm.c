// Layer norms against the formula in 64 bits, rows of all sizes; where the greatest stands, against a loop.
#include <math.h>

#include "kernel_test.h"
#include "kernels/arg_max.h"
#include "kernels/layer_norm.h"

#define MOST 4096

static void check_norm(uint32_t n, float middle, float spread, float epsilon) {
    static float x[MOST], gamma[MOST], beta[MOST], y[MOST];
    double mean = 0, variance = 0, largest = 0;
    for (uint32_t i = 0; i < n; i++) {
        x[i] = middle + spread * (float)any_of(-1000000, 1000000) / 1e6f;
        gamma[i] = (float)any_of(-1000, 1000) / 500, beta[i] = (float)any_of(-1000, 1000) / 500;
        mean += (double)x[i] / n;
    }
    for (uint32_t i = 0; i < n; i++) {
        variance += (x[i] - mean) * (x[i] - mean) / n;
    }
    double inverse = 1 / sqrt(variance + epsilon);
    anne_layer_norm_f32(x, n, gamma, beta, epsilon, y);
    for (uint32_t i = 0; i < n; i++) {
        largest = fmax(largest, fabs((x[i] - mean) * inverse * gamma[i]) + fabs(beta[i]));
    }
    for (uint32_t i = 0; i < n; i++) {
        double expected = (x[i] - mean) * inverse * gamma[i] + beta[i];
        CHECK(fabs(y[i] - expected) <= 1e-6 * largest, "%u of %u around %g +- %g: %g, not %g", i, n, middle, spread,
              y[i], expected);
    }
    anne_layer_norm_f32(x, n, gamma, beta, epsilon, x); // in place
    CHECK(memcmp(x, y, n * sizeof *x) == 0, "in place");
}

static void check_specials(void) {
    static const float ones[4] = {1, 1, 1, 1}, zeros[4] = {0};
    static const struct {
        float x[4], y[4];
    } rows[] = {
        {{1, 2, NAN, 4}, {NAN, NAN, NAN, NAN}},
        {{1, INFINITY, 3, 4}, {NAN, NAN, NAN, NAN}},
        {{3e38f, -3e38f, -3e38f, -3e38f}, {NAN, NAN, NAN, NAN}}, // 4.5e38 from the mean
        {{1e-40f, 0, -1e-40f, 0}, {0, 0, 0, 0}},                 // denormals
        {{7, 7, 7, 7}, {0, 0, 0, 0}},
    };
    for (uint32_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        float y[4];
        anne_layer_norm_f32(rows[i].x, 4, ones, zeros, 1e-5f, y);
        for (uint32_t k = 0; k < 4; k++) {
            CHECK(y[k] == rows[i].y[k] || (isnan(y[k]) && isnan(rows[i].y[k])), "row %u: %g", i, y[k]);
        }
    }
}

static void check_arg_max(void) {
    static float xf[MOST];
    static int8_t x8[MOST];
    static int16_t x16[MOST];
    uint32_t n = (uint32_t)any_of(1, 40), expected = 0;
    for (uint32_t i = 0; i < n; i++) {
        int32_t value = any_of(-4, 4);
        xf[i] = (float)value * 1e30f, x8[i] = (int8_t)(value * 32 - (value > 0)), x16[i] = (int16_t)(value * 8191);
        expected = x16[i] > x16[expected] ? i : expected;
    }
    CHECK(anne_arg_max_s8(x8, n) == expected && anne_arg_max_s16(x16, n) == expected
              && anne_arg_max_f32(xf, n) == expected,
          "%u of %u", expected, n);
    xf[n / 2] = -NAN; // the first of two
    xf[n - 1] = NAN;
    CHECK(anne_arg_max_f32(xf, n) == n / 2, "NaN at %u of %u: %u", n / 2, n, anne_arg_max_f32(xf, n));
}

int main(void) {
    static const float scales[] = {1, 1e-18f, 1e18f, 1e-3f};
    for (uint32_t i = 0; i < 4; i++) {
        for (uint32_t n = 1; n <= 70; n++) {
            check_norm(n, 0, scales[i], 1e-3f);
            check_norm(n, 100 * scales[i], scales[i], 1e-12f);
            check_norm(n, 0, scales[i], 0x1p-126f);
        }
        check_norm(MOST, scales[i], scales[i], 1e-5f);
    }
    check_specials();
    for (uint32_t i = 0; i < 2000; i++) {
        check_arg_max();
    }
    return 0;
}
