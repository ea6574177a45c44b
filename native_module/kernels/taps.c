// Four neighbours are taken together: their results stay in registers, and the loop over the taps costs a quarter.
//
// Floats are summed as integers, with the exponent e of the largest tap: |x| < 2^e, X = x 2^(31 - e), what is below 1
// cut off, so |X| < 2^31 and the sum of n <= 2^20 of them is below 2^51. Its upper part m = floor(sum / 2^s), s as
// small as keeps it below 2^31 in magnitude, times the divisor's reciprocal / 2^31 is no larger, and what the float is
// made of: that 2^(e + s - 30 - the divisor's bits) is the quotient, but for 2^-29 of it and 2^-30 of the largest tap.
//
// A quotient v / n, v = |acc| + n / 2 <= (2^15 + 1/2) n, is taken from v' = floor(v / 2^(bits - 1)) and m =
// floor(2^(bits + 15) / n), m <= 2^16. v' <= (2^15 + 1/2) n / 2^(bits - 1), so v' m <= (2^15 + 1/2) 2^16, below 2^32.
// With the fractions g and f that were cut off, v / n is (v' + g)(m + f) / 2^16, and v' m / 2^16 is less by (g m + v' f
// + g f) / 2^16 < 2 + 2^-13: so the whole part is at most 3 too small, which the rest tells.
//
// Means of int8 are mostly of n <= 255, of four channels in a word. As x + 128 they are not negative, so two lanes of
// 16 bits have room for their sums: S <= 255 n < 2^16. With v = S - 128 n halves away from zero are
//
//   floor((v + floor(n / 2) - [v < 0 and n even]) / n) = floor((S + floor(n / 2) - [S < 128 n and n even]) / n) - 128
//
// The numerator u is 0 at least, and below 256 n and 2^16. With m = ceil(2^24 / n) = 2^24 / n + e, e < 1, the product u
// m = 2^24 u / n + u e is below 2^32, and u e < 2^16 < 2^24 / n is too little to reach the next whole number.
#include "kernels/taps.h"

#include "kernels/align_f32.h"
#include "kernels/processor.h"

#define INLINE static inline __attribute__((always_inline))

anne_count_t anne_count(uint32_t n) {
    uint32_t bits = anne_bit_length(n);
    return (anne_count_t){n, bits, (uint32_t)((1ull << (30 + bits)) / n)};
}

typedef int32_t load_t(const void *x, uint32_t i);
typedef int32_t join_t(int32_t a, int32_t b);

INLINE int32_t load_s8(const void *x, uint32_t i) {
    return ((const int8_t *)x)[i];
}

INLINE int32_t load_s16(const void *x, uint32_t i) {
    return ((const int16_t *)x)[i];
}

INLINE int32_t load_f32(const void *x, uint32_t i) {
    return anne_key_of(((const uint32_t *)x)[i]);
}

INLINE int32_t inverted_s8(const void *x, uint32_t i) {
    return ~load_s8(x, i);
}

INLINE int32_t inverted_s16(const void *x, uint32_t i) {
    return ~load_s16(x, i);
}

INLINE int32_t inverted_f32(const void *x, uint32_t i) {
    return anne_key_of(((const uint32_t *)x)[i] ^ 0x80000000);
}

INLINE int32_t plus(int32_t a, int32_t b) {
    return a + b;
}

INLINE int32_t most(int32_t a, int32_t b) {
    return a > b ? a : b;
}

// All taps of `wide` neighbours, 4 or 1. The last step of a loop is left out, as it might lead beyond the tensor.
INLINE void taps(const uint8_t *x, const anne_grid_t *grid, int32_t bytes, uint32_t wide, load_t load, join_t join,
                 int32_t start, int32_t *result) {
    int32_t a = start, b = start, c = start, d = start, step = grid->column_step * bytes;
    for (uint32_t i = grid->rows;; x += grid->row_step * bytes) {
        const uint8_t *p = x;
        for (uint32_t j = grid->columns;; p += step) {
            a = join(a, load(p, 0));
            if (wide == 4) {
                b = join(b, load(p, 1));
                c = join(c, load(p, 2));
                d = join(d, load(p, 3));
            }
            if (--j == 0) {
                break;
            }
        }
        if (--i == 0) {
            break;
        }
    }
    result[0] = a;
    if (wide == 4) {
        result[1] = b;
        result[2] = c;
        result[3] = d;
    }
}

INLINE void all(const uint8_t *x, const anne_grid_t *grid, int32_t bytes, uint32_t n, load_t load, join_t join,
                int32_t start, int32_t *result) {
    for (; n >= 4; n -= 4, x += 4 * bytes, result += 4) {
        taps(x, grid, bytes, 4, load, join, start, result);
    }
    for (; n > 0; n--, x += bytes, result++) {
        taps(x, grid, bytes, 1, load, join, start, result);
    }
}

void anne_sum_s8(const void *x, const anne_grid_t *grid, uint32_t n, int32_t *result) {
    all(x, grid, sizeof(int8_t), n, load_s8, plus, 0, result);
}

void anne_sum_s16(const void *x, const anne_grid_t *grid, uint32_t n, int32_t *result) {
    all(x, grid, sizeof(int16_t), n, load_s16, plus, 0, result);
}

void anne_most_s8(const void *x, const anne_grid_t *grid, uint32_t n, int32_t *result) {
    all(x, grid, sizeof(int8_t), n, load_s8, most, INT32_MIN, result);
}

#ifdef ANNE_ARMV8M                                        // taps_armv8m.c
#elif !defined(__ARM_ARCH_6M__) || defined(ANNE_PORTABLE) // else armv6m/taps.S

static void most_words(const int8_t *x, const anne_grid_t *grid, uint32_t n, int8_t *y) {
    for (uint32_t c = 0; c < n; c += 4, x += 4, y += 4) {
        int32_t most[4];
        anne_most_s8(x, grid, 4, most);
        for (uint32_t i = 0; i < 4; i++) {
            y[i] = (int8_t)most[i];
        }
    }
}

void anne_most_words_s8(const int8_t *x, const anne_grid_t *grid, uint32_t n, int8_t *y) {
    for (uint32_t i = 0; i < grid->windows; i++) {
        most_words(x + (int32_t)i * grid->window_step, grid, n, y + i * n);
    }
}

static uint8_t mean(uint32_t sum, const anne_mean_t *how) {
    return (uint8_t)((sum - (sum < how->middle)) * how->multiplier >> 24 ^ 0x80);
}

static void mean_words(const int8_t *x, const anne_grid_t *grid, uint32_t n, int8_t *y, const anne_mean_t *how) {
    const uint32_t taps = grid->rows * grid->columns;
    for (uint32_t c = 0; c < n; c += 4, x += 4, y += 4) {
        int32_t sums[4];
        anne_sum_s8(x, grid, 4, sums);
        for (uint32_t i = 0; i < 4; i++) {
            y[i] = (int8_t)mean((uint32_t)sums[i] + 128 * taps + (how->start & 0xffff), how);
        }
    }
}

void anne_mean_words_s8(const int8_t *x, const anne_grid_t *grid, uint32_t n, int8_t *y, const anne_mean_t *how) {
    for (uint32_t i = 0; i < grid->windows; i++) {
        mean_words(x + (int32_t)i * grid->window_step, grid, n, y + i * n, how);
    }
}

#endif

void anne_most_s16(const void *x, const anne_grid_t *grid, uint32_t n, int32_t *result) {
    all(x, grid, sizeof(int16_t), n, load_s16, most, INT32_MIN, result);
}

void anne_most_f32(const void *x, const anne_grid_t *grid, uint32_t n, int32_t *result) {
    all(x, grid, sizeof(float), n, load_f32, most, INT32_MIN, result);
}

// One by one: rare, and so a third of the code.
INLINE void one_by_one(const uint8_t *x, const anne_grid_t *grid, int32_t bytes, uint32_t n, load_t load,
                       int32_t *result) {
    for (uint32_t i = 0; i < n; i++) {
        taps(x + (int32_t)i * bytes, grid, bytes, 1, load, most, INT32_MIN, result + i);
    }
}

void anne_least_s8(const void *x, const anne_grid_t *grid, uint32_t n, int32_t *result) {
    one_by_one(x, grid, sizeof(int8_t), n, inverted_s8, result);
}

void anne_least_s16(const void *x, const anne_grid_t *grid, uint32_t n, int32_t *result) {
    one_by_one(x, grid, sizeof(int16_t), n, inverted_s16, result);
}

void anne_least_f32(const void *x, const anne_grid_t *grid, uint32_t n, int32_t *result) {
    one_by_one(x, grid, sizeof(float), n, inverted_f32, result);
}

// --- Sums of floats --------------------------------------------------------------------------------------------------

// x 2^(31 - exponent) without its fraction; |x| < 2^exponent.
INLINE int32_t aligned(uint32_t bits, int32_t exponent) {
    uint32_t own = bits << 1 >> 24, shift = (uint32_t)exponent + 126 - own;
    if (own == 0 || shift > 30) {
        return 0;
    }
    int32_t magnitude = (int32_t)((bits << 8 | 0x80000000) >> 1 >> shift), sign = (int32_t)bits >> 31;
    return (magnitude ^ sign) - sign;
}

INLINE uint32_t bits_at(const float *x, const anne_grid_t *grid, uint32_t i, uint32_t j) {
    return anne_bits_of(x[(int32_t)i * grid->row_step + (int32_t)j * grid->column_step]);
}

// Among taps that are not all finite: what those that are not make together.
static float infinite_sum(const float *x, const anne_grid_t *grid) {
    float sum = 0;
    for (uint32_t i = 0; i < grid->rows; i++) {
        for (uint32_t j = 0; j < grid->columns; j++) {
            uint32_t bits = bits_at(x, grid, i, j);
            sum += (bits & 0x7f800000) == 0x7f800000 ? anne_float_of(bits) : 0;
        }
    }
    return sum;
}

static float sum_of(const float *x, const anne_grid_t *grid) {
    uint32_t largest = 0;
    for (uint32_t i = 0; i < grid->rows; i++) {
        for (uint32_t j = 0; j < grid->columns; j++) {
            uint32_t magnitude = bits_at(x, grid, i, j) << 1;
            largest = magnitude > largest ? magnitude : largest;
        }
    }
    int32_t exponent = (int32_t)(largest >> 24) - 126;
    if (exponent == 129) {
        return infinite_sum(x, grid);
    }
    int64_t sum = 0;
    for (uint32_t i = 0; i < grid->rows; i++) {
        for (uint32_t j = 0; j < grid->columns; j++) {
            sum += aligned(bits_at(x, grid, i, j), exponent);
        }
    }
    uint32_t high = (uint32_t)((sum < 0 ? -sum : sum) >> 31);
    int32_t shift = high == 0 ? 0 : 32 - __builtin_clz(high);
    int64_t product = (sum >> shift) * (int64_t)grid->divisor->reciprocal;
    return anne_scaled_f32((int32_t)(product >> 31), exponent + shift - 30 - (int32_t)grid->divisor->bits);
}

#ifdef ANNE_FLOAT_UNIT // which multiplies, and drops the fraction, as quickly as it loads
#define CHANNELS 4

// That many neighbours. The last step might lead beyond the tensor.
#define EACH_TAP(each)                                                        \
    for (uint32_t i = grid->rows, left; i > 0; i--) {                         \
        const float *at = x + (int32_t)(grid->rows - i) * grid->row_step;     \
        for (left = grid->columns;;) {                                        \
            _Pragma("GCC unroll 4") for (uint32_t c = 0; c < CHANNELS; c++) { \
                each                                                          \
            }                                                                 \
            if (--left == 0) {                                                \
                break;                                                        \
            }                                                                 \
            at += grid->column_step;                                          \
        }                                                                     \
    }

// The end of sum_of: what is shifted has 32 bits, as there are less than 2^28 taps, and so has the reciprocal but
// for 1.
static float divided(int64_t sum, int32_t exponent, const anne_count_t *divisor) {
    const uint32_t high = (uint32_t)((sum < 0 ? -sum : sum) >> 31);
    const uint32_t shift = high == 0 ? 0 : 32 - (uint32_t)__builtin_clz(high);
    int32_t value = (int32_t)((uint32_t)sum >> shift | (uint32_t)(sum >> 32) << 1 << (31 - shift));
    if (divisor->reciprocal != 1u << 31) {
        value = (int32_t)((int64_t)value * (int32_t)divisor->reciprocal >> 31);
    }
    return anne_scaled_f32(value, exponent + (int32_t)shift - 30 - (int32_t)divisor->bits);
}

static void sum_channels(const float *x, const anne_grid_t *grid, int32_t *result) {
    uint32_t largest[CHANNELS] = {0};
    float scales[CHANNELS];
    int64_t sums[CHANNELS] = {0};
    bool good = true;
    EACH_TAP(const uint32_t magnitude = anne_bits_of(at[c]) << 1;
             largest[c] = magnitude > largest[c] ? magnitude : largest[c];)
    for (uint32_t c = 0; c < CHANNELS; c++) {
        const int32_t exponent = (int32_t)(largest[c] >> 24) - 126;
        const bool own = exponent >= ANNE_LEAST_SCALED_F32 && exponent < 129;
        scales[c] = anne_power_of_two_f32(own ? 31 - exponent : 0);
        good &= own;
    }
    if (good) {
        EACH_TAP(sums[c] += (int32_t)(at[c] * scales[c]);)
    }
    for (uint32_t c = 0; c < CHANNELS; c++) {
        const float y = good ? divided(sums[c], (int32_t)(largest[c] >> 24) - 126, grid->divisor) : sum_of(x + c, grid);
        result[c] = (int32_t)anne_bits_of(y);
    }
}
#endif

void anne_sum_f32(const void *x, const anne_grid_t *grid, uint32_t n, int32_t *result) {
    const float *first = x;
    uint32_t c = 0;
#ifdef ANNE_FLOAT_UNIT
    for (; n - c >= CHANNELS; c += CHANNELS) {
        sum_channels(first + c, grid, result + c);
    }
#endif
    for (; c < n; c++) {
        result[c] = (int32_t)anne_bits_of(sum_of(first + c, grid));
    }
}
