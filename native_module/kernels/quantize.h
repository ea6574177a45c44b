// Between real numbers and the integers that stand for them: real = scale (integer - zero_point).
#ifndef ANNE_QUANTIZE_H
#define ANNE_QUANTIZE_H

#include <stddef.h>
#include <stdint.h>

// The integer nearest to v + zero_point, halves away from zero (before the zero point is added), limited to `least` to
// `greatest`, which lie within 16 bits; zero_point for NaN. Exact: v - (int)v has no rounding error.
static inline int32_t anne_round(float v, int32_t zero_point, int32_t least, int32_t greatest) {
    if (v != v) {
        return zero_point;
    }
    if (!(v > -100000.0f)) {
        return least;
    }
    if (!(v < 100000.0f)) {
        return greatest;
    }
    int32_t whole = (int32_t)v;
    float rest = v - (float)whole;
    whole += (rest >= 0.5f) - (rest <= -0.5f) + zero_point;
    return whole < least ? least : whole > greatest ? greatest : whole;
}

#endif // ANNE_QUANTIZE_H
