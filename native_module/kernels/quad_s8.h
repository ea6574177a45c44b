// Four rows of int8 weights in a word, multiplied with three products: dense_s8.c has the algebra.
#ifndef ANNE_QUAD_S8_H
#define ANNE_QUAD_S8_H

#include <stdint.h>

// A, B and G.
typedef struct {
    uint32_t a;
    uint32_t b;
    uint32_t g;
} anne_quad_s8_t;

static inline uint32_t anne_rev16(uint32_t p) {
#ifdef __ARM_ARCH_6M__
    uint32_t swapped;
    __asm__("rev16 %0, %1" : "=l"(swapped) : "l"(p)); // GCC 12 does not see it in what follows
    return swapped;
#else
    return (p >> 8 & 0x00ff00ff) | (p & 0x00ff00ff) << 8;
#endif
}

// With what takes off the 128 of each weight, where the sum of all x is that.
static inline anne_quad_s8_t anne_quad_start(int32_t sum_x) {
    uint32_t start = 0u - 128 * 0x01010101u * (uint32_t)sum_x;
    return (anne_quad_s8_t){start, start, 0u - 128 * 0x0101u * (uint32_t)sum_x};
}

// With four numbers to begin with, which count in the limit of each sum.
static inline anne_quad_s8_t anne_quad_of(const int32_t *numbers) {
    uint32_t s0 = (uint32_t)numbers[0], s1 = (uint32_t)numbers[1], s2 = (uint32_t)numbers[2], s3 = (uint32_t)numbers[3];
    return (anne_quad_s8_t){
        .a = s0 + (s1 << 8) + (s2 << 16) + (s3 << 24),
        .b = s1 + (s0 << 8) + (s3 << 16) + (s2 << 24),
        .g = s2 + (s3 << 8),
    };
}

// One column: the word of weights p times x, an int8 with its sign.
static inline void anne_quad_add(anne_quad_s8_t *sums, uint32_t p, uint32_t x) {
    sums->b += anne_rev16(p) * x;
    sums->g += (p >> 16) * x;
    sums->a += p * x;
}

// The four sums, each below 2^23 in magnitude.
static inline void anne_quad_decode(const anne_quad_s8_t *sums, int32_t *decoded) {
    uint32_t a = sums->a, b = sums->b, g = sums->g, d = a - (b << 8), s0_z = (d << 8) + ((d - g) << 24);
    decoded[0] = (int32_t)s0_z >> 8;
    decoded[1] = (int32_t)(a - (g << 16) - (uint32_t)decoded[0]) >> 8;
    uint32_t above = b - s0_z - (uint32_t)decoded[1]; // S3 z^2 + S2 z^3
    decoded[2] = (int32_t)((g << 8) + (g << 24) - above) >> 8;
    decoded[3] = (int32_t)(g - (uint32_t)decoded[2]) >> 8;
}

#endif // ANNE_QUAD_S8_H
