// anne_dense_s8_f32 against the plain loop in long double: every shape to 40 x 40, rows over panels, specials.
#include <math.h>

#include "kernel_test.h"
#include "kernels/dense_s8_f32.h"

// FORMAT.md, s8_quad, for one row after another: where weight j of row r lies in the packed bytes.
static size_t place_of(uint32_t r, uint32_t j, uint32_t n_in, uint32_t n_out) {
    uint32_t first = j / ANNE_DENSE_S8_PANEL * ANNE_DENSE_S8_PANEL;
    uint32_t n = n_in - first < ANNE_DENSE_S8_PANEL ? n_in - first : ANNE_DENSE_S8_PANEL;
    uint32_t rows = (n_out + 3) / 4 * 4, eight = r / 8 * 8, width = rows - eight < 8 ? 4 : 8;
    return (size_t)first * rows + (size_t)eight * anne_dense_s8_columns(n) + (size_t)(j - first) * width + r - eight;
}

typedef struct {
    uint32_t n_in, n_out;
    uint32_t *packed;
    float *scale, *bias, *x, *out;
    int32_t *scratch;
} layer_t;

static layer_t new_layer(uint32_t n_in, uint32_t n_out) {
    layer_t l = {n_in,
                 n_out,
                 exactly(anne_dense_s8_words(n_in, n_out) * 4),
                 exactly(n_out * 4),
                 exactly(n_out * 4),
                 exactly(n_in * 4),
                 exactly(n_out * 4),
                 exactly(anne_dense_s8_f32_scratch(n_in, n_out) * 4)};
    memset(l.packed, 128, anne_dense_s8_words(n_in, n_out) * 4);
    return l;
}

static void free_layer(layer_t *l) {
    free(l->packed), free(l->scale), free(l->bias), free(l->x), free(l->out), free(l->scratch);
}

static void run(layer_t *l) {
    anne_dense_s8_f32(l->packed, l->scale, l->bias, l->x, l->n_in, l->n_out, l->scratch, l->out);
}

static void check(uint32_t n_in, uint32_t n_out, int least_w, int most_w, int exponents) {
    layer_t l = new_layer(n_in, n_out);
    int8_t *w = exactly(n_in * n_out);
    float greatest = 0;
    for (uint32_t i = 0; i < n_in * n_out; i++) {
        w[i] = (int8_t)any_of(least_w, most_w);
        ((uint8_t *)l.packed)[place_of(i / n_in, i % n_in, n_in, n_out)] = (uint8_t)(w[i] + 128);
    }
    for (uint32_t j = 0; j < n_in; j++) {
        l.x[j] = ldexpf((float)any_of(-(1 << 24), 1 << 24), any_of(-24 - exponents, -24));
        greatest = fabsf(l.x[j]) > greatest ? fabsf(l.x[j]) : greatest;
    }
    for (uint32_t r = 0; r < n_out; r++) {
        l.scale[r] = ldexpf((float)any_of(1, 1 << 20), -24);
        l.bias[r] = ldexpf((float)any_of(-(1 << 20), 1 << 20), -18);
    }
    run(&l);
    for (uint32_t r = 0; r < n_out; r++) {
        long double sum = 0;
        for (uint32_t j = 0; j < n_in; j++) {
            sum += (long double)w[r * n_in + j] * l.x[j];
        }
        long double product = sum * l.scale[r], expected = product + l.bias[r];
        long double bound = 128.0L * n_in * 0x1p-22L * greatest * l.scale[r] + 2 * 0x1p-24L * fabsl(product)
                            + 0x1p-24L * fabsl(expected);
        CHECK(fabsl(l.out[r] - expected) <= bound * 1.001L, "%u x %u, row %u: %.9g, expected %.9Lg within %.3Lg", n_in,
              n_out, r, l.out[r], expected, bound);
    }
    free(w);
    free_layer(&l);
}

// 4 inputs, 1 unit, weights 1, scale 1, bias 1
static float sum_of_four(float a, float b, float c, float d) {
    layer_t l = new_layer(4, 1);
    for (uint32_t j = 0; j < 4; j++) {
        ((uint8_t *)l.packed)[place_of(0, j, 4, 1)] = 129;
    }
    l.scale[0] = l.bias[0] = 1;
    l.x[0] = a, l.x[1] = b, l.x[2] = c, l.x[3] = d;
    run(&l);
    float result = l.out[0];
    free_layer(&l);
    return result;
}

int main(void) {
    for (uint32_t n_in = 1; n_in <= 40; n_in++) {
        for (uint32_t n_out = 1; n_out <= 40; n_out++) {
            check(n_in, n_out, -128, 127, 4);
        }
    }
    const uint32_t long_rows[] = {507, 508, 509, 1017, 2048, 5000};
    for (uint32_t i = 0; i < sizeof long_rows / sizeof long_rows[0]; i++) {
        check(long_rows[i], 9, -128, 127, 30);
        check(long_rows[i], 9, -128, -128, 0);
        check(long_rows[i], 9, 127, 127, 0);
    }
    CHECK(sum_of_four(1, 2, 4, 8) == 16, "1 + 2 + 4 + 8 + 1");
    CHECK(sum_of_four(0, 0, 0, 0) == 1, "the bias alone");
    CHECK(sum_of_four(0x1p-130f, 0, 0, 0) == 1, "denormals count as 0");
    CHECK(sum_of_four(0x1p127f, -0x1p127f, 0, 0) == 1, "at the upper end of floats");
    CHECK(isinf(sum_of_four(0x1.8p127f, 0x1.8p127f, 0, 0)), "beyond it");
    CHECK(isnan(sum_of_four(NAN, 0, 0, 0)) && isnan(sum_of_four(0, INFINITY, 0, 0)), "NaN and infinity");
    return 0;
}
