// What the checks of several kinds share.
#ifndef ANNE_CHECKS_H
#define ANNE_CHECKS_H

#include "layers/layers.h"

bool anne_same_shape(const anne_tensor_t *a, const anne_tensor_t *b);

// Of one type, scale and zero point: the same integer means the same number in both.
bool anne_same_values(const anne_tensor_t *a, const anne_tensor_t *b);

// Limits of a result: inside its type for integers, 0 for floats.
bool anne_limits_good(uint8_t dtype, int32_t least, int32_t most);

// Whether an activation makes each result of a whole row, the last axis: such are layers of their own.
static inline bool anne_of_rows(anne_activation_t activation) {
    return activation == ANNE_ACTIVATION_softmax || activation == ANNE_ACTIVATION_log_softmax;
}

// The activation that a layer ends in: on floats any but those of rows; on integers one that limits make: linear, relu,
// relu6.
bool anne_activation_good(const anne_record_t *record);

// A constant of so many bytes; `index` is below the number of constants, which is known by now.
static inline anne_status_t anne_check_constant(const anne_record_t *record, uint32_t index, uint64_t bytes) {
    return record->constant_bytes[index] == bytes ? ANNE_OK : ANNE_ERROR_CONSTANT;
}

// A constant of `n` finite floats.
anne_status_t anne_check_floats(const anne_record_t *record, uint32_t index, uint64_t n);

// One input, one output, that many constants and parameters.
anne_status_t anne_check_counts(const anne_record_t *record, uint32_t n_constants, uint32_t n_parameters);

// Of a checked record, the one of three that is for the type of its input.
anne_layer_run_t *anne_run_of(const anne_record_t *record, anne_layer_run_t *f32, anne_layer_run_t *s8,
                              anne_layer_run_t *s16);

#endif // ANNE_CHECKS_H
