// What GCC calls.
#include <string.h>

#include "runtime.h"

#undef memcpy
#undef memmove
#undef memset

void *memmove(void *to, const void *from, size_t n) {
    return mp_fun_table.memmove_(to, from, n);
}

// The firmware's own copies few bytes slowly.
void *memcpy(void *to, const void *from, size_t n) {
    typedef uint32_t __attribute__((may_alias)) word_t;
    if (n > 64) {
        return mp_fun_table.memmove_(to, from, n);
    }
    uint8_t *at = to;
    const uint8_t *source = from;
    if ((((uintptr_t)to | (uintptr_t)from) & 3) == 0) {
        for (; n >= 4; n -= 4, at += 4, source += 4) {
            *(word_t *)(void *)at = *(const word_t *)(const void *)source;
        }
    }
    for (; n > 0; n--) {
        *at++ = *source++;
    }
    return to;
}

void *memset(void *to, int value, size_t n) {
    return mp_fun_table.memset_(to, value, n);
}

int memcmp(const void *a_in, const void *b_in, size_t n) {
    for (const uint8_t *a = a_in, *b = b_in; n > 0; n--, a++, b++) {
        if (*a != *b) {
            return *a - *b;
        }
    }
    return 0;
}

size_t strlen(const char *text) {
    const char *end = text;
    while (*end != 0) {
        end++;
    }
    return end - text;
}
