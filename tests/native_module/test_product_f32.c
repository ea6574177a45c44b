// The product of two floats in integers against that of this machine, which is IEEE 754's; denormals are 0.
#include <math.h>

#include "kernels/arithmetic_f32.h"
#include "kernel_test.h"

static float expected_of(float a, float b) {
    return anne_normal_f32(anne_normal_f32(a) * anne_normal_f32(b));
}

static void check(float a, float b) {
    uint32_t product;
    const bool taken = anne_product_f32(anne_bits_of(a), anne_bits_of(b), &product);
    const float expected = expected_of(a, b);
    if (taken) {
        CHECK(product == anne_bits_of(expected), "%a * %a: %08x, expected %a", a, b, product, expected);
    } else { // left to the library: what is not a normal float, or next to the least one
        const bool normal = isnormal(a) && isnormal(b);
        CHECK(!normal || fabsf(a * b) <= 0x1p-125f, "%a * %a is not taken", a, b);
    }
}

int main(void) {
    // 1.5 squared; halves to even: (1 + 2^-12)^2 = 1 + 2^-11 + 2^-24, (1 + 3 2^-12)^2 = 1 + 3 2^-11 + 9 2^-24, and
    // (1 + 2^-12)(1 + 3 2^-12) = 1 + 2^-10 + 3 2^-24
    uint32_t product;
    CHECK(anne_product_f32(anne_bits_of(1.5f), anne_bits_of(-1.5f), &product) && product == 0xc0100000, "-2.25");
    CHECK(anne_product_f32(0x3f800800, 0x3f800800, &product) && product == 0x3f801000, "down to even");
    CHECK(anne_product_f32(0x3f801800, 0x3f801800, &product) && product == 0x3f803004, "down to 4.5 2^-23");
    CHECK(anne_product_f32(0x3f800800, 0x3f801800, &product) && product == 0x3f802002, "up from 1.5 2^-23");
    static const float edges[] = {0,        1,       0x1p-126f,       0x1.fffffep-127f, 0x1p-149f, 0x1.fffffep127f,
                                  INFINITY, NAN,     0x1.fffffep-1f,  0x1.000002p0f,    0x1p-63f,  0x1.6a09e6p-63f,
                                  0x1p64f,  0x1p63f, 0x1.6a09e8p-63f, 0x1.fffffep63f};
    for (uint32_t i = 0; i < sizeof edges / sizeof *edges; i++) {
        for (uint32_t j = 0; j < sizeof edges / sizeof *edges; j++) {
            check(edges[i], edges[j]);
            check(-edges[i], edges[j]);
        }
    }
    for (uint32_t i = 0; i < 1000000; i++) {
        const uint32_t a = (uint32_t)any_of(INT32_MIN, INT32_MAX), b = (uint32_t)any_of(INT32_MIN, INT32_MAX);
        check(anne_float_of(a), anne_float_of(b));
        check(anne_float_of(a & 0xfffff000), anne_float_of(b & 0xfffff800));                         // halves
        check(anne_float_of(a), anne_float_of(((254 - (a >> 23 & 0xff)) << 23) ^ (b & 0x83ffffff))); // near the least
    }
    return 0;
}
