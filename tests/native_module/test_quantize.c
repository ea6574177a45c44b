// anne_round against round() of the C library, which rounds halves away from zero, in double precision.
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
    return 0;
}
