// anne_dense_f32 against the plain loop in long double: every shape to 40 x 40, sizes that differ widely, specials.
#include <math.h>

#include "kernel_test.h"
#include "kernels/dense_f32.h"

// A float of random sign and mantissa, with an exponent from least to most.
static float any_float(int least, int most) {
    float mantissa = 1 + (float)any_of(0, (1 << 23) - 1) / (1 << 23);
    return ldexpf(any_of(0, 1) ? mantissa : -mantissa, any_of(least, most));
}

// The exact sum, and the bound that dense_f32.h states for what the kernel gives.
static long double sum_of(const float *w, float bias, const float *x, uint32_t n_in, long double *bound) {
    long double sum = bias, largest = fabsl(sum);
    *bound = 0;
    for (uint32_t j = 0; j < n_in; j++) {
        long double product = (long double)w[j] * x[j];
        sum += product;
        largest = fabsl(product) > largest ? fabsl(product) : largest;
        largest = fabsl(sum) > largest ? fabsl(sum) : largest; // the sum so far is the bias of the next 7 columns
        if (j % 7 == 6 || j + 1 == n_in) {
            *bound += fabsl(sum) * 0x1p-24L;
        }
    }
    *bound += (n_in + 1) * 0x1p-26L * largest;
    return sum;
}

static void check(uint32_t n_in, uint32_t n_out, int spread) {
    float *w = exactly(n_in * n_out * 4), *x = exactly(n_in * 4), *bias = exactly(n_out * 4), *out = exactly(n_out * 4);
    for (uint32_t i = 0; i < n_in * n_out; i++) {
        w[i] = any_of(0, 9) == 0 ? 0 : any_float(-spread, spread);
    }
    for (uint32_t j = 0; j < n_in; j++) {
        x[j] = any_of(0, 9) == 0 ? 0 : any_float(-spread, spread);
    }
    for (uint32_t r = 0; r < n_out; r++) {
        bias[r] = any_float(-spread, spread);
    }
    anne_dense_f32(w, bias, x, n_in, n_out, out);
    for (uint32_t r = 0; r < n_out; r++) {
        long double bound, expected = sum_of(w + r * n_in, bias[r], x, n_in, &bound);
        CHECK(fabsl(out[r] - expected) <= bound * 1.001L, "%u x %u, row %u: %.9g, expected %.9Lg within %.3Lg", n_in,
              n_out, r, out[r], expected, bound);
    }
    free(w), free(x), free(bias), free(out);
}

// One row: weights (w0, 1), x as given, bias 0.
static float two(float w0, float x0, float x1, float bias) {
    float w[] = {w0, 1}, x[] = {x0, x1}, out;
    anne_dense_f32(w, &bias, x, 2, 1, &out);
    return out;
}

static void check_specials(void) {
    const float inf = INFINITY;
    CHECK(two(2, 3, 4, 5) == 15, "2 3 + 4 + 5");
    CHECK(two(1e30f, 1e30f, 1, 0) == inf && two(-1e30f, 1e30f, 1, 0) == -inf, "what is too large is infinite");
    CHECK(two(1e-30f, 1e-30f, 0, 0) == 0, "what is too small is 0");
    CHECK(two(0x1p127f, 1, -0x1p127f, 0) == 0, "what cancels leaves nothing");
    CHECK(two(inf, 1, 1, 0) == inf && two(1, -inf, 1, 0) == -inf && two(1, 1, 1, inf) == inf, "infinities go through");
    CHECK(isnan(two(inf, 0, 1, 0)) && isnan(two(inf, 1, -inf, 0)) && isnan(two(1, inf, 1, -inf)), "inf 0, inf - inf");
    CHECK(isnan(two(NAN, 0, 1, 0)) && isnan(two(1, NAN, 1, 0)) && isnan(two(1, 1, 1, NAN)), "NaN goes through");
    CHECK(two(-1e30f, 1e30f, 1, inf) == inf, "what is too large for one product is finite beside infinity");
    CHECK(two(0x1p-140f, 0x1p120f, 1, 0) == 1, "a denormal counts as 0");
    CHECK(two(0, 5, 0, 0) == 0 && two(0, 0, 0, -3) == -3, "zeros");
}

int main(void) {
    for (uint32_t n_in = 1; n_in <= 40; n_in++) {
        for (uint32_t n_out = 1; n_out <= 40; n_out++) {
            check(n_in, n_out, 3);
        }
        check(n_in, 8, 20); // products from 2^-40 to 2^40
        check(n_in, 8, 0);
    }
    check(1000, 3, 4);
    check_specials();
    return 0;
}
