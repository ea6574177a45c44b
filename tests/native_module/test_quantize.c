// anne_round against round() of the C library, which rounds halves away from zero, in double precision; anne_quantize
// and anne_dequantize against the division and the multiplication of floats by this machine, which is IEEE 754's.
#include "kernel_test.h"
#include "kernels/quantize.h"

#include <math.h>

static int32_t expected_of(float v, int32_t zero_point, int32_t least, int32_t greatest) {
    double value = isnan(v) ? zero_point : round((double)v) + zero_point;
    return (int32_t)fmin(fmax(value, least), greatest);
}

static void check(float v) {
    int32_t zero_point = any_of(-128, 127);
    int32_t got = anne_round(v, zero_point, INT8_MIN, INT8_MAX);
    CHECK(got == expected_of(v, zero_point, INT8_MIN, INT8_MAX), "%a, zero point %d: %d", v, zero_point, got);
    got = anne_round(v, 0, INT16_MIN, INT16_MAX);
    CHECK(got == expected_of(v, 0, INT16_MIN, INT16_MAX), "%a: %d", v, got);
}

// --- Scales

static float float_of(uint32_t bits) {
    float v;
    memcpy(&v, &bits, sizeof(v));
    return v;
}

// A scale from 2^-125 on, up to the greatest float: of any exponent, with a mantissa at either end or anywhere.
static float any_scale(void) {
    static const uint32_t mantissas[] = {0, 1, 0x7f, 0x80, 0xff, 0x100, 0x7fff00, 0x7fff01, 0x7fffff};
    int32_t which = any_of(0, 17);
    uint32_t mantissa = which < 9 ? mantissas[which] : (uint32_t)any_of(0, 0x7fffff);
    return float_of((uint32_t)any_of(2, 254) << 23 | mantissa);
}

#define BATCH    64
#define N_SCALES 40000

static void check_batch(float scale, int32_t zero_point, bool is_s16, const float *x) {
    anne_scale_t to = anne_scale(scale, zero_point, is_s16);
    int8_t y8[BATCH];
    int16_t y16[BATCH];
    anne_quantize_f32(&to, x, BATCH, is_s16 ? (void *)y16 : (void *)y8);
    for (int i = 0; i < BATCH; i++) {
        int32_t expected =
            anne_round(x[i] / scale, zero_point, is_s16 ? INT16_MIN : INT8_MIN, is_s16 ? INT16_MAX : INT8_MAX);
        int32_t got = is_s16 ? y16[i] : y8[i];
        CHECK(got == expected, "%a / %a, zero point %d: %d, expected %d", x[i], scale, zero_point, got, expected);
    }
}

static void check_both(float scale, const float *x) {
    check_batch(scale, any_of(-128, 127), false, x);
    check_batch(scale, 0, true, x);
}

// Near the middle between two steps, where it is decided.
static void check_halves(float scale) {
    float x[BATCH];
    for (int i = 0; i < BATCH; i += 8) {
        int32_t step = any_of(0, 1) ? any_of(-300, 300) : any_of(-33000, 33000);
        float middle = (float)(((double)step + 0.5) * scale);
        int32_t bits;
        memcpy(&bits, &middle, sizeof(bits));
        for (int k = 0; k < 8; k++) {
            x[i + k] = float_of((uint32_t)(bits + k - 4));
        }
    }
    check_both(scale, x);
}

static void check_anywhere(float scale) {
    float x[BATCH];
    for (int i = 0; i < BATCH; i++) {
        bool any = any_of(0, 3) == 0; // else within the limits, or nearly
        x[i] = any ? float_of((uint32_t)any_of(INT32_MIN, INT32_MAX))
                   : (float)any_of(-40000 * 256, 40000 * 256) / 256 * scale;
    }
    static const float edges[] = {0.0f, -0.0f,     INFINITY,         -INFINITY,      NAN,
                                  -NAN, 0x1p-149f, 0x1.fffffcp-127f, 0x1.fffffep127f};
    memcpy(x, edges, sizeof(edges));
    check_both(scale, x);
}

static void check_reals(float scale) {
    int8_t q8[256];
    int16_t q16[256];
    float y[256];
    for (int i = 0; i < 256; i++) {
        q8[i] = (int8_t)(i - 128);
        q16[i] = (int16_t)(i < 2 ? INT16_MIN + i : any_of(INT16_MIN, INT16_MAX));
    }
    int32_t zero_point = any_of(-128, 127);
    anne_scale_t s8 = anne_scale(scale, zero_point, false), s16 = anne_scale(scale, 0, true);
    anne_dequantize_f32(&s8, q8, 256, y);
    for (int i = 0; i < 256; i++) {
        float expected = (float)(q8[i] - zero_point) * scale;
        CHECK(memcmp(&y[i], &expected, sizeof(float)) == 0, "(%d - %d) %a: %a", q8[i], zero_point, scale, y[i]);
    }
    anne_dequantize_f32(&s16, q16, 256, y);
    for (int i = 0; i < 256; i++) {
        float expected = (float)q16[i] * scale;
        CHECK(memcmp(&y[i], &expected, sizeof(float)) == 0, "%d %a: %a", q16[i], scale, y[i]);
    }
}

int main(void) {
    CHECK(anne_round(2.5f, 0, -128, 127) == 3 && anne_round(-2.5f, 0, -128, 127) == -3, "halves go away from zero");
    CHECK(anne_round(-0.5f, 10, -128, 127) == 9, "rounded before the zero point is added");
    CHECK(anne_round(1e30f, 0, -5, 7) == 7 && anne_round(-INFINITY, 0, -5, 7) == -5, "limited");
    CHECK(anne_round(NAN, 3, -128, 127) == 3 && anne_round(-NAN, 3, -128, 127) == 3, "NaN is the zero point");
    // every quarter up to beyond 16 bits, and the floats next to it
    for (int32_t quarters = -280000; quarters <= 280000; quarters++) {
        float v = (float)quarters / 4;
        check(v);
        check(nextafterf(v, INFINITY));
        check(nextafterf(v, -INFINITY));
    }
    // all over the floats, infinities and NaNs among them
    for (uint64_t bits = 0; bits < 1ull << 32; bits += 2003) {
        uint32_t word = (uint32_t)bits;
        float v;
        memcpy(&v, &word, sizeof(v));
        check(v);
    }
    for (int i = 0; i < N_SCALES; i++) {
        float scale = any_scale();
        check_halves(scale);
        check_anywhere(scale);
        check_reals(scale);
    }
    return 0;
}
