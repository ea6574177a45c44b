// Places of tensors in the arena (FORMAT.md, "Tensors").
//
// No tensor is written where one lies that is still needed. Layer after layer, the tensors that are alive are kept in
// the order of their places; as they do not overlap, a new one can overlap only the two that it comes between. So each
// layer takes a search by halves.
#include "places.h"

#include <string.h>

#include "layers/layers.h"

typedef struct {
    uint32_t n;
    uint16_t tensors[ANNE_MAX_TENSORS];
} alive_t;

// How many of them begin before the tensor does.
static uint32_t place_of(const anne_model_t *model, const alive_t *alive, const anne_tensor_t *tensor) {
    uint32_t low = 0, high = alive->n;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (model->tensors[alive->tensors[middle]].arena_offset < tensor->arena_offset) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static bool is_before(const anne_tensor_t *a, const anne_tensor_t *b) {
    return a->arena_offset + anne_tensor_bytes(a) <= b->arena_offset;
}

static bool is_free(const anne_model_t *model, const alive_t *alive, const anne_tensor_t *tensor) {
    uint32_t place = place_of(model, alive, tensor);
    return (place == 0 || is_before(&model->tensors[alive->tensors[place - 1]], tensor))
           && (place == alive->n || is_before(tensor, &model->tensors[alive->tensors[place]]));
}

static void begin_life(const anne_model_t *model, alive_t *alive, uint32_t tensor) {
    uint32_t place = place_of(model, alive, &model->tensors[tensor]);
    uint16_t *at = alive->tensors + place;
    memmove(at + 1, at, (alive->n++ - place) * sizeof *at);
    *at = tensor;
}

static void end_life(const anne_model_t *model, alive_t *alive, uint32_t tensor) {
    uint32_t place = place_of(model, alive, &model->tensors[tensor]);
    uint16_t *at = alive->tensors + place;
    memmove(at, at + 1, (--alive->n - place) * sizeof *at);
}

anne_status_t anne_places_check(const anne_model_t *model, const uint16_t *needed) {
    alive_t alive;
    alive.n = 0;
    begin_life(model, &alive, model->input); // the first layer reads it, as nothing else is there
    uint32_t position = 0;
    for (uint32_t layer = 1; layer <= model->n_layers; layer++) {
        anne_record_t record;
        anne_model_next_record(model, &position, &record);
        uint32_t x = record.tensors[0], y = record.tensors[1];
        bool is_last = needed[x] == layer;
        // a layer may turn its input into its output where it lies, if nothing needs the input afterwards
        bool is_turned = is_last && anne_layer_kind(record.kind)->place != ANNE_PLACE_OWN
                         && record.input->arena_offset == record.output->arena_offset;
        if (is_turned) {
            end_life(model, &alive, x);
        }
        if (!is_free(model, &alive, record.output)) {
            return ANNE_ERROR_GRAPH;
        }
        if (is_last && !is_turned) {
            end_life(model, &alive, x);
        }
        if (needed[y] > layer) {
            begin_life(model, &alive, y);
        }
    }
    return ANNE_OK;
}
