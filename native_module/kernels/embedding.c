// A number is compared with both ends of the table before it is an index. Of floats the comparisons are made before the
// conversion, which C leaves open for what an integer cannot hold; NaN is neither above 0 nor beyond the table. n_rows
// is at most 2^24, the bytes of all constants, so it is exact as a float.
#include "kernels/embedding.h"

#include "kernels/rows.h"

static void put_row(const void *table, uint32_t row, size_t row_bytes, uint32_t i, void *y) {
    anne_copy_rows((const uint8_t *)table + row * row_bytes, 0, (uint8_t *)y + i * row_bytes, 0, row_bytes, 1);
}

void anne_embedding_f32(const void *table, uint32_t n_rows, size_t row_bytes, const float *x, uint32_t n, void *y) {
    for (uint32_t i = 0; i < n; i++) {
        uint32_t row = x[i] >= (float)n_rows ? n_rows - 1 : x[i] > 0 ? (uint32_t)x[i] : 0;
        put_row(table, row, row_bytes, i, y);
    }
}

static uint32_t limited(int32_t number, uint32_t n_rows) {
    return number <= 0 ? 0 : (uint32_t)number < n_rows ? (uint32_t)number : n_rows - 1;
}

void anne_embedding_s8(const void *table, uint32_t n_rows, size_t row_bytes, const int8_t *x, uint32_t n, void *y) {
    for (uint32_t i = 0; i < n; i++) {
        put_row(table, limited(x[i], n_rows), row_bytes, i, y);
    }
}

void anne_embedding_s16(const void *table, uint32_t n_rows, size_t row_bytes, const int16_t *x, uint32_t n, void *y) {
    for (uint32_t i = 0; i < n; i++) {
        put_row(table, limited(x[i], n_rows), row_bytes, i, y);
    }
}
