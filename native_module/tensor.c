// Sizes of tensors.
#include "tensor.h"

uint32_t anne_tensor_elements(const anne_tensor_t *tensor) {
    uint32_t n = 1;
    for (uint32_t i = 0; i < tensor->rank; i++) {
        n *= tensor->shape[i];
    }
    return n;
}

uint32_t anne_item_bytes(const anne_tensor_t *tensor) {
    static const uint8_t bytes[] = {0, 4, 1, 2};
    return bytes[tensor->dtype];
}

uint32_t anne_tensor_bytes(const anne_tensor_t *tensor) {
    return anne_tensor_elements(tensor) * anne_item_bytes(tensor);
}
