// anne_dense_s4 against the plain loop: every shape to 40 x 40, several panels, sums at the limit of 16 bits.
#include "kernel_test.h"
#include "kernels/dense_s4.h"

// FORMAT.md, s4, written down as it reads.
static void pack(const int8_t *w, uint32_t n_in, uint32_t n_out, uint32_t panel, uint32_t *packed) {
    for (uint32_t first = 0; first < n_in; first += panel) {
        uint32_t n = n_in - first < panel ? n_in - first : panel;
        for (uint32_t r = 0; r < n_out; r += 8) {
            for (uint32_t j = 0; j < anne_dense_s4_columns(n); j++) {
                uint32_t word = 0;
                for (uint32_t i = 0; i < 8; i++) {
                    int32_t weight = r + i < n_out && j < n ? w[(r + i) * n_in + first + j] : 0;
                    word |= (uint32_t)(weight + 8) << 4 * i;
                }
                *packed++ = word;
            }
        }
    }
}

static void check(uint32_t n_in, uint32_t n_out, uint32_t panel, int least_w, int most_w, int least_x, int most_x) {
    int8_t *w = exactly(n_in * n_out), *x = exactly(n_in);
    uint32_t *packed = exactly(anne_dense_s4_words(n_in, n_out) * 4);
    int32_t *bias = exactly(n_out * 4), *acc = exactly(anne_dense_s4_rows(n_out) * 4);
    int32_t *scratch = exactly(anne_dense_s4_scratch(n_in, panel) * 4);
    for (uint32_t i = 0; i < n_in * n_out; i++) {
        w[i] = (int8_t)any_of(least_w, most_w);
    }
    for (uint32_t j = 0; j < n_in; j++) {
        x[j] = (int8_t)any_of(least_x, most_x);
    }
    for (uint32_t r = 0; r < n_out; r++) {
        bias[r] = any_of(-(1 << 28), 1 << 28);
    }
    pack(w, n_in, n_out, panel, packed);
    anne_dense_s4(packed, bias, x, n_in, n_out, panel, scratch, acc);
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
            check(n_in, n_out, 28, -8, 7, -128, 127);
        }
    }
    check(300, 9, 28, -8, -8, -128, -128); // 28 * 8 = 224 of 255
    check(300, 9, 36, 7, 7, -128, -128);   // 36 * 7 = 252
    check(300, 9, 36, 7, 7, 127, 127);
    check(500, 20, 252, -1, 1, -128, 127);
    return 0;
}
