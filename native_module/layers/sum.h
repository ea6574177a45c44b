// Sums and differences: the kinds add and subtract.
#ifndef ANNE_LAYERS_SUM_H
#define ANNE_LAYERS_SUM_H

#include "layers/layers.h"

anne_status_t anne_sum_check(const anne_record_t *record, anne_needs_t *needs);
anne_layer_run_t *anne_sum_choose(const anne_record_t *record);

// `sign` is b's: 1 or -1.
uint32_t anne_sum_prepare(const anne_layer_t *layer, const anne_record_t *record, int32_t sign);

#endif // ANNE_LAYERS_SUM_H
