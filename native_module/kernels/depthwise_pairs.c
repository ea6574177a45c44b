// Sums of lanes: with two pixels of a channel in one word, x = a + 2^16 b, one product with a weight serves both. Taps
// come in segments of three neighbours with |w0| + |w1| + |w2| <= 255; of one segment a lane sums to |s| <= 255 128 <
// 2^15. With the sum A = sa + 2^16 sb mod 2^32 the upper one is sb = (A + 2^15) >> 16. L, the sum of all A, and H, that
// of all sb, make the sums of both lanes: H, and L - 2^16 H mod 2^32, whatever their size. Of larger weights the third
// product is a sum of its own: |w0| + |w1| <= 255, unless both are -128. For these, and where there is no such loop,
// the segment is split into two, (w0 - t, w1, 0) and (t, 0, w2) with t = w0 / 2: at most 192 each.
//
// Two neighbouring pairs are summed together, so that each weight and, at a stride of 1, each word but two of six are
// loaded once for both. Segments are a stream of words in scratch; where it ends its address says, a multiple of 1024.
// Three segments, which most windows have, are unrolled.
//
// Rescaling. A channel has one factor, so what requantize.c does for each row is prepared here for all its pixels, more
// exactly. With v = S multiplier 2^(shift - 31), n = -shift and m = 2^24 v / S rounded,
//
//   2^24 v = S m + error        |error| <= |S| / 2
//
// and the first rounding moves v by 2^(-n - 1) at most. With E = |S|max / 2 + 2^(23 - n) + 1 the value whose whole part
// is the result, 2^24 (v + zero_point + 1/2), is from q - 2 E to q for q = S m + 2^24 zero_point + 2^23 + E. Unless the
// fraction of q is at most 2 E, which is seldom (1 %), the upper byte of q is the result's byte, whatever has wrapped.
// That holds for S from least_sum to least_sum + range, where no limit matters: t = S - least_sum is above range,
// unsigned, where one might. Farther out by `near` one does for sure; all else is rescaled exactly. Where the limits
// matter 2^32 / m steps of 2^-8 tell, to within a step each and what m is off by, 2^31 / m^2 at most: with near / 2 =
// 2^20 / m + 4 on the safe side for m >= 2^11.
#include "kernels/depthwise_pairs.h"

void anne_pair_one(const anne_pairing_t *pairing) {
    const int8_t *a = pairing->a, *b = pairing->b;
    uint32_t a_step = pairing->a_step, b_step = pairing->b_step;
    int32_t *pairs = pairing->pairs;
    for (uint32_t rows = pairing->rows; rows > 0; rows--) {
        for (const int32_t *end = pairs + pairing->n; pairs < end; a += a_step, b += b_step) {
            *pairs++ = anne_pair(*a, *b);
        }
        a += pairing->a_skip, b += pairing->b_skip, pairs += pairing->row_skip;
    }
}

#define LEAST_M     (1u << 11)
#define LEAST_SHIFT (-23)
#define MOST_SHIFT  (-2)

// Without a good approximation all is rescaled exactly.
void anne_finish_prepare(anne_finish_t *finish) {
    const anne_output_t *output = finish->output;
    int32_t shift = finish->factor->shift, zero_point = output->zero_point;
    finish->range = finish->unsure = UINT32_MAX;
    finish->least_sum = 0;
    if (shift < LEAST_SHIFT || shift > MOST_SHIFT) {
        return;
    }
    uint32_t m = (((uint32_t)finish->factor->multiplier >> (6 - shift)) + 1) >> 1;
    if (m < LEAST_M) {
        return;
    }
    int32_t unit = (int32_t)(UINT32_MAX / m), slack = (unit >> 12) + 4; // a unit is 2^8 steps of y
    int32_t least = ((2 * (output->least - zero_point) - 1) * unit >> 9) + slack;
    int32_t most = ((2 * (output->most - zero_point) + 1) * unit >> 9) - slack;
    if (most < least) {
        return;
    }
    uint32_t larger = (uint32_t)(-least > most ? -least : most);
    uint32_t error = larger / 2 + (1u << (23 + shift)) + 1;
    finish->multiplier = m;
    finish->near = 2 * slack;
    finish->range = (uint32_t)(most - least);
    finish->least_sum = least;
    finish->start = (uint32_t)least * m + ((uint32_t)zero_point << 24) + (1u << 23) + error;
    finish->unsure = error << 9;
}

#ifdef ANNE_ARMV8M // the sums are in armv8m/depthwise_pairs.S

// The halves of x, as bytes with their signs, two of four in a word.
static inline uint32_t bytes_0_2(uint32_t x) {
    uint32_t halves;
    __asm__("sxtb16 %0, %1" : "=r"(halves) : "r"(x));
    return halves;
}

static inline uint32_t bytes_1_3(uint32_t x) {
    uint32_t halves;
    __asm__("sxtb16 %0, %1, ror #8" : "=r"(halves) : "r"(x));
    return halves;
}

static inline void put_pairs(uint32_t a, uint32_t b, int32_t *pair, uint32_t apart) {
    __asm__("pkhbt %0, %1, %2, lsl #16" : "=r"(pair[0]) : "r"(a), "r"(b));
    __asm__("pkhtb %0, %1, %2, asr #16" : "=r"(pair[apart]) : "r"(b), "r"(a));
}

void anne_pair_four(const anne_pairing_t *pairing) {
    const uint32_t plane = pairing->plane_words, a_step = pairing->a_step, b_step = pairing->b_step;
    const int8_t *a = pairing->a, *b = pairing->b;
    int32_t *pairs = pairing->pairs;
    for (uint32_t rows = pairing->rows; rows > 0; rows--) {
        for (const int32_t *end = pairs + pairing->n; pairs < end; a += a_step, b += b_step) {
            const uint32_t four_a = *(const uint32_t *)(const void *)a, four_b = *(const uint32_t *)(const void *)b;
            put_pairs(bytes_0_2(four_a), bytes_0_2(four_b), pairs, 2 * plane);
            put_pairs(bytes_1_3(four_a), bytes_1_3(four_b), pairs + plane, 2 * plane);
            pairs++;
        }
        a += pairing->a_skip, b += pairing->b_skip, pairs += pairing->row_skip;
    }
}

#elif !defined(__ARM_ARCH_6M__) || defined(ANNE_PORTABLE) // else armv6m/depthwise_pairs.S

void anne_pair_four(const anne_pairing_t *pairing) {
    const uint32_t plane = pairing->plane_words, a_step = pairing->a_step, b_step = pairing->b_step;
    const int8_t *a = pairing->a, *b = pairing->b;
    int32_t *pairs = pairing->pairs;
    for (uint32_t rows = pairing->rows; rows > 0; rows--) {
        for (const int32_t *end = pairs + pairing->n; pairs < end; a += a_step, b += b_step, pairs++) {
            pairs[0] = anne_pair(a[0], b[0]);
            pairs[plane] = anne_pair(a[1], b[1]);
            pairs[2 * plane] = anne_pair(a[2], b[2]);
            pairs[3 * plane] = anne_pair(a[3], b[3]);
        }
        a += pairing->a_skip, b += pairing->b_skip, pairs += pairing->row_skip;
    }
}

// The third product by itself serves all ways.
static void sum_window(const int32_t *stream, const uint8_t *window, int32_t *sums) {
    uint32_t low = 0;
    int32_t high = 0;
    do {
        const int32_t *x = (const int32_t *)(const void *)(window + stream[0]);
        uint32_t parts[2] = {0, 0};
#pragma GCC unroll 3
        for (uint32_t j = 0; j < 3; j++) {
            parts[j / 2] += (uint32_t)stream[1 + j] * (uint32_t)(stream[1 + j] == 0 ? 0 : x[j]);
        }
        low += parts[0] + parts[1];
        high += ((int32_t)(parts[0] + (1u << 15)) >> 16) + ((int32_t)(parts[1] + (1u << 15)) >> 16);
        stream += 4;
    } while ((uintptr_t)stream % ANNE_STREAM_END != 0);
    sums[0] = (int32_t)(low - ((uint32_t)high << 16));
    sums[1] = high;
}

void anne_sum_windows(const anne_windows_t *windows) {
    const uint8_t *row = windows->row, *row_end = windows->row_end;
    int32_t *sums = windows->sums;
    uint32_t bytes = windows->step / 2;
    for (uint32_t i = 0; i < windows->rows; i++, row += windows->row_bytes, row_end += windows->row_bytes) {
        const uint8_t *end = row_end + windows->odd * bytes;
        for (const uint8_t *window = row; window < end; window += bytes, sums += 2) {
            sum_window(windows->stream, window, sums);
        }
    }
}

#endif

#if !defined(__ARM_ARCH_6M__) || defined(ANNE_PORTABLE)

static int8_t finished(const anne_finish_t *finish, int32_t sum) {
    int32_t t = sum + finish->bias;
    if ((uint32_t)t <= finish->range) {
        uint32_t q = (uint32_t)t * finish->multiplier + finish->start;
        if (q << 8 > finish->unsure) {
            return (int8_t)(q >> 24);
        }
    } else if (t < -finish->near) {
        return (int8_t)finish->least;
    } else if (t > (int32_t)finish->range + finish->near) {
        return (int8_t)finish->most;
    }
    return (int8_t)anne_requantize_one(t + finish->least_sum, finish->factor, finish->output);
}

void anne_finish_pairs(const anne_finish_t *finish, const int32_t *sums, int8_t *y) {
    for (uint32_t rows = finish->rows; rows > 0; rows--, y += finish->row_skip) {
        for (uint32_t n = finish->row_bytes / 8; n > 0; n--, sums += 2, y += finish->step) {
            y[finish->second] = finished(finish, sums[1]);
            y[0] = finished(finish, sums[0]);
        }
    }
}

#endif
