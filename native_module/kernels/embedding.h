// Rows of a table by their numbers.
#ifndef ANNE_EMBEDDING_H
#define ANNE_EMBEDDING_H

#include <stddef.h>
#include <stdint.h>

// y = row x[i] of the table for each of the n numbers, rows of `row_bytes`; a number below 0 is the first row, one that
// the table of n_rows >= 1 has not is the last. Floats are rounded down; NaN is 0.
void anne_embedding_f32(const void *table, uint32_t n_rows, size_t row_bytes, const float *x, uint32_t n, void *y);
void anne_embedding_s8(const void *table, uint32_t n_rows, size_t row_bytes, const int8_t *x, uint32_t n, void *y);
void anne_embedding_s16(const void *table, uint32_t n_rows, size_t row_bytes, const int16_t *x, uint32_t n, void *y);

#endif // ANNE_EMBEDDING_H
