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
