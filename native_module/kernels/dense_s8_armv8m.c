// A dense layer's int8 weights in the order in which the Cortex-M33 multiplies them fastest, and their sums.
//
// The layout s8_quad has in a word one column of four rows, each with 128 more; the words of eight rows alternate. Here
// a word has four columns of one row, as they are, and the words of four rows alternate, over all columns of a panel,
// before those of the next four: the same bytes, so they change places in memory. A byte goes by twice: first the four
// by four of four words are transposed, then the blocks of four words go where they belong, along the cycles of that
// permutation, which a bit for each block marks as done. In a panel of 508 columns eight rows have 254 blocks.
#include <string.h>

#include "kernels/dense_s8.h"

#ifdef ANNE_REPACKS

#define BLOCK_WORDS 4
#define MOST_BLOCKS (ANNE_DENSE_S8_PANEL / 4 * 2)

typedef struct {
    uint32_t words[BLOCK_WORDS];
} block_t;

// Byte j of word i becomes byte i of word j.
static block_t transposed(const uint32_t *words, uint32_t step) {
    const uint32_t a = words[0], b = words[step], c = words[2 * step], d = words[3 * step];
    const uint32_t even_ab = (a & 0x00ff00ff) | (b & 0x00ff00ff) << 8;
    const uint32_t odd_ab = (a >> 8 & 0x00ff00ff) | (b & 0xff00ff00);
    const uint32_t even_cd = (c & 0x00ff00ff) | (d & 0x00ff00ff) << 8;
    const uint32_t odd_cd = (c >> 8 & 0x00ff00ff) | (d & 0xff00ff00);
    return (block_t){{
        (even_ab & 0xffff) | even_cd << 16,
        (odd_ab & 0xffff) | odd_cd << 16,
        even_ab >> 16 | (even_cd & 0xffff0000),
        odd_ab >> 16 | (odd_cd & 0xffff0000),
    }};
}

static block_t without_128(block_t block) {
    for (uint32_t i = 0; i < BLOCK_WORDS; i++) {
        block.words[i] ^= 0x80808080;
    }
    return block;
}

// Blocks that alternate, of two times n, come to stand one half behind the other; or `back`.
static void part(block_t *blocks, uint32_t n, bool back) {
    uint32_t done[(MOST_BLOCKS + 31) / 32] = {0};
    for (uint32_t first = 0; first < 2 * n; first++) {
        if (done[first / 32] >> first % 32 & 1) {
            continue;
        }
        block_t moved = blocks[first];
        uint32_t at = first;
        do {
            at = back ? at < n ? 2 * at : 2 * (at - n) + 1 : at % 2 * n + at / 2;
            const block_t next = blocks[at];
            blocks[at] = moved;
            moved = next;
            done[at / 32] |= 1u << at % 32;
        } while (at != first);
    }
}

// Eight rows of a panel.
static void repack_eight(uint32_t *weights, uint32_t columns, bool back) {
    block_t *blocks = (void *)weights;
    if (back) {
        part(blocks, columns / 4, true);
    }
    for (block_t *end = blocks + columns / 2; blocks != end; blocks += 2) {
        uint32_t *words = blocks[0].words;
        if (back) {
            const block_t first = without_128(transposed(words, 1)), second = without_128(transposed(words + 4, 1));
            for (uint32_t i = 0; i < BLOCK_WORDS; i++) {
                words[2 * i] = first.words[i];
                words[2 * i + 1] = second.words[i];
            }
        } else {
            const block_t first = without_128(transposed(words, 2)), second = without_128(transposed(words + 1, 2));
            blocks[0] = first;
            blocks[1] = second;
        }
    }
    if (!back) {
        part((void *)weights, columns / 4, false);
    }
}

void anne_dense_s8_repack(uint32_t *weights, uint32_t n_in, uint32_t n_out, bool back) {
    for (uint32_t columns; n_in > 0; n_in -= columns < n_in ? columns : n_in) {
        columns = anne_dense_s8_scratch(n_in);
        uint32_t fours = (n_out + 3) / 4;
        for (; fours >= 2; fours -= 2, weights += 2 * columns) {
            repack_eight(weights, columns, back);
        }
        for (const uint32_t *end = weights + fours * columns; weights != end; weights += BLOCK_WORDS) {
            const block_t block = without_128(transposed(weights, 1));
            memcpy(weights, &block, sizeof block);
        }
    }
}

// --- Sums -----------------------------------------------------------------------------------------------------------

// In armv8m/dense_s8_fours.S.
void anne_dense_s8_fours(const uint32_t *weights, const int32_t *bias, const uint32_t *x, uint32_t columns,
                         uint32_t n_out, int32_t *acc);

// Two words with the even and with the odd of each four x.
static void spread(const int8_t *x, uint32_t n, uint32_t *pairs) {
#pragma GCC unroll 4
    for (const int8_t *end = x + n / 4 * 4; x != end; x += 4, pairs += 2) {
        uint32_t word;
        memcpy(&word, __builtin_assume_aligned(x, 4), sizeof word);
        __asm__("sxtb16 %0, %1" : "=r"(pairs[0]) : "r"(word));
        __asm__("sxtb16 %0, %1, ror #8" : "=r"(pairs[1]) : "r"(word));
    }
    if (n % 4 > 0) {
        const uint32_t odd = n % 4 > 1 ? (uint16_t)x[1] : 0, third = n % 4 > 2 ? (uint16_t)x[2] : 0;
        pairs[0] = (uint16_t)x[0] | third << 16;
        pairs[1] = odd;
    }
}

static void sum_panel(const uint32_t *weights, const int32_t *bias, const uint32_t *x, uint32_t columns, uint32_t n_out,
                      int32_t *acc) {
    const uint32_t whole = n_out / 4 * 4, left = n_out - whole;
    if (whole > 0) {
        anne_dense_s8_fours(weights, bias, x, columns, whole, acc);
    }
    if (left > 0) { // of four, whose others are nobody's
        int32_t sums[4] = {0};
        for (uint32_t i = 0; i < left; i++) {
            sums[i] = bias[whole + i];
        }
        anne_dense_s8_fours(weights + whole / 4 * columns, sums, x, columns, 4, sums);
        for (uint32_t i = 0; i < left; i++) {
            acc[whole + i] = sums[i];
        }
    }
}

void anne_dense_s8_rows(const uint32_t *weights, uint32_t rows, uint32_t first, const int32_t *bias, const int8_t *x,
                        uint32_t n_in, uint32_t n_out, int32_t *scratch, int32_t *acc) {
    uint32_t *pairs = (uint32_t *)scratch;
    for (uint32_t columns, n; n_in > 0; n_in -= n, x += n, bias = acc) {
        n = n_in < ANNE_DENSE_S8_PANEL ? n_in : ANNE_DENSE_S8_PANEL;
        columns = anne_dense_s8_columns(n);
        spread(x, n, pairs);
        sum_panel(weights + first / 4 * columns, bias, pairs, columns, n_out, acc);
        weights += (rows + 3) / 4 * columns;
    }
}

#endif
