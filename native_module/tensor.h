// A tensor: a value that flows between layers.
#ifndef ANNE_TENSOR_H
#define ANNE_TENSOR_H

#include <stdint.h>

#define ANNE_MAX_RANK     4
#define ANNE_MAX_ELEMENTS (1u << 20)

typedef enum { ANNE_FLOAT32 = 1, ANNE_INT8 = 2, ANNE_INT16 = 3 } anne_dtype_t;
typedef enum { ANNE_ROLE_INPUT = 1, ANNE_ROLE_OUTPUT = 2 } anne_role_t;

// A tensor as it stands in the file (FORMAT.md, "Tensors").
typedef struct {
    uint8_t dtype;
    uint8_t role;
    uint8_t rank;
    uint8_t reserved;
    uint32_t shape[ANNE_MAX_RANK];
    float scale;
    int32_t zero_point;
    uint32_t arena_offset;
} anne_tensor_t;

// Elements of the last axis: the channels of an image, the length of a row.
static inline uint32_t anne_last_axis(const anne_tensor_t *tensor) {
    return tensor->shape[tensor->rank - 1];
}

// Number of elements, and of bytes; of a tensor that anne_model_open has checked, so neither can wrap.
uint32_t anne_tensor_elements(const anne_tensor_t *tensor);
uint32_t anne_tensor_bytes(const anne_tensor_t *tensor);

// Bytes of an element.
uint32_t anne_item_bytes(const anne_tensor_t *tensor);

#endif // ANNE_TENSOR_H
