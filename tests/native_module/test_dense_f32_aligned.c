// anne_dense_f32_aligned against sums in long double, within the bound that follows from its definition: every shape to
// 40 x 40, numbers of all sizes, rows over panels; edge cases exactly.
#include "kernel_test.h"
#include "kernels/dense_f32_aligned.h"

#include <float.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

#define PANEL ANNE_DENSE_F32_ALIGNED_PANEL

typedef struct {
    uint32_t n_in, n_out;
    int32_t *w; // 2^exponents[r] w[r][j] are the weights
    uint32_t *packed;
    int32_t *exponents, *scratch;
    float *x, *bias, *out;
} layer_t;

static layer_t new_layer(uint32_t n_in, uint32_t n_out) {
    return (layer_t){n_in,
                     n_out,
                     exactly(n_in * n_out * 4),
                     exactly(anne_dense_f32_aligned_words(n_in, n_out) * 4),
                     exactly(n_out * 4),
                     exactly(anne_dense_f32_aligned_scratch(n_in, n_out) * 4),
                     exactly(n_in * 4),
                     exactly(n_out * 4),
                     exactly(n_out * 4)};
}

static void free_layer(layer_t *l) {
    free(l->w), free(l->packed), free(l->exponents), free(l->scratch), free(l->x), free(l->bias), free(l->out);
}

// A word for W = 4096 h + l.
static uint32_t word(int32_t w) {
    int32_t h = (w + 2048) >> 12;
    return ((uint32_t)h << 16) + (uint32_t)(w - h * 4096 + 2048);
}

// FORMAT.md, f32_aligned: panels of columns, in each the words of two rows alternate. With relu the same must come out,
// but 0 for what is below.
static void run(layer_t *l) {
    uint32_t *next = l->packed;
    for (uint32_t first = 0; first < l->n_in; first += PANEL) {
        uint32_t end = l->n_in - first < PANEL ? l->n_in : first + PANEL;
        for (uint32_t r = 0; r < l->n_out; r += 2) {
            for (uint32_t j = first; j < end; j++) {
                *next++ = word(l->w[r * l->n_in + j]);
                *next++ = word(r + 1 < l->n_out ? l->w[(r + 1) * l->n_in + j] : 0);
                CHECK(anne_dense_f32_aligned_word_good(next[-2]), "%#x", next[-2]);
            }
        }
    }
    float *with_relu = exactly(l->n_out * sizeof *with_relu);
    for (int relu = 1; relu >= 0; relu--) {
        anne_dense_f32_aligned_t ready;
        anne_dense_f32_aligned_prepare(&ready, l->packed, l->bias, l->exponents, l->x, l->n_in, l->n_out, l->scratch,
                                       relu ? with_relu : l->out, relu);
        anne_dense_f32_aligned(&ready);
    }
    for (uint32_t r = 0; r < l->n_out; r++) {
        float expected = l->out[r] < 0 ? 0 : l->out[r];
        CHECK(memcmp(&with_relu[r], &expected, sizeof expected) == 0, "relu: row %u is %g", r, (double)with_relu[r]);
    }
    free(with_relu);
}

// How far row r may be from the exact sum: x rounded, l xl left out, panels and bias rounded to u / 2, and the float.
static long double bound_of(const layer_t *l, uint32_t r, long double sum) {
    float most = 0;
    long double weights = 0;
    uint32_t bits = 0;
    for (uint32_t j = 0; j < l->n_in; j++) {
        most = fabsf(l->x[j]) > most ? fabsf(l->x[j]) : most;
        weights += ldexpl(abs(l->w[r * l->n_in + j]), l->exponents[r]);
    }
    while (l->n_in >> bits != 0) {
        bits++;
    }
    int e;
    frexpf(most, &e);
    long double half_u = ldexpl(1, (int)bits - 7 + e + l->exponents[r]);
    return ldexpl(weights, e - 24) + ldexpl(l->n_in, l->exponents[r] + e - 1)
           + ((l->n_in + PANEL - 1) / PANEL + 1) * half_u + ldexpl(2 * fabsl(sum) + 2 * fabsl(l->bias[r]), -24)
           + FLT_MIN;
}

// Runs the layer and compares all rows.
static void check(layer_t *l) {
    run(l);
    for (uint32_t r = 0; r < l->n_out; r++) {
        long double sum = l->bias[r];
        for (uint32_t j = 0; j < l->n_in; j++) {
            sum += ldexpl(l->w[r * l->n_in + j], l->exponents[r]) * l->x[j];
        }
        long double bound = bound_of(l, r, sum), got = l->out[r];
        bool too_large = isinf(l->out[r]) && fabsl(sum) + bound > FLT_MAX && (got > 0) == (sum > 0);
        CHECK(too_large || fabsl(got - sum) <= bound, "%u x %u, row %u: %.9Lg, expected %.9Lg within %.3Lg", l->n_in,
              l->n_out, r, got, sum, bound);
    }
}

// A float of random sign, normal and finite, with an exponent from least to most as far as there are such floats.
static float any_float(int least, int most) {
    int exponent = any_of(least < -125 ? -125 : least, most > 127 ? 127 : most);
    float value = ldexpf(1 + (float)any_of(0, (1 << 23) - 1) / (1 << 23), exponent);
    return any_of(0, 1) ? value : -value;
}

// Sizes: exponents of rows from -149 to 104, and of x; each number up to `spread` powers of two smaller.
static void check_random(uint32_t n_in, uint32_t n_out, int size_w, int size_x, int spread) {
    layer_t l = new_layer(n_in, n_out);
    for (uint32_t i = 0; i < n_in * n_out; i++) {
        l.w[i] = any_of(0, 9) == 0 ? 0 : any_of(-(1 << 24), 1 << 24) >> any_of(0, spread < 24 ? spread : 24);
    }
    for (uint32_t j = 0; j < n_in; j++) {
        l.x[j] = any_of(0, 9) == 0 ? 0 : any_float(size_x - spread, size_x);
    }
    for (uint32_t r = 0; r < n_out; r++) {
        l.exponents[r] = any_of(size_w - spread < -149 ? -149 : size_w - spread, size_w);
        int product = 24 + size_w + size_x; // of the greatest
        l.bias[r] = any_of(0, 9) == 0     ? 0
                    : product - 60 > 120  ? any_float(100, 127)
                    : product + 20 < -125 ? any_float(-125, -105)
                                          : any_float(product - 60, product + 20);
    }
    check(&l);
    free_layer(&l);
}

// Every weight w, or w and its negative in turn; every x likewise; biases just below what is added as an integer.
static void check_extremes(uint32_t n_in, int32_t w, float x) {
    for (uint32_t turns = 0; turns < 4; turns++) {
        layer_t l = new_layer(n_in, 3);
        for (uint32_t r = 0; r < 3; r++) {
            for (uint32_t j = 0; j < n_in; j++) {
                l.w[r * n_in + j] = turns & j & 1 ? -w : w;
                l.x[j] = turns >> 1 & j & 1 ? -x : x;
            }
            l.exponents[r] = -24;
            int bits = 32 - __builtin_clz(n_in), u = 5 + bits - 11 + 1 - 24; // 1 <= x < 2
            l.bias[r] = ((float)r - 1) * ldexpf(0x1.fffffep0f, 29 + u);
        }
        check(&l);
        free_layer(&l);
    }
}

// Weights 2^exponent W of a layer of one row.
static float row_of(const int32_t *w, int32_t exponent, const float *x, uint32_t n_in, float bias) {
    layer_t l = new_layer(n_in, 1);
    memcpy(l.w, w, n_in * sizeof *w);
    memcpy(l.x, x, n_in * sizeof *x);
    l.exponents[0] = exponent;
    l.bias[0] = bias;
    run(&l);
    float result = l.out[0];
    free_layer(&l);
    return result;
}

static void check_specials(void) {
    const int32_t one = 1 << 24, half = 1 << 23;
    // 1 * 1 + 0.5 * 2 + 0.25 = 2.25, all of them exact
    CHECK(row_of((int32_t[]){one, half}, -24, (float[]){1.0f, 2.0f}, 2, 0.25f) == 2.25f, "sum");
    CHECK(row_of((int32_t[]){one}, -24, (float[]){0.0f}, 1, 3.0f) == 3.0f, "x is zero");
    CHECK(row_of((int32_t[]){0}, -149, (float[]){1.0f}, 1, -3.0f) == -3.0f, "weight is zero");
    CHECK(row_of((int32_t[]){one, -one}, -24, (float[]){5.0f, 5.0f}, 2, 0.0f) == 0.0f, "what cancels leaves nothing");
    CHECK(row_of((int32_t[]){one}, -24, (float[]){1e-20f}, 1, 1.0f) == 1.0f, "bias far above");
    CHECK(row_of((int32_t[]){one}, -24, (float[]){1e20f}, 1, 1.0f) == 1e20f, "bias far below");
    CHECK(row_of((int32_t[]){one}, 104, (float[]){3e38f}, 1, 0.0f) == INFINITY, "too large");
    CHECK(row_of((int32_t[]){-one}, 104, (float[]){3e38f}, 1, 0.0f) == -INFINITY, "too large, negative");
    CHECK(row_of((int32_t[]){one}, -149, (float[]){1e-37f}, 1, 0.0f) == 0.0f, "too small");
    CHECK(row_of((int32_t[]){one}, -24, (float[]){1e-40f}, 1, 0.0f) == 0.0f, "a denormal counts as 0");
    CHECK(row_of((int32_t[]){one}, -24, (float[]){1.0f}, 1, 1e-40f) == 1.0f, "a denormal bias counts as 0");
    CHECK(isnan(row_of((int32_t[]){0, 0}, 0, (float[]){1.0f, NAN}, 2, 0.0f)), "NaN");
    CHECK(isnan(row_of((int32_t[]){one, one}, -24, (float[]){INFINITY, 1.0f}, 2, 0.0f)), "infinity");
    for (int32_t w = one - 5000; w <= one + 5000; w++) { // the low limb goes round twice
        bool good = anne_dense_f32_aligned_word_good(word(w)), opposite = anne_dense_f32_aligned_word_good(word(-w));
        CHECK(good == (w <= one) && opposite == good, "%d", w);
    }
    CHECK(!anne_dense_f32_aligned_word_good(0x00001000) && !anne_dense_f32_aligned_word_good(0xffffffff), "low limbs");
}

int main(void) {
    const int sizes[][2] = {{-24, 0}, {-149, 100}, {104, -100}, {-149, -20}, {60, 60}, {-100, -100}};
    for (uint32_t n_in = 1; n_in <= 40; n_in++) {
        for (uint32_t n_out = 1; n_out <= 40; n_out++) {
            check_random(n_in, n_out, -24, 0, 3);
        }
        for (uint32_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
            check_random(n_in, 5, sizes[i][0], sizes[i][1], 0);
            check_random(n_in, 5, sizes[i][0], sizes[i][1], 30);
        }
    }
    const uint32_t long_rows[] = {1, 2, 7, PANEL - 1, PANEL, PANEL + 1, 2 * PANEL, 1000, 65535};
    for (uint32_t i = 0; i < sizeof long_rows / sizeof long_rows[0]; i++) {
        check_random(long_rows[i], 3, -24, 0, 3);
        check_extremes(long_rows[i], 1 << 24, 0x1.fffffep0f); // X = 2^23, as 2^e is above every |x|
        check_extremes(long_rows[i], 0xffffff, 1.0f);
        check_extremes(long_rows[i], 0x7ff800, 0x1.ffefp0f); // limbs of 2047 and -2048
        check_extremes(long_rows[i], 0x8007ff, 0x1.000ffep0f);
    }
    check_specials();
    return 0;
}
