// A dense layer's int8 weights in the order in which the Cortex-M33 multiplies them fastest, and their sums.
//
// The layout s8_quad has in a word one column of four rows, u = w + 128 each; the words of eight rows alternate. Here a
// word has two columns of two rows: of the four columns a, b, c, d that follow one another,
//
//     s8_quad    u0 u1 u2 u3 of a    of b                of c                of d
//     here       u0 w1 of a, of c    u2 w3 of a, of c    u0 w1 of b, of d    u2 w3 of b, of d
//
// so the halves of four words change places, and the upper byte of each half gets its sign: the same bytes, and one
// pass over them. Words of eight rows alternate as before, by twos. Two columns apart, as SXTB16 takes x from a word
// that way. armv8m/pairs_s8.S has the sums, which need not be widened, so a panel is only what stands side by side.
#include "kernels/dense_s8.h"

#include "kernels/pairs_s8.h"

#ifdef ANNE_REPACKS

#define SIGNS 0x80008000u // of the upper bytes

// Of two words the lower halves, and the upper ones.
static inline uint32_t lower(uint32_t a, uint32_t c) {
    return (a & 0xffff) | c << 16;
}

static inline uint32_t upper(uint32_t a, uint32_t c) {
    return a >> 16 | (c & 0xffff0000);
}

// Four columns of `fours` times four rows, 1 or 2.
static inline void repack_block(uint32_t *words, uint32_t fours, bool back) {
    uint32_t made[8];
    for (uint32_t i = 0; i < fours; i++) {
        for (uint32_t pair = 0; pair < 2; pair++) { // a and c, b and d
            if (back) {
                const uint32_t *at = words + 2 * fours * pair + 2 * i;
                made[fours * pair + i] = lower(at[0], at[1]) ^ SIGNS;
                made[fours * (pair + 2) + i] = upper(at[0], at[1]) ^ SIGNS;
            } else {
                const uint32_t a = words[fours * pair + i], c = words[fours * (pair + 2) + i];
                made[2 * fours * pair + 2 * i] = lower(a, c) ^ SIGNS;
                made[2 * fours * pair + 2 * i + 1] = upper(a, c) ^ SIGNS;
            }
        }
    }
    memcpy(words, made, 4 * fours * sizeof *words);
}

void anne_dense_s8_repack(uint32_t *weights, uint32_t n_in, uint32_t n_out, bool back) {
    for (uint32_t columns; n_in > 0; n_in -= columns < n_in ? columns : n_in) {
        columns = anne_dense_s8_scratch(n_in);
        const uint32_t fours = (n_out + 3) / 4;
        for (const uint32_t *end = weights + fours / 2 * 2 * columns; weights != end; weights += 8) {
            repack_block(weights, 2, back);
        }
        for (const uint32_t *end = weights + fours % 2 * columns; weights != end; weights += 4) {
            repack_block(weights, 1, back);
        }
    }
}

// --- Sums of one x --------------------------------------------------------------------------------------------------

// Words with x0 and x2, then x1 and x3 of each four x; returns -128 times their sum.
static int32_t spread(const int8_t *x, uint32_t n, uint32_t *pairs) {
    int32_t sum = 0;
#pragma GCC unroll 4
    for (const int8_t *end = x + n / 4 * 4; x != end; x += 4, pairs += 2) {
        uint32_t word;
        memcpy(&word, __builtin_assume_aligned(x, 4), sizeof word);
        const anne_spread_t both = anne_spread(word);
        pairs[0] = both.even;
        pairs[1] = both.odd;
        sum = anne_spread_sum(both, sum);
    }
    if (n % 4 > 0) {
        uint32_t word = 0;
        memcpy(&word, x, n % 4);
        const anne_spread_t both = anne_spread(word);
        pairs[0] = both.even;
        pairs[1] = both.odd;
        sum = anne_spread_sum(both, sum);
    }
    return -128 * sum;
}

// Of n_out rows, the weights of which begin with those of the first; `rows` are left from there on.
static void sum_panel(const uint32_t *weights, uint32_t rows, const int32_t *bias, const uint32_t *x, uint32_t columns,
                      int32_t start, uint32_t n_out, int32_t *acc) {
    const uint32_t alternate = (rows + 3) / 8 * 8; // rows
    const uint32_t whole = n_out / 4 * 4, first = whole < alternate ? whole : alternate;
    if (first > 0) {
        anne_pairs_s8_rows_16(weights, bias, x, columns, start, first, acc);
    }
    if (first < n_out) { // four, or of four, whose others are nobody's
        const anne_pairs_four_t four = anne_pairs_four(weights, first / 4, rows, columns);
        const uint32_t left = n_out - first;
        int32_t sums[4] = {0};
        for (uint32_t i = 0; i < left; i++) {
            sums[i] = bias[first + i];
        }
        (four.alternates ? anne_pairs_s8_rows_16 : anne_pairs_s8_rows_8)(four.weights, sums, x, columns, start, 4,
                                                                         sums);
        for (uint32_t i = 0; i < left; i++) {
            acc[first + i] = sums[i];
        }
    }
}

void anne_dense_s8_rows(const uint32_t *weights, uint32_t rows, uint32_t first, const int32_t *bias, const int8_t *x,
                        uint32_t n_in, uint32_t n_out, int32_t *scratch, int32_t *acc) {
    uint32_t *pairs = (uint32_t *)scratch;
    for (uint32_t columns, n; n_in > 0; n_in -= n, x += n, bias = acc) {
        n = n_in < ANNE_DENSE_S8_PANEL ? n_in : ANNE_DENSE_S8_PANEL;
        columns = anne_dense_s8_columns(n);
        const int32_t start = spread(x, n, pairs);
        sum_panel(anne_pairs_four(weights, first / 4, rows, columns).weights, rows - first, bias, pairs, columns, start,
                  n_out, acc);
        weights += (rows + 3) / 4 * columns;
    }
}

#endif
