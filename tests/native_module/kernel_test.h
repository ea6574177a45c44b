// What the kernels' tests share: a failure that says where, and numbers that repeat.
#ifndef ANNE_KERNEL_TEST_H
#define ANNE_KERNEL_TEST_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHECK(condition, ...)                                               \
    do {                                                                    \
        if (!(condition)) {                                                 \
            fprintf(stderr, "%s:%d: %s: ", __FILE__, __LINE__, #condition); \
            fprintf(stderr, __VA_ARGS__);                                   \
            fputc('\n', stderr);                                            \
            exit(1);                                                        \
        }                                                                   \
    } while (0)

// An integer from least to most; a linear congruential generator, seed 1.
static uint64_t any_of_state = 1;

static inline int32_t any_of(int32_t least, int32_t most) {
    any_of_state = any_of_state * 6364136223846793005u + 1442695040888963407u;
    uint64_t range = (uint64_t)most - (uint64_t)(int64_t)least + 1;
    return (int32_t)(least + (int64_t)((any_of_state >> 33) % range));
}

// Exactly as much memory as asked for, so that the sanitizer sees any access beyond.
static inline void *exactly(size_t bytes) {
    void *memory = malloc(bytes);
    CHECK(memory != NULL, "%zu bytes", bytes);
    memset(memory, 0x5a, bytes);
    return memory;
}

#endif // ANNE_KERNEL_TEST_H
