// Activations of integers.
//
// int8: 256 possible inputs, so the table is the function. int16: 513 entries, 128 inputs apart, and a straight line
// between two of them; for a function of curvature f'' over an input range w the line is off by at most
// (w/512)^2 / 8 max|f''|, e.g. 1.2e-5 for a sigmoid over -8..8.
#include "kernels/tables.h"

#include "kernels/requantize.h"

void anne_table_s8(const int8_t *table, const int8_t *x, size_t n, int8_t *y) {
    const int8_t *middle = table + 128;
    size_t i = 0;
    for (; i + 1 < n; i += 2) { // two a round: the loop costs as much as an element
        int8_t first = middle[x[i]], second = middle[x[i + 1]];
        y[i] = first;
        y[i + 1] = second;
    }
    if (i < n) {
        y[i] = middle[x[i]];
    }
}

// u = 0..65535. The difference of two int16 times 127 is below 2^23; the result lies between the two entries. In line,
// also where this file is compiled as small as it can be.
static inline __attribute__((always_inline)) int32_t line(const int16_t *table, uint32_t u) {
    const int16_t *entry = table + (u >> 7);
    return entry[0] + (((entry[1] - entry[0]) * (int32_t)(u & 127) + 64) >> 7);
}

void anne_table_s16(const int16_t *table, const int16_t *x, size_t n, int16_t *y) {
    for (size_t i = 0; i < n; i++) {
        y[i] = line(table, (uint32_t)(x[i] + 32768));
    }
}

// --- Softmax ---------------------------------------------------------------------------------------------------------

static inline int32_t saturating_left_shift(int32_t x, int32_t n) {
    int32_t limit = INT32_MAX >> n;
    return x > limit ? INT32_MAX : x < -limit - 1 ? INT32_MIN : (int32_t)((uint32_t)x << n);
}

// 1 / (1 + a) for a in [0, 1), both with 31 bits behind the point: three steps of Newton's method on the half sum.
static int32_t one_over_one_plus(int32_t a) {
    int32_t half = (int32_t)(((uint32_t)a + 0x80000000u) >> 1);
    int32_t x = 1515870810 + anne_high_mul(half, -1010580540); // 48/17 - 32/17 half, 29 bits behind the point
    for (int i = 0; i < 3; i++) {
        x += saturating_left_shift(anne_high_mul(x, (1 << 29) - anne_high_mul(half, x)), 2);
    }
    return saturating_left_shift(x, 1);
}

static int32_t greatest_s8(const int8_t *x, size_t n) {
    int32_t max = x[0];
    for (size_t i = 1; i < n; i++) {
        max = x[i] > max ? x[i] : max;
    }
    return max;
}

void anne_softmax_s8(const int32_t *exponentials, const int8_t *x, size_t n, int8_t *y) {
    int32_t max = greatest_s8(x, n);
    // 12 bits before the point. A term is at most 2^19, so up to 511 of them stay below 2^28, which leaves at least 4
    // leading zeros and a final shift of at most 31. The first term of the maximum makes the sum at least 2^19.
    uint32_t sum = 0;
    for (size_t i = 0; i < n; i++) {
        sum += (uint32_t)anne_rounding_shift(exponentials[max - x[i]], 12);
    }
    int32_t headroom = __builtin_clz(sum);
    int32_t reciprocal = one_over_one_plus((int32_t)((sum << headroom) - 0x80000000u));
    int32_t shift = 12 - headroom + 31 - 8;
    for (size_t i = 0; i < n; i++) {
        int32_t value = anne_rounding_shift(anne_high_mul(reciprocal, exponentials[max - x[i]]), shift) - 128;
        y[i] = value > 127 ? 127 : value;
    }
}

void anne_softmax_s16(const int16_t *exponentials, const int16_t *x, size_t n, int16_t *y) {
    int32_t max = x[0];
    for (size_t i = 1; i < n; i++) {
        max = x[i] > max ? x[i] : max;
    }
    uint32_t sum = 0;
    for (size_t i = 0; i < n; i++) {
        sum += (uint32_t)line(exponentials, (uint32_t)(max - x[i]));
    }
    for (size_t i = 0; i < n; i++) {
        // e <= 32767, so the shifted value is below 2^30, and adding half a sum below 2^31 does not wrap
        uint32_t e = (uint32_t)line(exponentials, (uint32_t)(max - x[i]));
        uint32_t value = ((e << 15) + sum / 2) / sum;
        y[i] = value > 32767 ? 32767 : (int16_t)value;
    }
}

// --- Log-softmax -----------------------------------------------------------------------------------------------------

#define SQRT_HALF           1518500250 // 2^(-1/2), 31 bits behind the point, as all that follow
#define FOURTH_ROOT_OF_HALF 1805811301 // 2^(-1/4)
#define LN_2                1488522236

// ln x with 26 bits behind the point, of x with 19, 2^19 <= x < 2^31: 1 to 4096.
//
// x = r 2^(1/4) 2^e, with r from 2^(-1/2) to 1 and e in quarters, so that r 2^(1/4) lies around 1, where a quotient of
// polynomials in q = 2 (r - 2^(-1/4)) gives its logarithm. |q| <= 0.32, so no sum leaves 32 bits and the denominator,
// 1 + d, has 0.1 < d < 0.9; e is at most 12.75, 25 bits behind the point, and the result below 8.4 2^26.
static int32_t logarithm(int32_t x) {
    int32_t zeros = __builtin_clz((uint32_t)x);
    int32_t r = x << (zeros - 1), quarters = 51 - 4 * zeros;
    if (__builtin_clz((uint32_t)anne_high_mul(x, SQRT_HALF)) != zeros) {
        r = 2 * anne_high_mul(r, SQRT_HALF);
        quarters -= 2;
    }
    int32_t q = 2 * (r - FOURTH_ROOT_OF_HALF), square = anne_high_mul(q, q);
    int32_t numerator = anne_high_mul(q, r) + anne_high_mul(anne_high_mul(q, square), 117049297);
    int32_t middle = (int32_t)(((uint32_t)r + FOURTH_ROOT_OF_HALF + 1) >> 1);
    int32_t denominator =
        anne_high_mul(middle, 1057819769 + q + anne_high_mul(127690142, square)) + anne_high_mul(638450708, q);
    int32_t rest = anne_high_mul(anne_rounding_shift(numerator, 6), one_over_one_plus(denominator));
    return 2 * (anne_high_mul(quarters * (1 << 23), LN_2) + rest);
}

void anne_log_softmax_s8(const int32_t *table, const int8_t *x, size_t n, int8_t *y) {
    int32_t max = greatest_s8(x, n), sum = 0;
    for (size_t i = 0; i < n; i++) {
        sum += table[max - x[i]];
    }
    int32_t log_sum = logarithm(sum);
    for (size_t i = 0; i < n; i++) { // at least -2^30 - 8.4 2^26
        int32_t value = anne_rounding_shift(table[256 + max - x[i]] - log_sum, 22) + 127;
        y[i] = value < -128 ? -128 : value;
    }
}
