// The sum of two operands, element by element.
#include "layers/sum.h"

static uint32_t prepare_add(const anne_layer_t *layer, const anne_record_t *record) {
    return anne_sum_prepare(layer, record, 1);
}

const anne_layer_kind_t anne_add = {
    .check = anne_sum_check,
    .run = anne_sum_choose,
    .prepare = prepare_add,
    .place = ANNE_PLACE_IN_PLACE,
};
