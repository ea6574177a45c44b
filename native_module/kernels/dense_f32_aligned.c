// Dense layer on floats, summed in integers: floats would cost 220 cycles a multiply-accumulate, these cost 11.
//
// W = 4096 h + l is stored as the word P = 2^16 h + (l + 2048), x is aligned once a layer to X = 4096 xh + xl. Of the
// four products of limbs the least, l xl, is left out: it is below 2^-24 of the largest product, and zero in the mean.
// Two sums that wrap at 2^32 are enough, and the low half of P need not be unpacked:
//
//   H = sum h xh        A = sum of P xh + h xl = 2^16 H + sum of (l + 2048) xh + h xl        with h = P >> 16
//
// so M = A - 2^16 H, which A's start of -2048 sum of xh turns into the true sum of l xh + h xl.
// Range: |h| <= 4096 and |l|, |xh|, |xl| <= 2048, so |M| <= 1.5 2^23 n < 2^31 for n <= 170 columns, and |H| <= 2^23 n.
// The 2^(s - 1) that rounds a panel is added to A's start: |M| + 2^(s - 1) < 2^31 for 168 columns, as s <= 21.
//
// A column adds (W X - l xl) / 2^12 to q, by |W| <= 2^24 and |X| <= 2^23 at most 2^35 in magnitude: where one of them
// has its greatest magnitude its low limb is 0, and where none has, |W X| is less by more than 2^23, |l xl| at most
// 2^22. n_in < 2^b with b its number of bits, at most 16, and s = 5 + b. So q adds up to at most 2^35 (2^b - 1) over
// all panels, which is 2^30 - 2^(30 - b) of t's units, and rounding adds at most 1/2 for each of the (2^b - 1) / 168
// panels: |t| < 2^30. |b| < 2^30, too, so t + b fits. (For |W| up to 2^24 + 2047, which h and l alone would allow, it
// does not.)
#include "kernels/dense_f32_aligned.h"

#include <stddef.h>

#include "kernels/align_f32.h"
#include "kernels/processor.h"

_Static_assert(sizeof(anne_dense_f32_aligned_t) <= ANNE_DENSE_F32_ALIGNED_DERIVED * sizeof(void *), "DERIVED");
#ifdef __ARM_ARCH_6M__ // as armv6m/dense_f32_aligned.S has them
_Static_assert(offsetof(anne_dense_f32_aligned_t, half) == 12, "HALF");
_Static_assert(offsetof(anne_dense_f32_aligned_t, sums) == 16, "SUMS");
_Static_assert(offsetof(anne_dense_f32_aligned_t, out) == 28, "OUT");
_Static_assert(offsetof(anne_dense_f32_aligned_t, limbs) == 36, "LIMBS");
_Static_assert(offsetof(anne_dense_f32_aligned_t, relu) == 60, "RELU");
#endif

void anne_dense_f32_aligned_prepare(anne_dense_f32_aligned_t *layer, const uint32_t *weights, const float *bias,
                                    const int32_t *exponents, const float *x, uint32_t n_in, uint32_t n_out,
                                    int32_t *scratch, float *out, bool relu) {
    uint32_t s = 5 + anne_bit_length(n_in), middle = s < 12 ? s : 12;
    *layer = (anne_dense_f32_aligned_t){
        .left = 12 - middle,
        .middle = middle,
        .right = s - middle,
        .half = 1u << (s - 1),
        .sums = scratch,
        .bias = bias,
        .exponents = exponents,
        .out = out,
        .end_of_out = out + n_out,
        .limbs = scratch + (n_out + 1) / 2 * 2,
        .base = s + 20,
        .x = x,
        .weights = weights,
        .end_of_x = x + n_in,
        .n_in = n_in,
        .relu = relu ? UINT32_MAX : 0,
    };
}

#if !defined(__ARM_ARCH_6M__) || defined(ANNE_PORTABLE) // else armv6m/dense_f32_aligned.S

#include <math.h>

#ifdef __ARM_FEATURE_DSP // limbs holds a word for each x, 2^16 xl + xh

static int32_t *put_limbs(int32_t *limbs, int32_t high, int32_t low) {
    *limbs = (int32_t)((uint32_t)low << 16 | (uint16_t)high);
    return limbs + 1;
}

#ifdef ANNE_ARMV8M

// In armv8m/dense_f32_aligned.S: adds to M and H of two rows.
void anne_dense_f32_aligned_rows(const uint32_t *weights, const uint32_t *x, const uint32_t *end_of_x, int32_t *sums);

#else

// The same for other processors with those instructions.
static void anne_dense_f32_aligned_rows(const uint32_t *weights, const uint32_t *x, const uint32_t *end_of_x,
                                        int32_t *sums) {
    int32_t m[2] = {sums[0], sums[2]}, high[2] = {sums[1], sums[3]};
#pragma GCC unroll 4
    while (x != end_of_x) {
        const uint32_t limbs = *x++;
#pragma GCC unroll 2
        for (uint32_t k = 0; k < 2; k++) {
            const uint32_t word = *weights++;
            __asm__("smlad %0, %1, %2, %0" : "+r"(m[k]) : "r"(word), "r"(limbs));
            __asm__("smlatb %0, %1, %2, %0" : "+r"(high[k]) : "r"(word), "r"(limbs));
        }
    }
    sums[0] = m[0];
    sums[1] = high[0];
    sums[2] = m[1];
    sums[3] = high[1];
}

#endif

// sums[r] += t of a panel, where M starts as `start`.
static void add_panel(const anne_dense_f32_aligned_t *layer, const uint32_t *weights, uint32_t columns,
                      uint32_t start) {
    const uint32_t *x = (const uint32_t *)layer->limbs;
    for (int32_t *sums = layer->sums; sums != layer->limbs; sums += 2) {
        int32_t both[4] = {(int32_t)start, 0, (int32_t)start, 0};
        anne_dense_f32_aligned_rows(weights, x, x + columns, both);
        for (uint32_t k = 0; k < 2; k++) {
            int32_t m = both[2 * k];
            uint32_t high = (uint32_t)both[2 * k + 1];
            sums[k] += ((int32_t)(high << layer->left) + (m >> layer->middle)) >> layer->right;
        }
        weights += 2 * columns;
    }
}

#else // pairs xh, xl

// sums[r] += t of a panel, where A starts as `start`.
static void add_panel(const anne_dense_f32_aligned_t *layer, const uint32_t *weights, uint32_t columns,
                      uint32_t start) {
    const int32_t *end_of_x = layer->limbs + 2 * columns;
    for (int32_t *sums = layer->sums; sums != layer->limbs; sums += 2) {
        uint32_t a[2] = {start, start}, high[2] = {0, 0};
#pragma GCC unroll 4
        for (const int32_t *v = layer->limbs; v != end_of_x; v += 2) {
            const uint32_t xh = (uint32_t)v[0], xl = (uint32_t)v[1];
#pragma GCC unroll 2
            for (uint32_t k = 0; k < 2; k++) {
                const uint32_t p = *weights++, h = (uint32_t)((int32_t)p >> 16);
                high[k] += h * xh;
                a[k] += p * xh;
                a[k] += h * xl;
            }
        }
        for (uint32_t k = 0; k < 2; k++) {
            int32_t m = (int32_t)(a[k] - (high[k] << 16));
            sums[k] += ((int32_t)(high[k] << layer->left) + (m >> layer->middle)) >> layer->right;
        }
    }
}

static int32_t *put_limbs(int32_t *limbs, int32_t high, int32_t low) {
    limbs[0] = high;
    limbs[1] = low;
    return limbs + 2;
}

#endif

// t 2^exponent + bias.
static inline float biased(int32_t t, int32_t exponent, float bias) {
    uint32_t bits = anne_bits_of(bias);
    int32_t own = (int32_t)(bits << 1 >> 24);
    int32_t shift = own - 150 - exponent; // of the bias's 24 bits, to be added to t
    if (own == 0 || shift < -24) {        // below half of t's unit
        return anne_scaled_f32(t, exponent);
    }
    if (shift > 6) {
        float sum = anne_scaled_f32(t, exponent) + bias;
        return anne_normal_f32(sum) == 0 ? 0 : sum; // without a sign
    }
    int32_t mantissa = (int32_t)((bits & 0x7fffff) | 0x800000);
    int32_t sign = (int32_t)bits >> 31;
    mantissa = (mantissa ^ sign) - sign;
    return anne_scaled_f32(t + (shift >= 0 ? mantissa * (1 << shift) : ((mantissa >> (-shift - 1)) + 1) >> 1),
                           exponent);
}

// The two limbs of every aligned x; returns the sum of the high ones.
static uint32_t split_bits(const float *x, uint32_t n, int32_t exponent, int32_t *limbs) {
    uint32_t sum = 0;
    for (uint32_t j = 0; j < n; j++) {
        int32_t v = anne_align_f32(x[j], exponent);
        int32_t high = (v + 2048) >> 12;
        limbs = put_limbs(limbs, high, v - high * 4096);
        sum += (uint32_t)high;
    }
    return sum;
}

#ifdef ANNE_FLOAT_UNIT // the same bits by products with powers of two, which are exact

// Twice x 2^(23 - exponent) without its fraction, and half of that rounded, halves away from zero. Where that would be
// no normal power of two, or denormal x would count: the other way.
static uint32_t split(const float *x, uint32_t n, int32_t exponent, int32_t *limbs) {
    if (exponent < ANNE_LEAST_SCALED_F32 || exponent > 128) {
        return split_bits(x, n, exponent, limbs);
    }
    const float scale = anne_power_of_two_f32(24 - exponent);
    uint32_t sum = 0;
#pragma GCC unroll 4
    for (const float *end = x + n; x != end;) {
        const int32_t twice = (int32_t)(*x++ * scale), v = (twice + 1 + (twice >> 31)) >> 1;
        const int32_t high = (v + 2048) >> 12;
        limbs = put_limbs(limbs, high, v - high * 4096);
        sum += (uint32_t)high;
    }
    return sum;
}

// Exponents of t's unit up to this in magnitude, and 2^31: |t + b| is at most that, so nothing leaves the normal
// floats.
#define MOST_UNIT 90
#define BITS_2_31 0x4f000000u

// b of the header by the floor of twice the bias; and 24 bits of t + b, the rest of which rounds.
static inline float scaled(int32_t t, int32_t exponent, float bias) {
    const float twice = bias * anne_power_of_two_f32(1 - exponent);
    if ((uint32_t)exponent + MOST_UNIT > 2 * MOST_UNIT || anne_bits_of(twice) << 1 >= BITS_2_31 << 1) {
        return biased(t, exponent, bias);
    }
    const int32_t whole = (int32_t)twice, floor = whole - (twice < (float)whole);
    const int32_t sum = t + ((floor + 1) >> 1);
    const uint32_t sign = (uint32_t)sum & 0x80000000, magnitude = sum < 0 ? 0u - (uint32_t)sum : (uint32_t)sum;
    const uint32_t below = 0xffu >> __builtin_clz(magnitude | 1);
    const uint32_t rounded = (magnitude + ((below + 1) >> 1)) & ~below;
    const float y = (float)rounded * anne_power_of_two_f32(exponent);
    return anne_float_of(anne_bits_of(y) | sign);
}

#else
#define split  split_bits
#define scaled biased
#endif

void anne_dense_f32_aligned(const anne_dense_f32_aligned_t *layer) {
    const uint32_t n_in = layer->n_in, n_out = (uint32_t)(layer->end_of_out - layer->out);
    const uint32_t *weights = layer->weights;
    int32_t exponent = anne_exponent_f32(layer->x, n_in);
    for (int32_t *sum = layer->sums; sum != layer->limbs; sum++) {
        *sum = 0;
    }
    for (uint32_t done = 0; done < n_in;) {
        uint32_t n = n_in - done < ANNE_DENSE_F32_ALIGNED_PANEL ? n_in - done : ANNE_DENSE_F32_ALIGNED_PANEL;
        uint32_t start = layer->half - 2048 * split(layer->x + done, n, exponent, layer->limbs);
        add_panel(layer, weights, n, start);
        weights += anne_dense_f32_aligned_words(n, n_out);
        done += n;
    }
    int32_t base = (int32_t)layer->base - 31 + exponent;
    for (uint32_t r = 0; r < n_out; r++) {
        float y = exponent > 128 ? NAN : scaled(layer->sums[r], base + layer->exponents[r], layer->bias[r]);
        layer->out[r] = layer->relu && y < 0 ? 0 : y;
    }
}

#endif
