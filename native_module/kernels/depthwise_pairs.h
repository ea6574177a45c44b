// Depthwise convolution of int8: what is done for pairs of pixels in a word (depthwise_pairs.c).
#ifndef ANNE_DEPTHWISE_PAIRS_H
#define ANNE_DEPTHWISE_PAIRS_H

#include "kernels/in_ram.h"
#include "kernels/processor.h"
#include "kernels/requantize.h"

// Two values of int8 in a word: a + 2^16 b, which a product with a weight multiplies together; on Cortex-M33 their
// halves side by side, which have products of their own.
static inline int32_t anne_pair(int32_t a, int32_t b) {
#ifdef ANNE_ARMV8M
    return (int32_t)((uint32_t)b << 16 | (uint16_t)a);
#else
    return a + b * 65536;
#endif
}

// Pairs that are made at a time: of `rows` rows `n` each, for one channel, or for four whose values are in a word.
typedef struct {
    const int8_t *a; // the first pair's lower lane, and its upper one; from each to the next are so many bytes
    const int8_t *b;
    uint32_t a_step;
    uint32_t b_step;
    int32_t *pairs;
    uint32_t n;           // 1 at least, as rows
    uint32_t plane_words; // from a channel's pairs to the next channel's
    uint32_t rows;
    uint32_t row_skip; // words from the end of a row of pairs to the next one
    int32_t a_skip;    // bytes likewise
    int32_t b_skip;
} anne_pairing_t;

// pairs[k plane_words + i] = anne_pair(a[k + i a_step], b[k + i b_step]) for channels k = 0, or 0 to 3, and likewise
// the further rows; for four a, b and what is added to them are multiples of 4.
void anne_pair_one(const anne_pairing_t *pairing);
ANNE_IN_RAM void anne_pair_four(const anne_pairing_t *pairing);

// Three neighbouring taps.
typedef struct {
    int32_t offset; // bytes, from the pair that a window begins with to the first of the three
    int32_t weights[3];
} anne_segment_t;

// How windows are summed, one or two pairs apart: any segments of |w0| + |w1| + |w2| <= 255; and, one pair apart, three
// such, or three of |w0| + |w1| <= 255.
typedef enum { ANNE_ANY_1, ANNE_ANY_2, ANNE_WHOLE_1, ANNE_PARTED_1 } anne_way_t;

// Windows of one channel: in each of `rows` some twos, and one more if they are odd.
typedef struct {
    const int32_t *stream;  // segments up to a multiple of ANNE_STREAM_END bytes
    int32_t *sums;          // of both lanes by turns
    uint32_t step;          // bytes from a window to the next but one
    const uint8_t *row_end; // behind the first row's twos, where their next window would begin
    uint32_t row_bytes;     // from the first window of a row to that of the next
    uint32_t rows;
    uint32_t odd;       // 1 if there is one more, else 0
    uint32_t skip;      // row_bytes without the steps of the twos
    const uint8_t *row; // the first window
    uint32_t way;
} anne_windows_t;

#define ANNE_STREAM_END 1024

ANNE_IN_RAM void anne_sum_windows(const anne_windows_t *windows);

// How sums of one channel become int8, see depthwise_pairs.c.
typedef struct {
    uint32_t multiplier;
    int32_t near;
    uint32_t range;
    uint32_t start;
    uint32_t unsure;
    uint32_t step;   // bytes from a pixel of y to the next,
    uint32_t second; // and to that of the upper lane
    int32_t bias;    // without least_sum
    int32_t least;
    uint32_t rows;
    uint32_t row_bytes; // of sums
    int32_t most;
    int32_t least_sum;
    const anne_rescale_t *factor;
    const anne_output_t *output;
    int32_t row_skip; // bytes of y behind a row
} anne_finish_t;

// Fills in what the factor and the output make of it: multiplier, near, range, start, unsure, least_sum.
void anne_finish_prepare(anne_finish_t *finish);

// For pairs of sums i < row_bytes / 8: y[i step + second], then y[i step] = the upper and the lower one rescaled; then
// likewise further rows.
ANNE_IN_RAM void anne_finish_pairs(const anne_finish_t *finish, const int32_t *sums, int8_t *y);

#endif // ANNE_DEPTHWISE_PAIRS_H
