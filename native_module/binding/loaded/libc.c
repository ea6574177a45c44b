// What GCC calls.
#include <string.h>

#include "runtime.h"

#undef memcpy
#undef memmove
#undef memset

void *memmove(void *to, const void *from, size_t n) {
    return mp_fun_table.memmove_(to, from, n);
}

// By another name, as GCC would make one of two equal functions call the other, and write that call out, as memcpy.
void *memcpy(void *to, const void *from, size_t n) __attribute__((alias("memmove")));

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
