// anne_dense_s8_quad against the plain loop: every shape to 40 x 40, long rows over panels, extremes.
#include "kernel_test.h"
#include "kernels/dense_s8.h"

// FORMAT.md, s8_quad, written down as it reads.
static void pack(const int8_t *w, uint32_t n_in, uint32_t n_out, uint8_t *packed) {
    for (uint32_t first = 0; first < n_in; first += ANNE_DENSE_S8_PANEL) {
        uint32_t n = n_in - first < ANNE_DENSE_S8_PANEL ? n_in - first : ANNE_DENSE_S8_PANEL;
        for (uint32_t r = 0; r < (n_out + 3) / 4 * 4; r += 8) {
            uint32_t rows = (n_out + 3) / 4 * 4 - r < 8 ? 4 : 8;
            for (uint32_t j = 0; j < anne_dense_s8_columns(n); j++) {
                for (uint32_t i = 0; i < rows; i++) {
                    *packed++ = (uint8_t)(r + i < n_out && j < n ? w[(r + i) * n_in + first + j] + 128 : 128);
                }
            }
        }
    }
}

// Weights and x from the given ranges.
static void check(uint32_t n_in, uint32_t n_out, int least_w, int most_w, int least_x, int most_x) {
    int8_t *w = exactly(n_in * n_out), *x = exactly(n_in);
    uint32_t *packed = exactly(anne_dense_s8_words(n_in, n_out) * 4);
    int32_t *bias = exactly(n_out * 4), *acc = exactly(n_out * 4);
    int32_t *scratch = exactly(anne_dense_s8_scratch(n_in) * 4);
    for (uint32_t i = 0; i < n_in * n_out; i++) {
        w[i] = (int8_t)any_of(least_w, most_w);
    }
    for (uint32_t j = 0; j < n_in; j++) {
        x[j] = (int8_t)any_of(least_x, most_x);
    }
    for (uint32_t r = 0; r < n_out; r++) {
        bias[r] = any_of(-(1 << 28), 1 << 28);
    }
    pack(w, n_in, n_out, (uint8_t *)packed);
    anne_dense_s8_quad(packed, bias, x, n_in, n_out, scratch, acc);
    for (uint32_t r = 0; r < n_out; r++) {
        int64_t expected = bias[r];
        for (uint32_t j = 0; j < n_in; j++) {
            expected += w[r * n_in + j] * x[j];
        }
        CHECK(acc[r] == expected, "%u x %u, row %u: %d, expected %lld", n_in, n_out, r, acc[r], (long long)expected);
    }
    free(w), free(x), free(packed), free(bias), free(acc), free(scratch);
}

int main(void) {
    for (uint32_t n_in = 1; n_in <= 40; n_in++) {
        for (uint32_t n_out = 1; n_out <= 40; n_out++) {
            check(n_in, n_out, -128, 127, -128, 127);
        }
    }
    const uint32_t long_rows[] = {507, 508, 509, 511, 512, 1016, 1017, 3000};
    for (uint32_t i = 0; i < sizeof long_rows / sizeof long_rows[0]; i++) {
        check(long_rows[i], 13, -128, 127, -128, 127);
        check(long_rows[i], 13, -128, -128, -128, -128); // the greatest sums there are
        check(long_rows[i], 13, -128, -128, 127, 127);
        check(long_rows[i], 13, 127, 127, -128, -128);
    }
    return 0;
}
