// Products of two operands: integers against TensorFlow Lite Micro's arithmetic in its own words, and worked by hand;
// operands of which one element goes with many.
#include <math.h>

#include "kernels/binary.h"
#include "model_files.h"

// gemmlowp's SaturatingRoundingDoublingHighMul and RoundingDivideByPOT, which TensorFlow Lite Micro multiplies with.
static int64_t high_mul(int64_t a, int64_t b) {
    int64_t nudge = a * b >= 0 ? 1 << 30 : 1 - (1 << 30);
    return (a * b + nudge) / ((int64_t)1 << 31);
}

static int64_t divide_by_pot(int64_t x, int32_t exponent) {
    int64_t mask = ((int64_t)1 << exponent) - 1, remainder = x & mask, threshold = (mask >> 1) + (x < 0);
    return (x >> exponent) + (remainder > threshold);
}

static int64_t expected_of(const anne_binary_t *how, int32_t a, int32_t b) {
    int64_t product = (int64_t)(a - how->a_zero_point) * (b - how->b_zero_point) * how->up;
    int64_t y = divide_by_pot(high_mul(product, how->whole.multiplier), -how->whole.shift) + how->output.zero_point;
    return y < how->output.least ? how->output.least : y > how->output.most ? how->output.most : y;
}

// Results fill their type, most of the time.
static anne_binary_t any_product(int32_t least, int32_t most, int32_t most_up, int32_t shift) {
    bool s8 = most == INT8_MAX;
    anne_binary_t how = {
        .a_zero_point = s8 ? any_of(-128, 127) : 0,
        .b_zero_point = s8 ? any_of(-128, 127) : 0,
        .up = 1,
        .whole = {any_of(0, 9) > 0 ? any_of(1 << 30, INT32_MAX) : any_of(0, INT32_MAX), any_of(-30, 0)},
        .output = {s8 ? any_of(-128, 127) : 0, any_of(least, 0), any_of(0, most)},
    };
    if (any_of(0, 4) > 0) {
        how.whole.shift = shift + any_of(-1, 2);
        how.output.least = least, how.output.most = most;
    } else if (any_of(0, 1)) {
        how.up = 1 << any_of(0, most_up);
        how.whole.shift = 0;
    }
    return how;
}

// All pairs there are.
static void check_s8(void) {
    anne_binary_t how = any_product(INT8_MIN, INT8_MAX, ANNE_MULTIPLY_SHIFT_S8, -8);
    int8_t *a = exactly(65536), *b = exactly(65536), *y = exactly(65536);
    for (int32_t i = 0; i < 65536; i++) {
        a[i] = (int8_t)(i >> 8), b[i] = (int8_t)i;
    }
    const anne_row_t apart = {a, b, y, 65536, 1, 1}, in_place = {a, b, b, 65536, 1, 1};
    anne_multiply_s8(&how, &apart);
    for (int32_t i = 0; i < 65536; i++) {
        int64_t expected = expected_of(&how, a[i], b[i]);
        CHECK(y[i] == expected, "%d x %d: %d, expected %lld", a[i], b[i], y[i], (long long)expected);
    }
    anne_multiply_s8(&how, &in_place);
    CHECK(memcmp(b, y, 65536) == 0, "in place");
    free(a), free(b), free(y);
}

static void check_s16(void) {
    static const int16_t special[] = {-32768, -32767, -1, 0, 1, 32767};
    enum { N = 2000 };
    anne_binary_t how = any_product(INT16_MIN, INT16_MAX, 0, -15);
    int16_t *a = exactly(N * 2), *b = exactly(N * 2), *y = exactly(N * 2);
    for (int32_t i = 0; i < N; i++) {
        a[i] = (int16_t)(i < 36 ? special[i / 6] : any_of(-32768, 32767));
        b[i] = (int16_t)(i < 36 ? special[i % 6] : any_of(-32768, 32767));
    }
    const anne_row_t apart = {a, b, y, N, 1, 1}, in_place = {a, b, a, N, 1, 1};
    anne_multiply_s16(&how, &apart);
    for (int32_t i = 0; i < N; i++) {
        int64_t expected = expected_of(&how, a[i], b[i]);
        CHECK(y[i] == expected, "%d x %d: %d, expected %lld", a[i], b[i], y[i], (long long)expected);
    }
    anne_multiply_s16(&how, &in_place);
    CHECK(memcmp(a, y, N * 2) == 0, "in place");
    free(a), free(b), free(y);
}

// The largest products with the largest and the least factors.
static void check_extremes(void) {
    static const anne_rescale_t factors[] = {{INT32_MAX, 0}, {INT32_MAX, -30}, {1 << 30, -30}, {0, 0}, {0xffff, -1}};
    static const int16_t values[] = {-32768, -32767, -1, 0, 1, 32767};
    for (uint32_t i = 0; i < 5 * 6 * 6; i++) {
        const anne_binary_t how = {.up = 1, .whole = factors[i / 36], .output = {0, INT16_MIN, INT16_MAX}};
        int16_t a = values[i / 6 % 6], b = values[i % 6], y;
        const anne_row_t row = {&a, &b, &y, 1, 1, 1};
        anne_multiply_s16(&how, &row);
        int64_t expected = expected_of(&how, a, b);
        CHECK(y == expected, "%d x %d: %d, expected %lld", a, b, y, (long long)expected);
    }
}

// Scales of 1/2 and 1/4 to one of 1/16: the factor is 2 = 2^30 2^(2 - 31).
static void check_by_hand(void) {
    const anne_binary_t how = {
        .a_zero_point = 10, .b_zero_point = -3, .up = 4, .whole = {1 << 30, 0}, .output = {5, -100, 90}};
    static const struct {
        int8_t a, b, y;
    } products[] = {
        {10, 50, 5},      // 0 x 13.25
        {12, -2, 9},      // 1 x 0.25 = 4 / 16
        {8, -2, 1},       // -1 x 0.25
        {127, 127, 90},   // cut
        {-128, 127, -100} // too
    };
    for (uint32_t i = 0; i < sizeof products / sizeof products[0]; i++) {
        int8_t y;
        const anne_row_t row = {&products[i].a, &products[i].b, &y, 1, 1, 1};
        anne_multiply_s8(&how, &row);
        CHECK(y == products[i].y, "%d x %d: %d, expected %d", products[i].a, products[i].b, y, products[i].y);
    }
}

// One value of either operand for a whole row; nothing beside it is read.
static void check_steps(void) {
    static const float x[] = {1, -2, 3}, three = 3;
    float y[3];
    const anne_row_t rows[] = {{x, &three, y, 3, 1, 0}, {&three, x, y, 3, 0, 1}};
    const anne_binary_t how = {.sign = -1};
    for (uint32_t i = 0; i < 2; i++) {
        anne_multiply_f32(&how, &rows[i]);
        CHECK(y[0] == 3 && y[1] == -6 && y[2] == 9, "%g %g %g", y[0], y[1], y[2]);
        anne_add_f32(&how, &rows[i]);
        float sign = i == 0 ? 1 : -1; // x - 3, and 3 - x
        CHECK(y[0] == -2 * sign && y[1] == -5 * sign && y[2] == 0, "%g %g %g", y[0], y[1], y[2]);
    }
    static const int16_t many[] = {100, -200, 300}, one = 1 << 14;
    int16_t z[3];
    const anne_row_t row = {&one, many, z, 3, 0, 1};
    const anne_binary_t half = {.up = 1, .whole = {INT32_MAX, -14}, .output = {0, INT16_MIN, INT16_MAX}};
    anne_multiply_s16(&half, &row);
    CHECK(z[0] == 100 && z[1] == -200 && z[2] == 300, "%d %d %d", z[0], z[1], z[2]);
}

static void check_f32(void) {
    static const struct {
        float a, b, y;
    } products[] = {
        {1.5f, -2, -3},
        {0x1.000002p0f, 0x1.000002p0f, 0x1.000004p0f}, // rounded to nearest
        {0x1p127f, 2, INFINITY},
        {INFINITY, 0, NAN},
        {NAN, 1, NAN},
        {0x1p-127f, 0x1p100f, 0}, // denormals count as 0
        {0x1p-126f, 0.5f, 0},     // and a product that is one becomes 0
        {-0x1p-126f, 1, -0x1p-126f},
    };
    const anne_binary_t how = {0};
    for (uint32_t i = 0; i < sizeof products / sizeof products[0]; i++) {
        float a = products[i].a, b = products[i].b, y = products[i].y;
        const anne_row_t row = {&a, &b, &a, 1, 1, 1};
        anne_multiply_f32(&how, &row);
        bool same = isnan(y) ? isnan(a) : a == y;
        CHECK(same, "%a x %a: %a, expected %a", products[i].a, b, a, y);
    }
}

int main(void) {
    check_by_hand();
    check_steps();
    check_extremes();
    check_f32();
    for (uint32_t i = 0; i < 60; i++) {
        check_s8();
        check_s16();
    }
    return 0;
}
