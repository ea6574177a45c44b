// anne_dense_f32_aligned against sums in double, within the bound that follows from its definition; edge cases exactly.
#include "kernel_test.h"
#include "kernels/dense_f32_aligned.h"

#include <math.h>
#include <string.h>

// A word for W = 4096 h + l.
static uint32_t word(int32_t w) {
    int32_t h = (w + 2048) >> 12;
    return ((uint32_t)h << 16) + (uint32_t)(w - h * 4096 + 2048);
}

// Weights 2^exponent W of one row, x and a bias; the same row twice, as rows come in pairs.
static float row_of(const int32_t *w, int32_t exponent, const float *x, uint32_t n_in, float bias) {
    uint32_t *packed = exactly(anne_dense_f32_aligned_words(n_in, 2) * 4);
    uint32_t *next = packed;
    for (uint32_t j = 0; j < n_in; j++) {
        *next++ = word(w[j]); // panels follow each other: with two rows they are a panel's columns in sequence
        *next++ = word(w[j]);
        CHECK(anne_dense_f32_aligned_word_good(word(w[j])), "%d", w[j]);
    }
    int32_t exponents[2] = {exponent, exponent}, *scratch = exactly(anne_dense_f32_aligned_scratch(n_in, 2) * 4);
    float biases[2] = {bias, bias}, out[2];
    anne_dense_f32_aligned(packed, biases, exponents, x, n_in, 2, scratch, out);
    CHECK(memcmp(&out[0], &out[1], sizeof out[0]) == 0, "%g, %g", (double)out[0], (double)out[1]);
    free(packed), free(scratch);
    return out[0];
}

static void check_random(uint32_t n_in) {
    int32_t *w = exactly(n_in * 4);
    float *x = exactly(n_in * sizeof(float));
    double sum = 0.5, most_x = 0;
    for (uint32_t j = 0; j < n_in; j++) {
        w[j] = any_of(-(1 << 24), 1 << 24);
        x[j] = (float)any_of(-1000000, 1000000) / 1e6f;
        sum += ldexp(w[j], -24) * (double)x[j];
        most_x = fmax(most_x, fabs((double)x[j]));
    }
    float got = row_of(w, -24, x, n_in, 0.5f);
    // a column: x rounded by 2^-24, the product of low limbs 2^22 2^-48 left out; the sum rounded to 2^-24 n 2, and to
    // float
    double bound = n_in * (ldexp(1, -24) + ldexp(1, -25)) + ldexp(n_in, -22) + ldexp(fabs(sum), -24);
    CHECK(fabs((double)got - sum) <= bound, "%u columns: %.9g, expected %.9g", n_in, (double)got, sum);
    free(w), free(x);
}

int main(void) {
    for (uint32_t n_in = 1; n_in <= 400; n_in++) {
        check_random(n_in);
    }
    const int32_t one = 1 << 24, half = 1 << 23;
    // 1 * 1 + 0.5 * 2 + 0.25 = 2.25, all of them exact
    CHECK(row_of((int32_t[]){one, half}, -24, (float[]){1.0f, 2.0f}, 2, 0.25f) == 2.25f, "sum");
    CHECK(row_of((int32_t[]){one}, -24, (float[]){0.0f}, 1, 3.0f) == 3.0f, "x is zero");
    CHECK(row_of((int32_t[]){0}, -149, (float[]){1.0f}, 1, -3.0f) == -3.0f, "weight is zero");
    CHECK(row_of((int32_t[]){one}, -24, (float[]){1e-20f}, 1, 1.0f) == 1.0f, "bias far above");
    CHECK(row_of((int32_t[]){one}, -24, (float[]){1e20f}, 1, 1.0f) == 1e20f, "bias far below");
    CHECK(row_of((int32_t[]){one}, 104, (float[]){3e38f}, 1, 0.0f) == INFINITY, "too large");
    CHECK(row_of((int32_t[]){-one}, 104, (float[]){3e38f}, 1, 0.0f) == -INFINITY, "too large, negative");
    CHECK(row_of((int32_t[]){one}, -149, (float[]){1e-37f}, 1, 0.0f) == 0.0f, "too small");
    CHECK(row_of((int32_t[]){one}, -24, (float[]){1e-40f}, 1, 0.0f) == 0.0f, "a denormal counts as 0");
    CHECK(isnan(row_of((int32_t[]){0, 0}, 0, (float[]){1.0f, NAN}, 2, 0.0f)), "NaN");
    CHECK(isnan(row_of((int32_t[]){one, one}, -24, (float[]){INFINITY, 1.0f}, 2, 0.0f)), "infinity");
    CHECK(!anne_dense_f32_aligned_word_good(0x10010800) && !anne_dense_f32_aligned_word_good(0x00001000), "bad words");
    CHECK(anne_dense_f32_aligned_word_good(0x10000fff) && anne_dense_f32_aligned_word_good(0xf0000000), "good words");
    return 0;
}
