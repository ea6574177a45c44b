// Dense layer on int4: eight multiply-accumulates with four multiplications, and three masks.
//
// A word Q holds the weights of eight rows in one column as nibbles u_k = w_k + 8, u0 lowest. With the mask 0x000f000f
// two of them come out, 16 bits apart:
//
//   D_k = sum of ((Q >> 4 k) & 0x000f000f) x = S_k + 2^16 S_k+4,      S_k = sum of u_k x
//
// for k = 1, 2, 3. For k = 0 no mask is needed: Q = sum over k of 2^(4 k) ((Q >> 4 k) & 0x000f000f), so
//
//   F = sum of Q x = D_0 + 2^4 D_1 + 2^8 D_2 + 2^12 D_3  modulo 2^32, which gives D_0.
//
// Starting with what the weights -8 would give turns S_k into the true sums, as all is linear; in a panel they fit 16
// bits (dense_s4.h), so the low half of D_k, with its sign, is S_k and what remains is S_k+4. Panels are added up in 32
// bits.
#include "kernels/dense_s4.h"

#include "kernels/dense_s8.h"

#if !defined(__ARM_ARCH_6M__) || defined(ANNE_PORTABLE) // else armv6m/dense_s4.S

#define LANES 0x000f000fu

void anne_dense_s4_panel(const uint32_t *weights, const int32_t *bias, const int32_t *x, uint32_t columns,
                         uint32_t eights, int32_t *acc, int32_t sum_x) {
    for (; eights > 0; eights--) {
        uint32_t f = 0u - 8 * 0x11111111u * (uint32_t)sum_x;
        uint32_t d1 = 0u - 8 * 0x10001u * (uint32_t)sum_x, d2 = d1, d3 = d1;
#pragma GCC unroll 1
        for (const int32_t *v = x, *end = x + columns; v != end; v++) {
            uint32_t q = *weights++, value = (uint32_t)*v;
            d1 += (q >> 4 & LANES) * value;
            d2 += (q >> 8 & LANES) * value;
            d3 += (q >> 12 & LANES) * value;
            f += q * value;
        }
        uint32_t lanes[4] = {f - (d1 << 4) - (d2 << 8) - (d3 << 12), d1, d2, d3};
        for (uint32_t k = 0; k < 4; k++) {
            int32_t low = (int16_t)(lanes[k] & 0xffff);
            acc[k] = bias[k] + low;
            acc[k + 4] = bias[k + 4] + ((int32_t)(lanes[k] - (uint32_t)low) >> 16);
        }
        bias += 8;
        acc += 8;
    }
}

#endif

void anne_dense_s4(const uint32_t *weights, const int32_t *bias, const int8_t *x, uint32_t n_in, uint32_t n_out,
                   uint32_t panel, int32_t *scratch, int32_t *acc) {
    uint32_t eights = n_out / 8, rest = n_out % 8;
    int32_t last_bias[8];
    for (uint32_t i = 0; rest > 0 && i < 8; i++) {
        last_bias[i] = i < rest ? bias[8 * eights + i] : 0;
    }
    const int32_t *rest_bias = last_bias;
    for (uint32_t done = 0; done < n_in; done += panel) {
        uint32_t n = n_in - done < panel ? n_in - done : panel, columns = anne_dense_s4_columns(n);
        int32_t sum_x = anne_expand_s8(x + done, n, scratch);
        if (eights > 0) {
            anne_dense_s4_panel(weights, bias, scratch, columns, eights, acc, sum_x);
            weights += eights * columns;
        }
        if (rest > 0) {
            anne_dense_s4_panel(weights, rest_bias, scratch, columns, 1, acc + 8 * eights, sum_x);
            weights += columns;
        }
        bias = acc;
        rest_bias = acc + 8 * eights;
    }
}
