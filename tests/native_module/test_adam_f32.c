// anne_adam_f32 against its equations in double, for sums, squares and gradients of all sizes and every number of
// steps.
#include <float.h>
#include <math.h>

#include "kernel_test.h"
#include "kernels/adam_f32.h"

#define N 37 // chunks, and a rest

static float any_float(int least, int most) {
    float mantissa = 1 + (float)any_of(0, (1 << 23) - 1) / (1 << 23);
    return any_of(0, 15) == 0 ? 0 : ldexpf(any_of(0, 1) ? mantissa : -mantissa, any_of(least, most));
}

// What is below the normal floats may become 0.
static void check_near(double got, double expected, double bound, const char *what, uint32_t step) {
    CHECK(fabs(got - expected) <= bound + FLT_MIN, "%s, step %u: %.9g, expected %.9g within %.3g", what, step, got,
          expected, bound);
}

static void check(uint32_t step, int middle, int spread) {
    float w[N], g[N], sums[N], squares[N], old_sums[N], old_squares[N], lr = 0.01f;
    for (uint32_t j = 0; j < N; j++) {
        g[j] = any_float(middle - spread, middle + spread);
        old_sums[j] = sums[j] = any_float(middle - spread, middle + spread);
        old_squares[j] = squares[j] = fabsf(any_float(2 * (middle - spread), 2 * (middle + spread)));
        w[j] = 0;
    }
    anne_adam_f32(w, g, sums, squares, N, lr, step);
    double rate = (double)lr / (1 - pow(0.9, step)), correction = 1 - pow(0.999, step);
    for (uint32_t j = 0; j < N; j++) {
        double kept = 0.9 * (double)old_sums[j], gradient = (double)g[j], size = fabs(kept) + fabs(gradient);
        double square = 0.999 * (double)old_squares[j] + gradient * gradient;
        double step_size = rate * 0.1 / (sqrt(0.001 * square / correction) + 1e-8);
        check_near((double)sums[j], kept + gradient, 1e-6 * size, "sum", step);
        check_near((double)squares[j], square, 1e-6 * square, "square", step);
        check_near((double)w[j], -step_size * (kept + gradient), 1e-6 * step_size * size, "weight", step);
    }
}

// One weight of 1, and what a step makes of it.
static float stepped(float g, float sum, float square) {
    float w = 1;
    anne_adam_f32(&w, &g, &sum, &square, 1, 0.1f, 3);
    return w;
}

int main(void) {
    for (uint32_t step = 1; step < 3000; step += step / 8 + 1) {
        for (int middle = -50; middle <= 40; middle += 10) {
            check(step, middle, 1);
            check(step, middle, 8);
        }
    }
    check(1000000000, 0, 4);
    check(UINT32_MAX, 0, 4);
    CHECK(stepped(0, 0, 0) == 1, "nothing to learn, nothing changes");
    CHECK(isnan(stepped(NAN, 0, 0)) && isnan(stepped(INFINITY, 0, 0)) && isnan(stepped(1, -INFINITY, 1)), "g, sum");
    CHECK(isnan(stepped(1, 0, INFINITY)) && isnan(stepped(1, 0, NAN)), "square");
    CHECK(stepped(FLT_MAX, 0, 0) <= 1 && stepped(-FLT_MAX, -FLT_MAX, FLT_MAX) >= 1, "squares beyond the floats");
    return 0;
}
