// Rows of a convolution on int8: the three products of dense_s8.c, run after run.
//
// A, B and G of four rows are sums over columns, whatever order they come in and wherever x lies. So a window of 3 by 3
// is three runs of the image, and the weights go on where the last run ended. Where channels are a multiple of 4, x
// comes four numbers a word.
//
// dense_s8.c has the algebra and the proof: in a panel of up to 511 columns each sum is below 2^23. The 128 that each
// weight has too much is taken off with the sum of x: words find it with few steps beforehand, once for all rows, in
// two 16-bit lanes of which take 2 * 255 a word, at most 127 * 510 < 2^16 in a panel; bytes have it on the way.
#include "kernels/conv_rows_s8.h"

#include <stddef.h>
#include <string.h>

#include "kernels/dense_s8.h"
#include "kernels/processor.h"
#include "kernels/quad_s8.h"

#ifdef ANNE_ARMV8M // conv_rows_s8_armv8m.c

#elif !defined(__ARM_ARCH_6M__) || defined(ANNE_PORTABLE) // else armv6m/conv_rows_s8.S

static inline uint32_t word_of(const int8_t *x) {
    uint32_t word;
    memcpy(&word, __builtin_assume_aligned(x, 4), sizeof word);
    return word;
}

void anne_add_sums_s8(const int8_t *x, uint32_t n, uint32_t count, int32_t *sums) {
    for (const int32_t *end = sums + count; sums != end; sums++) {
        uint32_t lanes = 0;
        for (const int8_t *end_of_x = x + n; x != end_of_x; x += 4) {
            uint32_t word = word_of(x) ^ 0x80808080; // + 128 each
            lanes += (word & 0x00ff00ff) + (word >> 8 & 0x00ff00ff);
        }
        *sums += (int32_t)((lanes & 0xffff) + (lanes >> 16)) - 128 * (int32_t)n;
    }
}

void anne_conv_rows_s8_enter(const anne_conv_rows_s8_t *job, anne_run_t *runs, uint32_t n_runs) {
    (void)job, (void)runs, (void)n_runs;
}

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
        sum_x += *x;            \
        COLUMN(*weights, *x++); \
        weights += step;        \
    } while (0)

// A function that sums four rows over the runs of a panel, `start` being anne_conv_start or 0, and adds the bias.
#define FOUR_ROWS(name, COLUMNS, step)                                                                           \
    static void name(const anne_run_t *run, const int8_t *image, const int8_t *outside, const uint32_t *weights, \
                     int32_t start, const int32_t *bias, int32_t *sums) {                                        \
        uint32_t g = (uint32_t)start, a = g + (g << 16), b = a;                                                  \
        int32_t sum_x = 0, decoded[4];                                                                           \
        for (; run->n > 0; run++) {                                                                              \
            const int8_t *x = run->at < 0 ? outside : image + run->at;                                           \
            for (const int8_t *end = x + run->n; x != end;) {                                                    \
                COLUMNS(step);                                                                                   \
            }                                                                                                    \
        }                                                                                                        \
        uint32_t off = (uint32_t)anne_conv_start(sum_x);                                                         \
        const anne_quad_s8_t quad = {a + off + (off << 16), b + off + (off << 16), g + off};                     \
        anne_quad_decode(&quad, decoded);                                                                        \
        for (uint32_t i = 0; i < 4; i++) {                                                                       \
            sums[i] = bias[i] + decoded[i];                                                                      \
        }                                                                                                        \
    }

FOUR_ROWS(words_1, COLUMNS_OF_A_WORD, 1)
FOUR_ROWS(words_2, COLUMNS_OF_A_WORD, 2)
FOUR_ROWS(bytes_1, COLUMN_OF_A_BYTE, 1)
FOUR_ROWS(bytes_2, COLUMN_OF_A_BYTE, 2)

typedef void four_rows_t(const anne_run_t *run, const int8_t *image, const int8_t *outside, const uint32_t *weights,
                         int32_t start, const int32_t *bias, int32_t *sums);

void anne_conv_rows_s8(const anne_conv_rows_s8_t *job) {
    four_rows_t *const pairs = job->whole_words ? words_2 : bytes_2;
    four_rows_t *const alone = job->whole_words ? words_1 : bytes_1;
    const int8_t *x = job->x;
    const int32_t *start = job->starts;
    int8_t *y = job->y;
    for (uint32_t i = 0; i < job->n_pixels; i++, x += job->x_step, y += job->y_step) {
        int32_t sums[8];
        const int32_t *bias = job->bias;
        const uint32_t *weights = job->weights;
        for (const anne_run_t *run = job->runs;; run++) {
            (job->rows > 4 ? pairs : alone)(run, x, job->outside, weights, *start, bias, sums);
            if (job->rows > 4) {
                pairs(run, x, job->outside, weights + 1, *start, bias + 4, sums + 4);
            }
            start++;
            while (run->n > 0) {
                run++;
            }
            if (run->at == 0) {
                break;
            }
            weights = job->weights + (uint32_t)run->at / sizeof *weights;
            bias = sums;
        }
        for (uint32_t r = 0; r < job->rows; r++) {
            y[r] = (int8_t)anne_requantize_one(sums[r], &job->factors[r], job->output);
        }
    }
}

#else

_Static_assert(offsetof(anne_conv_rows_s8_t, x) == 12, "JOB_X"); // as armv6m/conv_rows_s8.S has them
_Static_assert(offsetof(anne_conv_rows_s8_t, rows) == 32, "JOB_ROWS");
_Static_assert(offsetof(anne_conv_rows_s8_t, outside) == 40, "JOB_OUTSIDE");
_Static_assert(offsetof(anne_conv_rows_s8_t, apart) == 60, "JOB_APART");

// Loops in armv6m/conv_rows_s8.S, and where their second round begins: all rounds are of one size.
extern const uint8_t anne_conv_rows_s8_words[], anne_conv_rows_s8_words_2[];
extern const uint8_t anne_conv_rows_s8_bytes[], anne_conv_rows_s8_bytes_2[];
extern const uint8_t anne_conv_rows_s8_four_words[], anne_conv_rows_s8_four_bytes[];
extern const uint8_t anne_conv_rows_s8_end[], anne_conv_rows_s8_end_four[], anne_conv_rows_s8_end_bytes[];
extern const uint8_t anne_conv_rows_s8_end_apart[], anne_conv_rows_s8_end_four_apart[];
enum { WORDS = 8, BYTES = 9 }; // rounds

static const uint8_t *end_of(const anne_conv_rows_s8_t *job) {
    if (!job->whole_words) {
        return anne_conv_rows_s8_end_bytes;
    }
    if (job->apart) {
        return job->rows <= 4 ? anne_conv_rows_s8_end_four_apart : anne_conv_rows_s8_end_apart;
    }
    return job->rows <= 4 ? anne_conv_rows_s8_end_four : anne_conv_rows_s8_end;
}

void anne_conv_rows_s8_enter(const anne_conv_rows_s8_t *job, anne_run_t *runs, uint32_t n_runs) {
    const bool words = job->whole_words;
    const uint8_t *first = words ? anne_conv_rows_s8_words : anne_conv_rows_s8_bytes, *end = end_of(job);
    uint32_t size = (uint32_t)((words ? anne_conv_rows_s8_words_2 : anne_conv_rows_s8_bytes_2) - first);
    if (job->rows <= 4) {
        first = words ? anne_conv_rows_s8_four_words : anne_conv_rows_s8_four_bytes;
        size = 0;
    }
    for (const anne_run_t *behind = runs + n_runs; runs != behind; runs++) {
        uint32_t skipped = words ? (0u - runs->n / 4) % WORDS : (BYTES - runs->n % BYTES) % BYTES;
        runs->entry = (uint32_t)(runs->n == 0 ? end : first + skipped * size);
    }
}

#endif
