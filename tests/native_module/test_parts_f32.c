// Dot products and outer products of floats taken apart, and quotients, against long double within the stated bounds.
#include <float.h>
#include <math.h>

#include "kernel_test.h"
#include "kernels/parts_f32.h"
#include "kernels/quotient_f32.h"

// A float of random sign and mantissa, with an exponent from least to most; one of 16 is 0.
static float any_float(int least, int most) {
    float mantissa = 1 + (float)any_of(0, (1 << 23) - 1) / (1 << 23);
    return any_of(0, 15) == 0 ? 0 : ldexpf(any_of(0, 1) ? mantissa : -mantissa, any_of(least, most));
}

static float *any_floats(uint32_t n, int least, int most) {
    float *x = exactly(n * 4);
    for (uint32_t i = 0; i < n; i++) {
        x[i] = any_float(least, most);
    }
    return x;
}

static anne_parts_f32_t *apart(const float *x, uint32_t n) {
    anne_parts_f32_t *parts = exactly(n * sizeof *parts);
    CHECK(anne_take_apart_f32(x, n, parts), "all are finite");
    return parts;
}

// weights (n_out, n_in), or their transpose if `turned`.
static void check_dots(uint32_t n_in, uint32_t n_out, int spread, bool turned, bool has_bias) {
    float *weights = any_floats(n_in * n_out, -spread, spread), *x = any_floats(n_in, -spread, spread);
    float *bias = any_floats(n_out, -spread, spread), *out = exactly(n_out * 4);
    anne_parts_f32_t *parts = apart(x, n_in);
    uint32_t column = turned ? n_out : 1, row = turned ? 1 : n_in;
    anne_dots_f32(&(anne_dots_f32_t){weights, 4 * column, 4 * row, parts, parts + n_in, has_bias ? bias : NULL, out,
                                     out + n_out, false, NULL});
    for (uint32_t r = 0; r < n_out; r++) {
        long double sum = has_bias ? bias[r] : 0, largest = fabsl(sum);
        for (uint32_t j = 0; j < n_in; j++) {
            long double product = (long double)weights[r * row + j * column] * x[j];
            sum += product;
            largest = fmaxl(largest, fmaxl(fabsl(product), fabsl(sum)));
        }
        long double bound = ((n_in + 1) * 0x1p-27L * largest + 0x1p-24L * fabsl(sum)) * 1.001L;
        CHECK(fabsl(out[r] - sum) <= bound, "%u x %u, spread %d, row %u: %.9g, expected %.9Lg within %.3Lg", n_in,
              n_out, spread, r, out[r], sum, bound);
    }
    free(weights), free(x), free(bias), free(out), free(parts);
}

static void check_outer(uint32_t n_rows, uint32_t n, int spread, int below) {
    float *y = any_floats(n_rows * n, -spread, spread), *x = any_floats(n, -spread, spread);
    float *a = any_floats(n_rows, -below - spread, -below + spread), *old = exactly(n_rows * n * 4);
    anne_parts_f32_t *x_parts = apart(x, n), *a_parts = apart(a, n_rows);
    float *bias = any_floats(n_rows, -spread, spread);
    memcpy(old, y, n_rows * n * 4);
    for (uint32_t r = 0; r < n_rows; r++) {
        float one = 1, expected = bias[r];
        anne_parts_f32_t one_parts;
        anne_take_apart_f32(&one, 1, &one_parts);
        anne_add_outer_f32(&expected, a_parts + r, 1, &one_parts, 1, NULL);
        anne_add_outer_f32(y + r * n, a_parts + r, 1, x_parts, n, bias + r);
        CHECK(bias[r] == expected, "bias %u: %.9g, expected %.9g", r, bias[r], expected);
    }
    memcpy(y, old, n_rows * n * 4);
    anne_add_outer_f32(y, a_parts, n_rows, x_parts, n, NULL);
    for (uint32_t i = 0; i < n_rows * n; i++) {
        long double product = (long double)a[i / n] * x[i % n], sum = old[i] + product;
        long double greater = fmaxl(fabsl(sum), fabsl((long double)old[i]));
        long double place = greater == 0 ? 0 : ldexpl(1, ilogbl(greater) - 23);
        long double bound = place * 33 / 64 + fabsl(product) * 0x1p-27L;
        CHECK(fabsl(y[i] - sum) <= bound, "%g + %g %g: %.9g, expected %.9Lg within %.3Lg", old[i], a[i / n], x[i % n],
              y[i], sum, bound);
    }
    free(y), free(x), free(a), free(old), free(x_parts), free(a_parts), free(bias);
}

static float two(float w0, float x0, float w1, float x1, float bias) {
    float w[] = {w0, w1}, x[] = {x0, x1}, out;
    anne_parts_f32_t parts[2];
    if (!anne_take_apart_f32(x, 2, parts)) {
        return NAN;
    }
    anne_dots_f32(&(anne_dots_f32_t){w, 4, 8, parts, parts + 2, &bias, &out, &out + 1, false, NULL});
    return out;
}

static float sum(float y, float a, float x) {
    anne_parts_f32_t a_parts, x_parts;
    CHECK(anne_take_apart_f32(&a, 1, &a_parts) && anne_take_apart_f32(&x, 1, &x_parts), "finite");
    anne_add_outer_f32(&y, &a_parts, 1, &x_parts, 1, NULL);
    return y;
}

static void check_specials(void) {
    const float inf = INFINITY;
    CHECK(two(2, 3, 4, 5, 7) == 33 && two(-2, 3, 4, -5, 7) == -19, "whole numbers are exact");
    CHECK(two(1e30f, 1e30f, 1, 0, 0) == inf && two(-1e30f, 1e30f, 1, 1, 0) == -inf, "what is too large is infinite");
    CHECK(two(1e-30f, 1e-30f, 0, 1, 0) == 0 && two(0, 5, 0, 5, 0) == 0, "what is too small is 0");
    CHECK(two(0x1p127f, 1, 1, -0x1p127f, 0) == 0, "what cancels leaves nothing");
    CHECK(two(0x1p-140f, 0x1p120f, 1, 1, 0) == 1 && two(1, 0x1p-140f, 0, 1, 0) == 0, "a denormal counts as 0");
    CHECK(two(0x1p-60f, 1, 0x1p60f, 0, 0) == 0x1p-60f, "a large weight of 0 takes no digits");
    CHECK(isnan(two(inf, 1, 1, 1, 0)) && isnan(two(NAN, 0, 1, 1, 0)) && isnan(two(1, 1, -inf, 0, 0)), "weights");
    CHECK(isnan(two(1, 1, 1, 1, inf)) && isnan(two(1, 1, 1, 1, NAN)), "bias");
    CHECK(isnan(two(1, NAN, 1, 1, 0)) && isnan(two(1, 1, 1, inf, 0)) && isnan(two(1, 1, 1, -inf, 0)), "x");
    CHECK(sum(3, 2, -5) == -7 && sum(0, 2, 5) == 10 && sum(10, -2, 5) == 0, "whole numbers are exact");
    CHECK(sum(1, 0x1p-24f, 1) == 1 + 0x1p-23f, "a half of the last place is rounded up");
    CHECK(sum(1, 0x1p-25f, 1) == 1 && sum(1, 1e-30f, 1e-30f) == 1, "less than that is nothing");
    CHECK(sum(FLT_MAX, FLT_MAX, 1) == inf && sum(-FLT_MAX, -FLT_MAX, 2) == -inf, "beyond the floats");
    CHECK(!isfinite(sum(inf, -FLT_MAX, FLT_MAX)) && !isfinite(sum(-inf, 1, 1)) && isnan(sum(NAN, 1, 1)), "y stays");
    CHECK(sum(0x1p-126f, -0x1p-127f, 0.25f) == 0x1p-126f, "a denormal factor counts as 0");
    CHECK(sum(0x1p-126f, -0x1p-126f, 0.5f) == 0, "a denormal becomes 0");
    CHECK(sum(0x1p-140f, 1, 1) == 1, "a denormal counts as 0");
}

static void check_quotients(void) {
    const float inf = INFINITY;
    for (int i = 0; i < 100000; i++) {
        float a = any_float(-60, 60), b = any_float(-60, 60);
        long double expected = (long double)a / b;
        CHECK(b == 0 || fabsl(anne_quotient_f32(a, b) - expected) <= 1e-7L * fabsl(expected), "%g / %g", a, b);
    }
    CHECK(anne_quotient_f32(1, 0) == inf && anne_quotient_f32(-1, 0) == -inf && isnan(anne_quotient_f32(0, 0)), "0");
    CHECK(anne_quotient_f32(1e30f, -1e-30f) == -inf && anne_quotient_f32(1e-30f, 1e30f) == 0, "beyond the floats");
    CHECK(anne_quotient_f32(FLT_MAX, 0x1p-20f) == inf && anne_quotient_f32(FLT_MAX, 1) > 0.9999999f * FLT_MAX,
          "the greatest");
    CHECK(anne_quotient_f32(FLT_MIN, 0.9f) > FLT_MIN && anne_quotient_f32(FLT_MIN, 4) == 0, "the least");
    CHECK(anne_quotient_f32(1, inf) == 0 && anne_quotient_f32(-inf, 2) == -inf && isnan(anne_quotient_f32(NAN, 1)),
          "what is not finite");
}

int main(void) {
    for (uint32_t n_in = 1; n_in <= 40; n_in++) {
        for (uint32_t n_out = 1; n_out <= 12; n_out++) {
            for (int spread = 1; spread <= 30; spread += 9) {
                check_dots(n_in, n_out, spread, n_out % 2, n_in % 3);
            }
        }
    }
    check_dots(2000, 2, 2, false, true);
    for (int spread = 0; spread <= 40; spread += 5) {
        for (int below = -10; below <= 40; below += 2) {
            check_outer(7, 23, spread, below);
        }
    }
    check_specials();
    check_quotients();
    return 0;
}
