// anne_rescale and its vectors against the two roundings done in 64 bits, and by hand.
#include <math.h>

#include "kernel_test.h"
#include "kernels/requantize.h"

// round_away(round_up(saturate(x 2^max(shift, 0)) multiplier / 2^31) / 2^max(-shift, 0)), FORMAT.md as it reads.
static int64_t expected_of(int64_t x, int64_t multiplier, int32_t shift) {
    for (int32_t i = 0; i < shift; i++) {
        x = x * 2 > INT32_MAX ? INT32_MAX : x * 2 < INT32_MIN ? INT32_MIN : x * 2;
    }
    int64_t product = x * multiplier + (1ll << 30);
    int64_t up = product >= 0 ? product / (1ll << 31) : -((-product + (1ll << 31) - 1) / (1ll << 31));
    if (shift >= 0) {
        return up;
    }
    int64_t divisor = 1ll << -shift, magnitude = up < 0 ? -up : up;
    magnitude = (magnitude + divisor / 2) / divisor;
    return up < 0 ? -magnitude : magnitude;
}

static int32_t limited(int64_t value, anne_output_t output) {
    value += output.zero_point;
    return (int32_t)(value < output.least ? output.least : value > output.most ? output.most : value);
}

static void check_s8(const int32_t *sums, const anne_rescale_t *factors, uint32_t n) {
    anne_approximation_t *approximation = exactly(anne_approximation_bytes(n));
    int32_t *acc = exactly(n * sizeof *acc); // which is spoilt
    memcpy(acc, sums, n * sizeof *acc);
    int8_t *y = exactly(n);
    uint32_t largest_sum = 0;
    for (uint32_t i = 0; i < n; i++) {
        uint32_t magnitude = (uint32_t)abs(acc[i]);
        largest_sum = magnitude > largest_sum ? magnitude : largest_sum;
    }
    anne_output_t output = {any_of(-128, 127), any_of(-128, 0), any_of(0, 127)};
    anne_approximate(factors, n, largest_sum, approximation);
    anne_requantize_s8(acc, factors, approximation, n, &output, y);
    for (uint32_t i = 0; i < n; i++) {
        int64_t expected = expected_of(sums[i], factors[i].multiplier, factors[i].shift);
        CHECK(y[i] == limited(expected, output), "%d %d %d: %d", sums[i], factors[i].multiplier, factors[i].shift,
              y[i]);
    }
    free(approximation), free(acc), free(y);
}

// What anne_quick_rows makes, used as the assembly does: whatever is sure is right. Returns how many are.
static uint32_t check_quick(const int32_t *sums, const anne_rescale_t *factors, uint32_t n) {
    const anne_output_t output = {any_of(-128, 127), any_of(-128, 0), any_of(0, 127)};
    uint32_t n_sure = 0, largest_sum = 0;
    for (uint32_t i = 0; i < n; i++) {
        largest_sum |= (uint32_t)abs(sums[i]);
    }
    anne_quick_t quick;
    anne_quick_rows(factors, n, &output, largest_sum, &quick);
    for (uint32_t i = 0; i < n; i++) {
        const uint32_t row = n > 4 && i < 4 ? 3 - i : n > 4 ? n + 3 - i : n - 1 - i;
        const int32_t a = sums[row] * (1 << quick.left) >> (quick.factors[i] & 255);
        const uint32_t q = (uint32_t)a * (quick.factors[i] >> 16) + quick.start;
        const int32_t above = (int32_t)q >> 21; // the least
        const bool within = above >= 0 && above <= (int32_t)quick.range;
        if (a != (int16_t)a || (within && q << 11 <= quick.unsure)) {
            continue;
        }
        const int64_t expected = expected_of(sums[row], factors[row].multiplier, factors[row].shift);
        const int32_t got = above < 0 ? output.least : within ? above + output.least : output.most;
        CHECK(got == limited(expected, output), "%d %d %d: %d", sums[row], factors[row].multiplier, factors[row].shift,
              got);
        n_sure++;
    }
    return n_sure;
}

// Most of ordinary sums are sure, and those of a row without a product; none where a factor is no usual one.
static void check_quick_of_all_kinds(void) {
    uint32_t n_sure = 0, n_rows = 0;
    for (int round = 0; round < 100000; round++) {
        anne_rescale_t factors[8];
        int32_t acc[8];
        const uint32_t n = (uint32_t)any_of(1, 8);
        for (uint32_t r = 0; r < n; r++) {
            factors[r] = (anne_rescale_t){any_of(0, 9) ? any_of(1 << 30, INT32_MAX) : 0,
                                          any_of(0, 9) ? any_of(-31, -6) : any_of(-5, -2)};
            acc[r] = any_of(-250, 250) * (1 << (-factors[r].shift < 20 ? -factors[r].shift : 20)) + any_of(-99, 99);
        }
        n_sure += check_quick(acc, factors, n);
        n_rows += n;
        factors[0] = any_of(0, 1) ? (anne_rescale_t){(1 << 30) - 1, -9} : (anne_rescale_t){1 << 30, any_of(-1, 15)};
        acc[0] = any_of(-9, 9);
        CHECK(n > 1 || check_quick(acc, factors, n) == 0, "%d is sure", acc[0]);
    }
    CHECK(n_sure > n_rows / 10 * 9, "only %u of %u are sure", n_sure, n_rows);
}

// Where the approximate product could go wrong: sums on both sides of each half, with factors like those of trained
// networks, rows of which differ up to 2^5 times.
static void check_halves(void) {
    enum { ROWS = 16 };
    anne_rescale_t factors[ROWS];
    int32_t acc[ROWS];
    for (int round = 0; round < 3000; round++) {
        int32_t shift = any_of(-18, 0);
        for (uint32_t r = 0; r < ROWS; r++) {
            factors[r] = (anne_rescale_t){any_of(1 << 30, INT32_MAX), shift - any_of(0, 4)};
        }
        for (int half = -257; half < 257; half += 2) { // half / 2 = acc multiplier 2^(shift - 31)
            for (uint32_t r = 0; r < ROWS; r++) {
                double sum = ldexp(half, 30 - factors[r].shift) / factors[r].multiplier;
                acc[r] = (int32_t)fmax(fmin(sum, 1 << 28), -(1 << 28)) + any_of(-2, 2);
            }
            check_s8(acc, factors, ROWS);
            check_quick(acc, factors, 8);
            check_quick(acc + 8, factors + 8, (uint32_t)any_of(1, 8));
        }
    }
}

// Sums of which 32 bits would keep only 0 to 19 once they are shifted to the left, as shifts of -2 to -4 ask for.
static void check_wide_sums(void) {
    for (int32_t shift = -4; shift <= -2; shift++) {
        anne_rescale_t factor = {any_of(1 << 30, INT32_MAX), shift};
        for (int32_t low = 0; low < 20; low++) {
            int32_t sum = (1 << (26 - shift)) + low, negative = -sum;
            check_s8(&sum, &factor, 1);
            check_s8(&negative, &factor, 1);
        }
    }
}

int main(void) {
    check_halves();
    check_quick_of_all_kinds();
    check_wide_sums();
    // 2^30 2^(s - 31) = 2^(s - 1): 3 / 2 is halved up, 6 / 4 away from zero
    CHECK(anne_rescale(3, (anne_rescale_t){1 << 30, 0}) == 2, "1.5");
    CHECK(anne_rescale(-3, (anne_rescale_t){1 << 30, 0}) == -1, "-1.5");
    CHECK(anne_rescale(6, (anne_rescale_t){1 << 30, -1}) == 2, "1.5 in two steps");
    CHECK(anne_rescale(-6, (anne_rescale_t){1 << 30, -1}) == -2, "-1.5 in two steps");
    CHECK(anne_rescale(1 << 20, (anne_rescale_t){1 << 30, 15}) == 1 << 30, "saturated before the product");
    for (uint32_t i = 0; i < 200000; i++) {
        anne_rescale_t factor = {any_of(1 << 30, INT32_MAX), any_of(-31, ANNE_MAX_SHIFT)};
        factor.multiplier = i % 50 == 0 ? 0 : i % 50 == 1 ? INT32_MAX : factor.multiplier;
        int32_t wide = any_of(INT32_MIN, INT32_MAX) >> any_of(0, 30), narrow = any_of(-(1 << 29) + 1, (1 << 29) - 1);
        int64_t expected = expected_of(wide, factor.multiplier, factor.shift);
        int32_t got = anne_rescale(wide, factor);
        CHECK(got == expected, "%d %d %d: %d", wide, factor.multiplier, factor.shift, got);
        check_s8(&narrow, &factor, 1);
        int16_t y16;
        anne_output_t output = (anne_output_t){0, any_of(-32768, 0), any_of(0, 32767)};
        anne_requantize_s16(&wide, &factor, 1, output, &y16);
        CHECK(y16 == limited(expected, output), "%d: %d", wide, y16);
    }
    return 0;
}
