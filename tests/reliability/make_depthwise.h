// Model files of one layer whose windows have weights in rows as they are: depthwise and transposed convolutions.
#ifndef ANNE_MAKE_DEPTHWISE_H
#define ANNE_MAKE_DEPTHWISE_H

#include <stdbool.h>

#include "make_moves.h"

// A layer of the kind that the loader must take: its input has that type and shape (rank 2 or 3), all else is random;
// `has_scales`: int8 weights on floats. Its constants are there until the next is made.
move_t any_depthwise(anne_kind_t kind, anne_dtype_t dtype, bool has_scales, uint32_t rank, const uint32_t *shape);

#endif // ANNE_MAKE_DEPTHWISE_H
