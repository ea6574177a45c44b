// A row may be one element or a whole image. Long ones are memcpy's; for short ones its call would cost more than the
// row, so they go word by word where all addresses are multiples of 4, else byte by byte.
//
// The last row begins (n - 1) steps behind the first, inside the tensors as the caller has proven; the pointers are not
// moved beyond it, as a step may be longer than what is left.
#include "kernels/rows.h"

#include <string.h>

#define SHORT_BYTES 32

static void copy_short(const uint8_t *from, uint8_t *to, size_t n_bytes) {
    if ((((uintptr_t)from | (uintptr_t)to | n_bytes) & 3) == 0) {
        const uint32_t *source = (const void *)from;
        uint32_t *target = (void *)to;
        for (; n_bytes > 0; n_bytes -= 4) {
            *target++ = *source++;
        }
        return;
    }
    for (; n_bytes > 0; n_bytes--) {
        *to++ = *from++;
    }
}

void anne_copy_rows(const void *from, ptrdiff_t from_step, void *to, size_t to_step, size_t row_bytes, uint32_t n) {
    const uint8_t *source = from;
    uint8_t *target = to;
    for (uint32_t i = 0; i < n; i++) {
        const uint8_t *row = source + (ptrdiff_t)i * from_step;
        if (row_bytes <= SHORT_BYTES) {
            copy_short(row, target + i * to_step, row_bytes);
        } else {
            memcpy(target + i * to_step, row, row_bytes);
        }
    }
}
