// Rows of bytes from one tensor to another: what all that only moves elements comes down to.
#ifndef ANNE_ROWS_H
#define ANNE_ROWS_H

#include <stddef.h>
#include <stdint.h>

// Copies `n` rows of `row_bytes`, which lie `from_step` bytes apart (or upon each other, at 0) in `from` and `to_step`
// bytes apart in `to`. No byte that is read is written. Elements keep the alignment that they have.
void anne_copy_rows(const void *from, ptrdiff_t from_step, void *to, size_t to_step, size_t row_bytes, uint32_t n);

#endif // ANNE_ROWS_H
