// A constant value around a tensor, zeros mostly; or what its borders go on with.
#include <math.h>
#include <string.h>

#include "kernels/pad.h"
#include "layers/checks.h"

// Parameters: the value as its type has it, floats by their bits; then for each axis the elements in front of the
// input; and the mode, if it is not that value which is there.
enum { PAD_VALUE, PAD_BEFORE };

// The last axes are the tensor's; of those in front there is one element.
static anne_pad_t pad_of(const anne_tensor_t *x, const anne_tensor_t *y, const int32_t *parameters) {
    anne_pad_t pad = {{1, 1, 1, 1}, {1, 1, 1, 1}, {0, 0, 0, 0}};
    uint32_t first = ANNE_PAD_AXES - x->rank;
    for (uint32_t i = 0; i < x->rank; i++) {
        pad.in[first + i] = x->shape[i];
        pad.out[first + i] = y->shape[i];
        pad.before[first + i] = (uint32_t)parameters[PAD_BEFORE + i];
    }
    return pad;
}

static void run_pad(const anne_layer_t *layer) {
    const anne_pad_t pad = pad_of(layer->input, layer->output, layer->parameters);
    size_t element_bytes = anne_item_bytes(layer->output);
    anne_pad_any(&pad, layer->x, element_bytes, (uint32_t)layer->parameters[PAD_VALUE], layer->y);
}

static void run_pad_border(const anne_layer_t *layer) {
    const anne_pad_t pad = pad_of(layer->input, layer->output, layer->parameters);
    int32_t mode = layer->parameters[PAD_BEFORE + layer->input->rank];
    anne_pad_border(&pad, (anne_pad_mode_t)mode, layer->x, anne_item_bytes(layer->output), layer->y);
}

static bool has_mode(const anne_record_t *record) {
    return record->n_parameters > (uint32_t)PAD_BEFORE + record->input->rank;
}

// A mode, no value, and no more elements on either side of an axis than its reflection has.
static bool mode_good(const anne_record_t *record) {
    const anne_tensor_t *x = record->input, *y = record->output;
    int32_t mode = record->parameters[PAD_BEFORE + x->rank];
    if (mode < ANNE_PAD_REFLECT || mode > ANNE_PAD_EDGE || record->parameters[PAD_VALUE] != 0) {
        return false;
    }
    for (uint32_t i = 0; i < x->rank && mode != ANNE_PAD_EDGE; i++) {
        uint32_t before = (uint32_t)record->parameters[PAD_BEFORE + i], after = y->shape[i] - x->shape[i] - before;
        uint32_t most = x->shape[i] - (mode == ANNE_PAD_REFLECT ? 1 : 0);
        if (before > most || after > most) {
            return false;
        }
    }
    return true;
}

static bool value_good(uint8_t dtype, int32_t value) {
    if (dtype == ANNE_FLOAT32) {
        float real;
        memcpy(&real, &value, sizeof real);
        return isfinite(real);
    }
    return anne_limits_good(dtype, value, value);
}

static anne_status_t check_pad(const anne_record_t *record, anne_needs_t *needs) {
    (void)needs;
    const anne_tensor_t *x = record->input, *y = record->output;
    if (anne_check_counts(record, 0, PAD_BEFORE + x->rank + (has_mode(record) ? 1 : 0)) != ANNE_OK) {
        return ANNE_ERROR_LAYER;
    }
    if (!anne_same_values(x, y) || x->rank != y->rank) {
        return ANNE_ERROR_SHAPE;
    }
    for (uint32_t i = 0; i < x->rank; i++) {
        int32_t before = record->parameters[PAD_BEFORE + i]; // shapes are below 2^21, so no sum wraps
        if (before < 0 || (uint32_t)before > y->shape[i] || x->shape[i] + (uint32_t)before > y->shape[i]) {
            return ANNE_ERROR_SHAPE;
        }
    }
    bool good = has_mode(record) ? mode_good(record) : value_good(x->dtype, record->parameters[PAD_VALUE]);
    return good ? ANNE_OK : ANNE_ERROR_PARAMETER;
}

static anne_layer_run_t *choose_pad(const anne_record_t *record) {
    return has_mode(record) ? run_pad_border : run_pad;
}

const anne_layer_kind_t anne_pad = {
    .check = check_pad,
    .run = choose_pad,
};
