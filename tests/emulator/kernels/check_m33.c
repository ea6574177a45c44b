// What models alone would hardly show of the Pico 2's kernels, on its processor core: from no request to a reply of one
// word for each check, 0 if all is well, else a number that says where.
#include <string.h>

#include "kernels/add.h"
#include "kernels/dense_s16.h"
#include "kernels/dense_s8.h"
#include "kernels/requantize.h"
#include "kernels/rescale.h"
#include "semihosting.h"

static uint32_t random_word(void) {
    static uint32_t state = 1;
    state = state * 1664525 + 1013904223;
    return state ^ state >> 15;
}

enum { MOST_WORDS = 1 << 15, MOST_IN = 1100, MOST_OUT = 80 };
static uint32_t packed[MOST_WORDS], rewritten[MOST_WORDS];
static int32_t scratch[2 * MOST_IN], bias[MOST_OUT], sums[MOST_OUT], other[MOST_OUT];
static int8_t x_s8[MOST_IN] __attribute__((aligned(4)));
static int16_t x_s16[MOST_IN] __attribute__((aligned(4)));

static void fill(uint32_t words) {
    for (uint32_t i = 0; i < words; i++) {
        packed[i] = rewritten[i] = random_word();
    }
    for (uint32_t i = 0; i < MOST_IN; i++) {
        x_s8[i] = (int8_t)random_word();
        x_s16[i] = (int16_t)(random_word() % 64); // with any weights no sum leaves 32 bits
    }
    for (uint32_t i = 0; i < MOST_OUT; i++) {
        bias[i] = (int32_t)random_word() >> 8;
    }
}

// Sums of rewritten weights are those of the packed ones, of all rows and of a band; written back they are the same.
static uint32_t check_shape(uint32_t n_in, uint32_t n_out) {
    const uint32_t words = (uint32_t)anne_dense_s8_words(n_in, n_out), here = n_in << 8 | n_out;
    fill(words);
    anne_dense_s8_repack(rewritten, n_in, n_out, false);
    for (uint32_t first = 0; first < n_out; first += 8) {
        const uint32_t n = n_out - first;
        anne_dense_s8_band(packed, n_out, first, bias, x_s8, n_in, n, scratch, sums);
        anne_dense_s8_rows(rewritten, n_out, first, bias, x_s8, n_in, n, scratch, other);
        if (memcmp(sums, other, n * sizeof *sums) != 0) {
            return here;
        }
    }
    anne_dense_s8_repack(rewritten, n_in, n_out, true);
    return memcmp(packed, rewritten, words * sizeof *packed) != 0 ? here : 0;
}

static uint32_t check_shape_s16(uint32_t n_in, uint32_t n_out) {
    const uint32_t words = (uint32_t)anne_dense_s16_words(n_in, n_out), here = n_in << 8 | n_out;
    fill(words);
    anne_dense_s16_repack(rewritten, n_in, n_out);
    anne_dense_s16(packed, bias, x_s16, n_in, n_out, scratch, sums);
    anne_dense_s16_repacked(rewritten, bias, x_s16 + n_out % 2, n_in, n_out, scratch, other); // also where it is odd
    if (n_out % 2 == 0 && memcmp(sums, other, n_out * sizeof *sums) != 0) {
        return here;
    }
    anne_dense_s16(packed, bias, x_s16 + n_out % 2, n_in, n_out, scratch, sums);
    if (memcmp(sums, other, n_out * sizeof *sums) != 0) {
        return here;
    }
    anne_dense_s16_repack(rewritten, n_in, n_out);
    return memcmp(packed, rewritten, words * sizeof *packed) != 0 ? here : 0;
}

static uint32_t check_weights(uint32_t (*check)(uint32_t n_in, uint32_t n_out)) {
    for (uint32_t n_in = 1; n_in <= 40; n_in++) {
        for (uint32_t n_out = 1; n_out <= 20; n_out++) {
            if (check(n_in, n_out) != 0) {
                return check(n_in, n_out);
            }
        }
    }
    static const uint16_t long_ones[] = {507, 508, 509, 512, 516, 1016, 1019};
    for (uint32_t i = 0; i < sizeof long_ones / sizeof *long_ones; i++) {
        for (uint32_t n_out = 1; n_out <= 17; n_out++) {
            if (check(long_ones[i], n_out) != 0) {
                return check(long_ones[i], n_out);
            }
        }
    }
    return 0;
}

// Any factor and any sum of so many bits but the least, many of them at the edges.
static int32_t any_sum(uint32_t bits) {
    const int32_t greatest = (int32_t)((1u << (bits - 1)) - 1);
    int32_t sum = (int32_t)(random_word() >> random_word() % 32 >> 1);
    if (random_word() % 4 == 0) {
        sum = greatest - (int32_t)(random_word() % 3);
    }
    sum = sum > greatest ? sum & greatest : sum;
    return random_word() % 2 ? -sum : sum;
}

static anne_rescale_t any_factor(int32_t most) {
    static const int32_t multipliers[] = {0, 1, (1 << 30) - 1, 1 << 30, (1 << 30) + 1, INT32_MAX};
    const uint32_t which = random_word() % 12;
    return (anne_rescale_t){which < 6 ? multipliers[which] : (int32_t)(random_word() >> 1),
                            most - (int32_t)(random_word() % (uint32_t)(most + 32))};
}

// int16 from any sum, int8 from those below 2^30.
static uint32_t check_requantize(void) {
    for (uint32_t i = 1; i < 200000; i++) {
        const anne_rescale_t factor = any_factor(ANNE_MAX_SHIFT);
        const bool whole = random_word() % 2;
        const anne_output_t output = {0, whole ? INT16_MIN : -300, whole ? INT16_MAX : 1000};
        const int32_t sum = any_sum(32);
        int16_t y;
        anne_requantize_s16(&sum, &factor, 1, output, &y);
        if (y != anne_requantize_one(sum, &factor, &output)) {
            return i;
        }
        const anne_output_t byte = {(int8_t)random_word(), whole ? -128 : -100, whole ? 127 : 90};
        int32_t small = any_sum(30);
        const int32_t expected = anne_requantize_one(small, &factor, &byte);
        int8_t z;
        anne_requantize_s8(&small, &factor, NULL, 1, &byte, &z);
        if (z != expected) {
            return i;
        }
    }
    return 0;
}

static uint32_t check_rescale_small(void) {
    for (uint32_t i = 1; i < 200000; i++) {
        const anne_rescale_t factor = any_factor(0);
        const int32_t x = i == 1 ? 1 << 30 : any_sum(31);
        if ((i > 1 || factor.shift > -31) && anne_rescale_small(x, factor) != anne_rescale(x, factor)) {
            return i;
        }
    }
    return 0;
}

int main(void) {
    const uint32_t reply = open_file("reply", 5, WRITE_BINARY);
    const uint32_t found[] = {check_weights(check_shape), check_weights(check_shape_s16), check_requantize(),
                              check_rescale_small()};
    write_bytes(reply, found, sizeof found);
    leave();
    return 0;
}
