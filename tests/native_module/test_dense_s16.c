// anne_dense_s16 against the plain loop: every shape to 40 x 40, sums at the limit of 32 bits.
#include "kernel_test.h"
#include "kernels/dense_s16.h"

static void check(uint32_t n_in, uint32_t n_out, int least_w, int most_w, int least_x, int most_x) {
    int16_t *w = exactly(n_in * n_out * 2), *x = exactly(n_in * 2);
    uint32_t *packed = exactly(anne_dense_s16_words(n_in, n_out) * 4);
    int32_t *bias = exactly(n_out * 4), *acc = exactly(n_out * 4);
    int32_t *scratch = exactly(anne_dense_s16_scratch(n_in) * 4);
    for (uint32_t j = 0; j < n_in; j++) {
        x[j] = (int16_t)any_of(least_x, most_x);
    }
    for (uint32_t r = 0; r < n_out; r++) {
        bias[r] = any_of(-1000, 1000);
        for (uint32_t j = 0; j < n_in; j++) {
            w[r * n_in + j] = (int16_t)any_of(least_w, most_w);
        }
        for (uint32_t j = 0; j < n_in; j += 2) { // FORMAT.md: w0 + 2^15 + 2^16 w1
            uint32_t odd = j + 1 < n_in ? (uint32_t)w[r * n_in + j + 1] : 0;
            packed[anne_dense_s16_index(n_in, n_out, r, j / 2)] = (uint32_t)(w[r * n_in + j] + 32768) + (odd << 16);
        }
    }
    anne_dense_s16(packed, bias, x, n_in, n_out, scratch, acc);
    for (uint32_t r = 0; r < n_out; r++) {
        int64_t expected = bias[r];
        for (uint32_t j = 0; j < n_in; j++) {
            expected += (int64_t)w[r * n_in + j] * x[j];
        }
        CHECK(acc[r] == expected, "%u x %u, row %u: %d, expected %lld", n_in, n_out, r, acc[r], (long long)expected);
    }
    free(w), free(x), free(packed), free(bias), free(acc), free(scratch);
}

int main(void) {
    for (uint32_t n_in = 1; n_in <= 40; n_in++) {
        for (uint32_t n_out = 1; n_out <= 40; n_out++) {
            check(n_in, n_out, -1600, 1600, -32768, 32767); // 40 * 1600 * 32768 < 2^31
        }
    }
    check(127, 7, 500, 500, -32768, -32768);
    check(127, 7, 500, 500, 32767, 32767);
    check(1, 8, -32768, -32768, 32767, 32767);
    check(2, 8, -32768, 32767, -32768, 32767);
    return 0;
}
