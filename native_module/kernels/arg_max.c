// Floats are compared as integers in the same order (taps.h), which costs a chip without floating point 4 cycles and
// not
// 40. All NaN have one key, above those of all numbers, and -0 has that of 0.
#include "kernels/arg_max.h"

#include "kernels/arithmetic_f32.h"
#include "kernels/taps.h"

uint32_t anne_arg_max_s8(const int8_t *x, uint32_t n) {
    uint32_t at = 0;
    for (uint32_t i = 1; i < n; i++) {
        at = x[i] > x[at] ? i : at;
    }
    return at;
}

uint32_t anne_arg_max_s16(const int16_t *x, uint32_t n) {
    uint32_t at = 0;
    for (uint32_t i = 1; i < n; i++) {
        at = x[i] > x[at] ? i : at;
    }
    return at;
}

uint32_t anne_arg_max_f32(const float *x, uint32_t n) {
    uint32_t at = 0;
    int32_t top = INT32_MIN, not_a_number = anne_key_of(0x7f800001);
    for (uint32_t i = 0; i < n; i++) {
        uint32_t bits = anne_bits_of(x[i]);
        int32_t key = anne_key_of(bits == 0x80000000 ? 0 : bits);
        key = key > not_a_number ? not_a_number : key;
        if (i == 0 || key > top) {
            top = key;
            at = i;
        }
    }
    return at;
}
