// What is long is copied in one piece. So axes of one element are left out first, and two neighbours become one where
// the outer one goes on where the inner one ends: step[a] = n[a + 1] step[a + 1]. A slice of whole rows, or axes that
// move together, are then one run of memory. If the last axis that is left has the step 1 its elements lie together in
// x, too, and are rows; else they are gathered one by one.
//
// n step of an axis is below 2^21 in magnitude: with n > 1 it is at most twice (n - 1) step, which is a difference of
// two indices of x.
#include "kernels/strided.h"

#include "kernels/rows.h"

static void merge_axes(anne_strided_t *move) {
    uint32_t last = ANNE_STRIDED_AXES; // of those that are left, which stand at the end
    for (uint32_t a = ANNE_STRIDED_AXES; a-- > 0;) {
        uint32_t n = move->n[a];
        int32_t step = move->step[a];
        if (n == 1) {
            continue;
        }
        if (last < ANNE_STRIDED_AXES && step == (int32_t)move->n[last] * move->step[last]) {
            move->n[last] *= n;
        } else {
            last--;
            move->n[last] = n;
            move->step[last] = step;
        }
    }
    while (last > 0) {
        last--;
        move->n[last] = 1;
        move->step[last] = 1;
    }
}

static void gather(const uint8_t *x, ptrdiff_t step, size_t element_bytes, uint32_t n, uint8_t *y) {
    if (element_bytes == sizeof(uint32_t)) {
        const uint32_t *from = (const void *)x;
        uint32_t *to = (void *)y;
        for (uint32_t i = 0; i < n; i++) {
            to[i] = from[(ptrdiff_t)i * step];
        }
    } else if (element_bytes == sizeof(uint16_t)) {
        const uint16_t *from = (const void *)x;
        uint16_t *to = (void *)y;
        for (uint32_t i = 0; i < n; i++) {
            to[i] = from[(ptrdiff_t)i * step];
        }
    } else {
        for (uint32_t i = 0; i < n; i++) {
            y[i] = x[(ptrdiff_t)i * step];
        }
    }
}

void anne_move_strided(anne_strided_t *move, const void *x, size_t element_bytes, void *y) {
    merge_axes(move);
    const uint32_t *n = move->n;
    ptrdiff_t bytes = (ptrdiff_t)element_bytes;
    size_t row_bytes = n[3] * element_bytes;
    uint8_t *to = y;
    for (uint32_t i = 0; i < n[0]; i++) {
        for (uint32_t j = 0; j < n[1]; j++) {
            ptrdiff_t at = (ptrdiff_t)move->first + (ptrdiff_t)i * move->step[0] + (ptrdiff_t)j * move->step[1];
            if (move->step[3] == 1) {
                const uint8_t *rows = (const uint8_t *)x + at * bytes;
                anne_copy_rows(rows, move->step[2] * bytes, to, row_bytes, row_bytes, n[2]);
                to += row_bytes * n[2];
                continue;
            }
            for (uint32_t k = 0; k < n[2]; k++) {
                const uint8_t *row = (const uint8_t *)x + (at + (ptrdiff_t)k * move->step[2]) * bytes;
                gather(row, move->step[3], element_bytes, n[3], to);
                to += row_bytes;
            }
        }
    }
}
