// Reductions against a loop over all elements of random shapes, every set of axes.
#include <math.h>

#include "kernel_test.h"
#include "kernels/reduce.h"

#define MOST 4096

static anne_reduce_t any_reduce(uint32_t *n_in, uint32_t *n_out) {
    anne_reduce_t reduce = {.rank = (uint32_t)any_of(1, 4), .operation = any_of(ANNE_REDUCE_MEAN, ANNE_REDUCE_MIN)};
    reduce.axes = (uint32_t)any_of(1, (1 << reduce.rank) - 1);
    *n_in = *n_out = 1;
    for (uint32_t i = 0; i < reduce.rank; i++) {
        reduce.shape[i] = (uint32_t)any_of(1, any_of(0, 3) ? 6 : 18);
        if (*n_in * reduce.shape[i] > MOST) {
            reduce.shape[i] = 1;
        }
        *n_in *= reduce.shape[i];
        *n_out *= reduce.axes >> i & 1 ? 1 : reduce.shape[i];
    }
    reduce.factor = (anne_rescale_t){any_of(0, INT32_MAX), any_of(-12, 2)};
    return reduce;
}

// Where element `i` of x goes.
static uint32_t place_of(const anne_reduce_t *reduce, uint32_t i) {
    uint32_t at = 0, step = 1;
    for (uint32_t axis = reduce->rank; axis-- > 0; i /= reduce->shape[axis]) {
        if ((reduce->axes >> axis & 1) == 0) {
            at += i % reduce->shape[axis] * step;
            step *= reduce->shape[axis];
        }
    }
    return at;
}

typedef struct {
    double sum[MOST], largest[MOST], most[MOST], least[MOST];
} groups_t;

static const groups_t *groups_of(const anne_reduce_t *reduce, const double *x, uint32_t n_in) {
    static groups_t groups;
    for (uint32_t i = 0; i < MOST; i++) {
        groups.sum[i] = groups.largest[i] = 0;
        groups.most[i] = -INFINITY, groups.least[i] = INFINITY;
    }
    for (uint32_t i = 0; i < n_in; i++) {
        uint32_t at = place_of(reduce, i);
        groups.sum[at] += x[i], groups.largest[at] = fmax(groups.largest[at], fabs(x[i]));
        groups.most[at] = fmax(groups.most[at], x[i]), groups.least[at] = fmin(groups.least[at], x[i]);
    }
    return &groups;
}

static void check_integers(bool narrow) {
    static double x[MOST];
    static int8_t x8[MOST], y8[MOST];
    static int16_t x16[MOST], y16[MOST];
    uint32_t n_in, n_out;
    anne_reduce_t reduce = any_reduce(&n_in, &n_out);
    reduce.zero_point = narrow ? any_of(-128, 127) : 0;
    reduce.output =
        narrow ? (anne_output_t){any_of(-128, 127), INT8_MIN, INT8_MAX} : (anne_output_t){0, INT16_MIN, INT16_MAX};
    for (uint32_t i = 0; i < n_in; i++) {
        int32_t value = any_of(narrow ? -128 : -32768, narrow ? 127 : 32767);
        x[i] = value, x8[i] = (int8_t)value, x16[i] = (int16_t)value;
    }
    if (narrow) {
        anne_reduce_s8(&reduce, x8, y8);
    } else {
        anne_reduce_s16(&reduce, x16, y16);
    }
    const groups_t *groups = groups_of(&reduce, x, n_in);
    CHECK(anne_reduced(&reduce) == n_in / n_out, "%u of %u", anne_reduced(&reduce), n_in);
    for (uint32_t i = 0; i < n_out; i++) {
        int32_t sum = (int32_t)groups->sum[i] - (int32_t)(n_in / n_out) * reduce.zero_point;
        int32_t expected = reduce.operation == ANNE_REDUCE_MAX ? (int32_t)groups->most[i]
                           : reduce.operation == ANNE_REDUCE_MIN
                               ? (int32_t)groups->least[i]
                               : anne_requantize_one(sum, &reduce.factor, &reduce.output);
        int32_t got = narrow ? y8[i] : y16[i];
        CHECK(got == expected, "%u, axes %u, element %u: %d, not %d", reduce.operation, reduce.axes, i, got, expected);
    }
}

static void check_floats(void) {
    static double x[MOST];
    static float xf[MOST], y[MOST];
    uint32_t n_in, n_out;
    const anne_reduce_t reduce = any_reduce(&n_in, &n_out);
    for (uint32_t i = 0; i < n_in; i++) {
        x[i] = xf[i] = ldexpf((float)any_of(-(1 << 24), 1 << 24), any_of(-24, any_of(-20, 60)));
    }
    anne_reduce_f32(&reduce, xf, y);
    const groups_t *groups = groups_of(&reduce, x, n_in);
    for (uint32_t i = 0; i < n_out; i++) {
        double n = reduce.operation == ANNE_REDUCE_MEAN ? n_in / n_out : 1, sum = groups->sum[i] / n;
        bool good =
            reduce.operation == ANNE_REDUCE_MAX ? y[i] == groups->most[i]
            : reduce.operation == ANNE_REDUCE_MIN
                ? y[i] == groups->least[i]
                : fabs(y[i] - sum) <= 1.1 * ldexp(fabs(sum), -24) + ldexp(groups->largest[i], -30) * (n_in / n_out / n);
        CHECK(good, "%u, axes %u, element %u: %g", reduce.operation, reduce.axes, i, y[i]);
    }
}

static void check_by_hand(void) { // 1 2 3 / -4 5 6, rows and columns
    static const float x[] = {1, 2, 3, -4, 5, 6};
    static const struct {
        anne_reduction_t operation;
        uint32_t axes;
        float expected[3];
    } cases[] = {
        {ANNE_REDUCE_MEAN, 1, {-1.5f, 3.5f, 4.5f}},
        {ANNE_REDUCE_SUM, 2, {6, 7}},
        {ANNE_REDUCE_SUM, 3, {13}},
        {ANNE_REDUCE_MAX, 1, {1, 5, 6}},
        {ANNE_REDUCE_MIN, 1, {-4, 2, 3}},
        {ANNE_REDUCE_MIN, 2, {1, -4}},
    };
    for (uint32_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const anne_reduce_t reduce = {2, {2, 3}, cases[i].axes, cases[i].operation, 0, {0, 0}, {0, 0, 0}};
        float y[3] = {0};
        anne_reduce_f32(&reduce, x, y);
        CHECK(memcmp(y, cases[i].expected, sizeof y) == 0, "case %u: %g %g %g", i, y[0], y[1], y[2]);
    }
}

// The largest sums: no intermediate value may wrap, which the sanitizer would see.
static void check_largest(void) {
    static int8_t x8[1 << 20], y8[1];
    static int16_t x16[65535], y16[1];
    anne_reduce_t reduce = {
        2, {1 << 10, 1 << 10}, 3, ANNE_REDUCE_MEAN, 127, {1 << 30, 1 - 20}, {0, INT8_MIN, INT8_MAX}};
    memset(x8, 0x80, sizeof x8);
    anne_reduce_s8(&reduce, x8, y8);
    CHECK(y8[0] == INT8_MIN, "%d", y8[0]);
    reduce = (anne_reduce_t){1, {65535}, 1, ANNE_REDUCE_MEAN, 0, {1 << 30, 1 - 16}, {0, INT16_MIN, INT16_MAX}};
    for (uint32_t i = 0; i < 65535; i++) {
        x16[i] = INT16_MIN;
    }
    anne_reduce_s16(&reduce, x16, y16);
    CHECK(y16[0] == -32768 || y16[0] == -32767, "%d", y16[0]); // times 65535 / 65536
}

int main(void) {
    check_by_hand();
    check_largest();
    for (uint32_t i = 0; i < 3000; i++) {
        check_integers(true);
        check_integers(false);
        check_floats();
    }
    return 0;
}
