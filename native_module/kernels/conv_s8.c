// A convolution on int8, without a copy of what its window sees: the three products of dense_s8.c, run after run.
//
// A, B and G of four rows are sums over columns, whatever order they come in and wherever x lies. So a window of 3 by 3
// is three runs of the image, and the weights go on where the last run ended. Where channels are a multiple of 4, x
// comes four numbers a word, which costs 8 cycles for them on a Cortex-M0+ instead of 12; the weights' words, 8 for
// each, are the rest.
//
// dense_s8.c has the algebra and the proof: in a panel of up to 511 columns each sum is below 2^23. The 128 that each
// weight has too much is taken off with the sum of x, which is found once for all rows: in words of four, two 16-bit
// lanes of which take 2 * 255 a word, at most 127 * 510 < 2^16 in a panel.
#include "kernels/conv_s8.h"

#include <string.h>

#include "kernels/quad_s8.h"

static inline uint32_t word_of(const int8_t *x) {
    uint32_t word;
    memcpy(&word, __builtin_assume_aligned(x, 4), sizeof word);
    return word;
}

static inline const int8_t *numbers_of(const anne_seen_s8_t *seen, const anne_run_t *run) {
    return run->at == ANNE_OUTSIDE ? seen->outside : seen->x + run->at;
}

#define LOOP __attribute__((noinline)) static // as GCC keeps what a loop needs in registers, then

LOOP int32_t sum_of_words(const int8_t *x, const int8_t *end_of_x) {
    uint32_t lanes = 0;
#pragma GCC unroll 1
    for (const int8_t *word_at = x; word_at != end_of_x; word_at += 4) {
        uint32_t word = word_of(word_at) ^ 0x80808080; // + 128 each
        lanes += (word & 0x00ff00ff) + (word >> 8 & 0x00ff00ff);
    }
    return (int32_t)((lanes & 0xffff) + (lanes >> 16)) - 128 * (int32_t)(end_of_x - x);
}

LOOP int32_t sum_of_bytes(const int8_t *x, const int8_t *end_of_x) {
    int32_t sum = 0;
#pragma GCC unroll 1
    while (x != end_of_x) {
        sum += *x++;
    }
    return sum;
}

// The sum of what is seen by the runs.
static int32_t sum_of(const anne_seen_s8_t *seen, const anne_run_t *run, const anne_run_t *end) {
    int32_t sum = 0;
    for (; run != end; run++) {
        const int8_t *x = numbers_of(seen, run);
        sum += seen->whole_words ? sum_of_words(x, x + run->n) : sum_of_bytes(x, x + run->n);
    }
    return sum;
}

// --- Four rows, whose words are `step` apart: sums += what a run adds.

// What all rows of a panel have in common.
typedef struct {
    const anne_run_t *runs;
    const anne_run_t *end;
    const int8_t *x;
    const int8_t *outside;
    anne_quad_s8_t start;
} panel_t;

// One column: anne_quad_add on variables.
#define COLUMN(word, value)             \
    do {                                \
        uint32_t v = (uint32_t)(value); \
        uint32_t p = (word);            \
        g += (p >> 16) * v;             \
        b += anne_rev16(p) * v;         \
        a += p * v;                     \
    } while (0)

// Four columns, or one, of rows whose words are `step` apart.
#define COLUMNS_OF_A_WORD(step)                                \
    do {                                                       \
        uint32_t word = word_of(x);                            \
        x += 4;                                                \
        COLUMN(weights[0], (int8_t)(word & 0xff));             \
        COLUMN(weights[step], (int32_t)(word << 16) >> 24);    \
        COLUMN(weights[2 * step], (int32_t)(word << 8) >> 24); \
        COLUMN(weights[3 * step], (int32_t)word >> 24);        \
        weights += 4 * step;                                   \
    } while (0)

#define COLUMN_OF_A_BYTE(step)  \
    do {                        \
        COLUMN(*weights, *x++); \
        weights += step;        \
    } while (0)

// A function that sums four rows over all runs. Orders and ends are what GCC 12 makes the best code of for a
// Cortex-M0+: 59 cycles for a word, and with -fno-tree-reassoc, without which it holds products back to sum them first.
#define FOUR_ROWS(name, COLUMNS, step, begin, each)                                          \
    LOOP void name(const panel_t *panel, const uint32_t *weights, anne_quad_s8_t *sums) {    \
        uint32_t a = panel->start.a, b = a, g = panel->start.g;                              \
        const anne_run_t *run = panel->runs;                                                 \
        do {                                                                                 \
            const int8_t *x = run->at == ANNE_OUTSIDE ? panel->outside : panel->x + run->at; \
            const void *end = begin + (each) * run->n;                                       \
            _Pragma("GCC unroll 1") do {                                                     \
                COLUMNS(step);                                                               \
            }                                                                                \
            while (begin != end)                                                             \
                ;                                                                            \
        } while (++run != panel->end);                                                       \
        *sums = (anne_quad_s8_t){a, b, g};                                                   \
    }

FOUR_ROWS(words_1, COLUMNS_OF_A_WORD, 1, weights, 1)
FOUR_ROWS(words_2, COLUMNS_OF_A_WORD, 2, weights, 2)
FOUR_ROWS(bytes_1, COLUMN_OF_A_BYTE, 1, x, 1)
FOUR_ROWS(bytes_2, COLUMN_OF_A_BYTE, 2, x, 1)

typedef void four_rows_t(const panel_t *panel, const uint32_t *weights, anne_quad_s8_t *sums);

// acc[0] ... acc[rows - 1] = bias + the sums of the first of four rows.
LOOP void finish(const anne_quad_s8_t *sums, uint32_t rows, const int32_t *bias, int32_t *acc) {
    int32_t decoded[4];
    anne_quad_decode(sums, decoded);
    if (rows >= 4) {
        acc[0] = decoded[0] + bias[0];
        acc[1] = decoded[1] + bias[1];
        acc[2] = decoded[2] + bias[2];
        acc[3] = decoded[3] + bias[3];
        return;
    }
    for (uint32_t i = 0; i < rows; i++) {
        acc[i] = decoded[i] + bias[i];
    }
}

void anne_conv_s8(const uint32_t *weights, const int32_t *bias, const anne_seen_s8_t *seen, uint32_t n_in,
                  uint32_t n_out, int32_t *acc) {
    four_rows_t *const pairs = seen->whole_words ? words_2 : bytes_2, *const last =
                                                                          seen->whole_words ? words_1 : bytes_1;
    panel_t panel = {.end = seen->runs, .x = seen->x, .outside = seen->outside};
    while (n_in > 0) {
        uint32_t n = n_in < ANNE_DENSE_S8_PANEL ? n_in : ANNE_DENSE_S8_PANEL, columns = anne_dense_s8_columns(n);
        panel.runs = panel.end;
        for (uint32_t found = 0; found < n; panel.end++) {
            found += panel.end->n;
        }
        panel.start = anne_quad_start(sum_of(seen, panel.runs, panel.end));
        for (uint32_t r = 0; r < n_out; r += 4) { // words of eight rows alternate, if there are two fours
            bool second = r % 8 == 4, alone = !second && n_out - r <= 4;
            anne_quad_s8_t sums;
            (alone ? last : pairs)(&panel, weights, &sums);
            finish(&sums, n_out - r, bias + r, acc + r);
            weights += alone ? columns : second ? 2 * columns - 1 : 1;
        }
        bias = acc;
        n_in -= n;
    }
}
