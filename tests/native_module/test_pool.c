// Pools against a loop over all taps of random windows, and what they rest on: quotients, sums, maxima.
#include <math.h>

#include "kernel_test.h"
#include "kernels/arithmetic_f32.h"
#include "kernels/pool.h"
#include "kernels/taps.h"

#define MOST 8192

// Rounded halves away from zero, by C's own division.
static int32_t quotient(int64_t a, int64_t n) {
    return (int32_t)(a < 0 ? -((-a + n / 2) / n) : (a + n / 2) / n);
}

static void check_quotients(void) {
    static const int32_t numbers[] = {1, 2, 3, 4, 5, 7, 9, 255, 256, 257, 32767, 32768};
    for (uint32_t i = 0; i < 20000; i++) {
        int32_t n = i < 12 ? numbers[i] : any_of(1, any_of(0, 1) ? 40 : 1 << 15);
        const anne_count_t count = anne_count((uint32_t)n);
        int32_t most = n * (1 << 15); // at most 2^30
        int32_t some[] = {most, -most, most - 1, 1 - most, n / 2, -(n / 2), (n + 1) / 2, 0, any_of(-most, most)};
        for (uint32_t k = 0; k < sizeof some / sizeof some[0]; k++) {
            int32_t got = anne_divide(some[k], &count);
            CHECK(got == quotient(some[k], n), "%d / %d: %d", some[k], n, got);
        }
    }
    for (uint32_t i = 0; i < 20000; i++) { // sums of int8
        int32_t n = any_of(1, 1 << 20), acc = any_of(-128 * n, 127 * n);
        const anne_count_t count = anne_count((uint32_t)n);
        CHECK(anne_divide(acc, &count) == quotient(acc, n), "%d / %d", acc, n);
    }
}

static int32_t axis(int32_t in, int32_t *kernel, int32_t *stride, int32_t *dilation, int32_t *pad) {
    *kernel = any_of(1, 4), *stride = any_of(1, 3), *dilation = any_of(1, in < 3 ? in : 3);
    *pad = any_of(0, (*kernel - 1) * *dilation);
    return (in - 1 + *pad) / *stride + 1;
}

static anne_pool_t any_pool(int32_t zero_point) {
    anne_pool_t pool = {.window = {.in_h = any_of(1, 7), .in_w = any_of(1, 7), .channels = any_of(1, 37)}};
    anne_window_t *w = &pool.window;
    w->out_h = axis(w->in_h, &w->kernel_h, &w->stride_h, &w->dilation_h, &w->pad_top);
    w->out_w = axis(w->in_w, &w->kernel_w, &w->stride_w, &w->dilation_w, &w->pad_left);
    pool.limits = (anne_output_t){zero_point, any_of(-100, 0), any_of(0, 100)};
    pool.counts_padding = any_of(0, 1);
    pool.pad_bottom = any_of(0, 3), pool.pad_right = any_of(0, 3);
    return pool;
}

// What output element `i` sees: the sum and the greatest of the taps inside, how many those are, and how many count.
typedef struct {
    double sum;
    double most;
    double largest; // magnitude
    int32_t inside;
    int32_t counted;
} seen_t;

static seen_t seen(const anne_pool_t *pool, const double *x, int32_t i) {
    const anne_window_t *w = &pool->window;
    int32_t channel = i % w->channels, left = i / w->channels % w->out_w * w->stride_w - w->pad_left,
            top = i / w->channels / w->out_w * w->stride_h - w->pad_top;
    seen_t result = {.most = -INFINITY};
    for (int32_t k = 0; k < w->kernel_h * w->kernel_w; k++) {
        int32_t row = top + k / w->kernel_w * w->dilation_h, column = left + k % w->kernel_w * w->dilation_w;
        bool inside = 0 <= row && row < w->in_h && 0 <= column && column < w->in_w;
        bool counts = pool->counts_padding && row < w->in_h + pool->pad_bottom && column < w->in_w + pool->pad_right;
        if (inside) {
            double value = x[(row * w->in_w + column) * w->channels + channel];
            result.sum += value;
            result.most = fmax(result.most, value);
            result.largest = fmax(result.largest, fabs(value));
        }
        result.inside += inside, result.counted += inside || counts;
    }
    return result;
}

static int32_t limited(const anne_pool_t *pool, int32_t value) {
    return value < pool->limits.least ? pool->limits.least : value > pool->limits.most ? pool->limits.most : value;
}

static void check_integers(int32_t least, int32_t most) {
    static double x[MOST];
    static int8_t x8[MOST], max8[4 * MOST], mean8[4 * MOST];
    static int16_t x16[MOST], max16[4 * MOST], mean16[4 * MOST];
    bool narrow = most == 127;
    const anne_pool_t pool = any_pool(narrow ? any_of(-128, 127) : 0);
    const anne_window_t *w = &pool.window;
    for (int32_t i = 0; i < w->in_h * w->in_w * w->channels; i++) {
        int32_t value = any_of(0, 3) ? any_of(least, most) : any_of(0, 1) ? least : most;
        x[i] = value;
        x8[i] = (int8_t)value, x16[i] = (int16_t)value;
    }
    if (narrow) {
        anne_max_pool_s8(&pool, x8, max8), anne_average_pool_s8(&pool, x8, mean8);
    } else {
        anne_max_pool_s16(&pool, x16, max16), anne_average_pool_s16(&pool, x16, mean16);
    }
    for (int32_t i = 0; i < w->out_h * w->out_w * w->channels; i++) {
        seen_t s = seen(&pool, x, i);
        int64_t sum = (int64_t)s.sum + (int64_t)pool.limits.zero_point * (s.counted - s.inside);
        int32_t greatest = limited(&pool, (int32_t)s.most), mean = limited(&pool, quotient(sum, s.counted));
        int32_t got = narrow ? max8[i] : max16[i], got_mean = narrow ? mean8[i] : mean16[i];
        CHECK(got == greatest && got_mean == mean, "element %d: %d, %d, not %d, %d", i, got, got_mean, greatest, mean);
    }
}

static void check_floats(void) {
    static double x[MOST];
    static float xf[MOST], greatest[4 * MOST], mean[4 * MOST];
    const anne_pool_t pool = any_pool(0);
    const anne_window_t *w = &pool.window;
    for (int32_t i = 0; i < w->in_h * w->in_w * w->channels; i++) {
        xf[i] = ldexpf((float)any_of(-(1 << 24), 1 << 24), any_of(-24, any_of(-20, 60)));
        x[i] = xf[i];
    }
    anne_max_pool_f32(&pool, xf, greatest), anne_average_pool_f32(&pool, xf, mean);
    for (int32_t i = 0; i < w->out_h * w->out_w * w->channels; i++) {
        seen_t s = seen(&pool, x, i);
        double expected = s.sum / s.counted;
        CHECK(greatest[i] == s.most, "element %d: %g, not %g", i, greatest[i], s.most);
        CHECK(fabs(mean[i] - expected) <= 1.1 * ldexp(fabs(expected), -24) + ldexp(s.largest, -29),
              "element %d: %g, not %g", i, mean[i], expected);
    }
}

// The order of floats: -NaN and NaN above all, then infinity, ... 0, -0 ... -infinity.
static void check_order(void) {
    static const uint32_t bits[] = {0xff800000, 0xff7fffff, 0xbf800000, 0x80800000, 0x807fffff, 0x80000001, 0x80000000,
                                    0,          1,          0x007fffff, 0x00800000, 0x3f800000, 0x7f7fffff, 0x7f800000,
                                    0x7f800001, 0x7fc00000, 0x7fffffff, 0xffffffff, 0xffc00000, 0xff800001};
    for (uint32_t i = 0; i < sizeof bits / sizeof bits[0]; i++) {
        CHECK(anne_bits_of_key(anne_key_of(bits[i])) == bits[i], "%08x", bits[i]);
        bool is_nan = (bits[i] & 0x7fffffff) > 0x7f800000;
        for (uint32_t k = 0; k < i; k++) {
            bool other = (bits[k] & 0x7fffffff) > 0x7f800000;
            CHECK((is_nan && other) || anne_key_of(bits[k]) < anne_key_of(bits[i]), "%08x %08x", bits[k], bits[i]);
        }
    }
}

static void expect_mean(const float *x, uint32_t n, uint32_t expected) {
    const anne_count_t count = anne_count(n);
    const anne_grid_t grid = {.rows = 1, .columns = n, .column_step = 1, .divisor = &count};
    int32_t result;
    anne_sum_f32(x, &grid, 1, &result);
    bool both_nan = (expected & 0x7fffffff) > 0x7f800000 && ((uint32_t)result & 0x7fffffff) > 0x7f800000;
    CHECK(both_nan || (uint32_t)result == expected, "%g %g ...: %08x, not %08x", x[0], x[1], (uint32_t)result,
          expected);
}

static void check_edges(void) { // worked by hand
    expect_mean((const float[]){1, 1, 1}, 3, 0x3f800000);
    expect_mean((const float[]){1, 2}, 2, 0x3fc00000);
    expect_mean((const float[]){3.4028235e38f, 3.4028235e38f}, 2, 0x7f7fffff);
    expect_mean((const float[]){3.4028235e38f, -3.4028235e38f}, 2, 0);
    expect_mean((const float[]){0x1p-126f, 0x1p-126f}, 2, 0x00800000);
    expect_mean((const float[]){0x1p-126f, 0}, 2, 0); // a denormal
    expect_mean((const float[]){0x1p-127f, 0x1p-127f}, 2, 0);
    expect_mean((const float[]){INFINITY, 1}, 2, 0x7f800000);
    expect_mean((const float[]){-INFINITY, 3.4e38f, 3.4e38f}, 3, 0xff800000);
    expect_mean((const float[]){INFINITY, -INFINITY}, 2, 0x7fc00000);
    expect_mean((const float[]){1, NAN}, 2, 0x7fc00000);
    const anne_count_t whole = anne_count(1); // a sum
    static float many[1 << 20];
    for (uint32_t i = 0; i < 1 << 20; i++) {
        many[i] = 1.5f;
    }
    const anne_grid_t grid = {
        .rows = 1 << 10, .columns = 1 << 10, .row_step = 1 << 10, .column_step = 1, .divisor = &whole};
    int32_t result;
    anne_sum_f32(many, &grid, 1, &result);
    CHECK(anne_float_of((uint32_t)result) == 1.5f * (1 << 20), "%08x", (uint32_t)result);
    expect_mean(many, 1 << 20, 0x3fc00000);
}

// Taps below and to the right that are so far outside that they have no number in 32 bits.
static void check_far_taps(void) {
    static int8_t x[1 << 17], y[1 << 17];
    const anne_pool_t pool = {.window = {1, 1, 1 << 17, 1, 1, 2, 2, 1, 1, 1 << 15, 1 << 15, 0, 0},
                              .limits = {0, -128, 127}};
    x[1] = -5, x[(1 << 17) - 1] = 7;
    anne_max_pool_s8(&pool, x, y);
    CHECK(memcmp(x, y, sizeof x) == 0, "the greatest of one tap is not it");
}

int main(void) {
    check_far_taps();
    check_quotients();
    check_order();
    check_edges();
    for (uint32_t i = 0; i < 2000; i++) {
        check_integers(-128, 127);
        check_integers(-32768, 32767);
        check_floats();
    }
    return 0;
}
