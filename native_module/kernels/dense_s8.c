// Dense layer on int8: four multiply-accumulates with three multiplications, and no byte is ever unpacked.
//
// A word P holds the weights of four rows in one column as bytes u_r = w_r + 128:
//
//        31     24 23     16 15      8 7       0
//       +---------+---------+---------+---------+
//   P = |   u3    |   u2    |   u1    |   u0    |  = u0 + u1 z + u2 z^2 + u3 z^3   with z = 2^8
//       +---------+---------+---------+---------+
//
// rev16 swaps the bytes of each half in one cycle: rev16(P) = u1 + u0 z + u3 z^2 + u2 z^3. Let S_r = sum of u_r x over
// the columns. Modulo 2^32 = z^4, three wrapping sums suffice:
//
//   A = sum P x            = S0 + S1 z + S2 z^2 + S3 z^3
//   B = sum rev16(P) x     = S1 + S0 z + S3 z^2 + S2 z^3
//   G = sum (P >> 16) x    = S2 + S3 z
//
//   A - z B = S0 (1 - z^2) + S2 (z^2 - z^4) = S0 + (S2 - S0) z^2 = D
//
// All of it is linear, so the 128 in u = w + 128 goes away by starting the sums with what the weights 128 would give:
// A and B with -128 (1 + z + z^2 + z^3) X and G with -128 (1 + z) X, where X = sum of x. From then on S_r is the true
// sum of w x, and |S_r| < 2^23 in a panel of up to 511 columns: 24 bits of each are enough. Step by step, modulo 2^32
// (a product by z is a shift to the left by 8, and z^4 = 0):
//
//   S0 z = D z + (D - G) z^3                          for D z = S0 z + (S2 - S0) z^3, D z^3 = S0 z^3, G z^3 = S2 z^3
//   S1 z = A - G z^2 - S0                             for G z^2 = S2 z^2 + S3 z^3
//   S2 z = G z + G z^3 - (B - S0 z - S1)              for G z = S2 z + S3 z^2, and the rest of B is S3 z^2 + S2 z^3
//   S3 z = G - S2
//
// and an arithmetic shift by 8 takes each S, sign and all. Longer rows are cut into panels, each added to acc.
#include "kernels/dense_s8.h"

#include "kernels/processor.h"
#include "kernels/quad_s8.h"

#if !defined(__ARM_ARCH_6M__) || defined(ANNE_PORTABLE) // else armv6m/dense_s8.S

int32_t anne_expand_s8(const int8_t *x, uint32_t n_in, int32_t *expanded) {
    uint32_t columns = anne_dense_s8_columns(n_in);
    int32_t sum = 0;
#pragma GCC unroll 4
    for (uint32_t j = 0; j < n_in; j++) {
        expanded[j] = x[j];
        sum += x[j];
    }
    for (uint32_t j = n_in; j < columns; j++) {
        expanded[j] = 0;
    }
    return sum;
}

// Four rows; their words are `step` apart.
static inline void four_rows(const uint32_t *weights, const uint32_t step, const int32_t *x, uint32_t columns,
                             int32_t sum_x, int32_t *sums) {
    anne_quad_s8_t quad = anne_quad_start(sum_x);
#pragma GCC unroll 1
    for (const int32_t *end = x + columns; x != end;) {
        anne_quad_add(&quad, *weights, (uint32_t)*x++);
        weights += step;
    }
    anne_quad_decode(&quad, sums);
}

#ifdef ANNE_ARMV8M // armv8m/dense_s8.S
void anne_dense_s8_eights(const uint32_t *weights, const int32_t *bias, const int32_t *x, uint32_t columns,
                          uint32_t n_out, int32_t *acc, int32_t sum_x);
#endif

void anne_dense_s8_panel(const uint32_t *weights, const int32_t *bias, const int32_t *x, uint32_t columns,
                         uint32_t n_out, int32_t *acc, int32_t sum_x) {
    uint32_t r = 0;
#ifdef ANNE_ARMV8M
    r = n_out / 8 * 8;
    if (r > 0) {
        anne_dense_s8_eights(weights, bias, x, columns, r, acc, sum_x);
        weights += r / 4 * columns;
    }
#endif
    for (; r < n_out; r += 8) {
        int32_t sums[8];
        if (n_out - r > 4) { // words of eight rows alternate
            four_rows(weights, 2, x, columns, sum_x, sums);
            four_rows(weights + 1, 2, x, columns, sum_x, sums + 4);
            weights += 2 * columns;
        } else {
            four_rows(weights, 1, x, columns, sum_x, sums);
        }
        for (uint32_t i = 0; i < 8 && r + i < n_out; i++) {
            acc[r + i] = sums[i] + bias[r + i];
        }
    }
}

#endif

void anne_dense_s8_quad(const uint32_t *weights, const int32_t *bias, const int8_t *x, uint32_t n_in, uint32_t n_out,
                        int32_t *scratch, int32_t *acc) {
    anne_dense_s8_band(weights, n_out, 0, bias, x, n_in, n_out, scratch, acc);
}

void anne_dense_s8_band(const uint32_t *weights, uint32_t rows, uint32_t first, const int32_t *bias, const int8_t *x,
                        uint32_t n_in, uint32_t n_out, int32_t *scratch, int32_t *acc) {
    const uint32_t quads = (rows + 3) / 4, before = first / 4; // their words fit, as so many weights are there
    for (; n_in > ANNE_DENSE_S8_PANEL; n_in -= ANNE_DENSE_S8_PANEL) {
        anne_dense_s8_one_panel(weights + before * ANNE_DENSE_S8_PANEL, bias, x, ANNE_DENSE_S8_PANEL, n_out, scratch,
                                acc);
        weights += quads * ANNE_DENSE_S8_PANEL;
        bias = acc;
        x += ANNE_DENSE_S8_PANEL;
    }
    anne_dense_s8_one_panel(weights + before * anne_dense_s8_columns(n_in), bias, x, n_in, n_out, scratch, acc);
}
