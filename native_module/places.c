// Lives and places of tensors.
//
// What a kind leaves in the same place (a reshape) is its input under another shape. Both are one storage, which is
// that of the first tensor in it, its root, and is needed as long as any of them is.
//
// No storage is written where one lies that is still needed. Layer after layer, the storages that are alive are kept in
// the order of their places; as they do not overlap, a new one can overlap only the two that it comes between. So each
// tensor takes a search by halves when it begins to live, and one when it ends.
#include "places.h"

#include <string.h>

#include "layers/layers.h"

// `needed` of a tensor: a layer's number, or one of these.
#define NEEDED_FOREVER 0x7ffe // as the outputs of the network are
#define NOT_MADE       0x7fff // yet
#define SAME_AS        0x8000 // and the index of its root

// --- Lives ----------------------------------------------------------------------------------------------------------

static uint32_t root_of(const anne_lives_t *lives, uint32_t tensor) {
    uint32_t needed = lives->needed[tensor];
    return needed & SAME_AS ? needed - SAME_AS : tensor;
}

// The storage `root` is needed by that layer, and by all before.
static void note_need(anne_lives_t *lives, uint32_t root, uint32_t layer) {
    if (lives->needed[root] < layer) {
        lives->needed[root] = layer;
    }
}

static bool is_output(const anne_model_t *model, uint32_t tensor) {
    return model->tensors[tensor].role & ANNE_ROLE_OUTPUT;
}

void anne_lives_begin(const anne_model_t *model, anne_lives_t *lives) {
    for (uint32_t t = 0; t < model->n_tensors; t++) {
        bool is_input = model->tensors[t].role & ANNE_ROLE_INPUT;
        lives->needed[t] = !is_input ? NOT_MADE : is_output(model, t) ? NEEDED_FOREVER : 0;
    }
}

anne_status_t anne_lives_note(const anne_model_t *model, const anne_record_t *record, const anne_layer_kind_t *kind,
                              uint32_t layer, anne_lives_t *lives) {
    for (uint32_t i = 0; i < record->n_inputs; i++) {
        if (lives->needed[record->tensors[i]] == NOT_MADE) {
            return ANNE_ERROR_GRAPH;
        }
        note_need(lives, root_of(lives, record->tensors[i]), layer);
    }
    uint32_t x = root_of(lives, record->tensors[0]);
    for (uint32_t i = 0; i < record->n_outputs; i++) {
        uint32_t t = record->tensors[record->n_inputs + i], root = kind->place == ANNE_PLACE_SAME ? x : t;
        if (lives->needed[t] != NOT_MADE) {
            return ANNE_ERROR_GRAPH;
        }
        lives->needed[t] = root == t ? layer : SAME_AS + root;
        if (is_output(model, t)) {
            note_need(lives, root, NEEDED_FOREVER);
        }
    }
    return ANNE_OK;
}

// --- Places ---------------------------------------------------------------------------------------------------------

// The roots of the storages that are alive, in the order of their places.
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

// False if it overlaps another.
static bool begin_life(const anne_model_t *model, alive_t *alive, uint32_t t) {
    const anne_tensor_t *tensor = &model->tensors[t];
    uint32_t place = place_of(model, alive, tensor);
    uint16_t *at = alive->tensors + place;
    if ((place > 0 && !is_before(&model->tensors[at[-1]], tensor))
        || (place < alive->n && !is_before(tensor, &model->tensors[at[0]]))) {
        return false;
    }
    memmove(at + 1, at, (alive->n++ - place) * sizeof *at);
    *at = t;
    return true;
}

static void end_life(const anne_model_t *model, alive_t *alive, uint32_t tensor) {
    uint32_t place = place_of(model, alive, &model->tensors[tensor]);
    uint16_t *at = alive->tensors + place;
    memmove(at, at + 1, (--alive->n - place) * sizeof *at);
}

// Ends the life of the tensor's storage, unless it has ended already, if layer number `layer` is the last to need it.
static void end_if_last(const anne_model_t *model, alive_t *alive, anne_lives_t *lives, uint32_t tensor,
                        uint32_t layer) {
    uint32_t root = root_of(lives, tensor);
    if (lives->needed[root] == layer) {
        lives->needed[root] = NOT_MADE; // no layer's number
        end_life(model, alive, root);
    }
}

// The inputs of the network: all are there before the first layer runs, also those that none reads.
static anne_status_t begin_inputs(const anne_model_t *model, alive_t *alive, anne_lives_t *lives) {
    for (uint32_t t = model->input; t < model->n_tensors; t = anne_model_next(model, t, ANNE_ROLE_INPUT)) {
        if (!begin_life(model, alive, t)) {
            return ANNE_ERROR_GRAPH;
        }
    }
    for (uint32_t t = model->input; t < model->n_tensors; t = anne_model_next(model, t, ANNE_ROLE_INPUT)) {
        end_if_last(model, alive, lives, t, 0);
    }
    return ANNE_OK;
}

static anne_status_t check_layer(const anne_model_t *model, const anne_record_t *record, uint32_t layer, alive_t *alive,
                                 anne_lives_t *lives) {
    anne_place_t place = anne_layer_kind(record->kind)->place;
    const uint16_t *inputs = record->tensors, *outputs = inputs + record->n_inputs;
    for (uint32_t i = 0; place == ANNE_PLACE_IN_PLACE && i < record->n_inputs; i++) {
        const anne_tensor_t *x = &model->tensors[inputs[i]], *y = record->output;
        if (x->arena_offset == y->arena_offset && anne_tensor_bytes(x) == anne_tensor_bytes(y)) {
            end_if_last(model, alive, lives, inputs[i], layer); // and turns into the output
        }
    }
    for (uint32_t i = 0; place != ANNE_PLACE_SAME && i < record->n_outputs; i++) {
        if (!begin_life(model, alive, outputs[i])) {
            return ANNE_ERROR_GRAPH;
        }
    }
    for (uint32_t i = 0; i < (uint32_t)record->n_inputs + record->n_outputs; i++) {
        end_if_last(model, alive, lives, record->tensors[i], layer);
    }
    return ANNE_OK;
}

anne_status_t anne_places_check(const anne_model_t *model, anne_lives_t *lives) {
    for (uint32_t t = 0; t < model->n_tensors; t++) {
        if (lives->needed[t] == NOT_MADE) {
            return ANNE_ERROR_GRAPH;
        }
    }
    alive_t alive;
    alive.n = 0;
    anne_status_t status = begin_inputs(model, &alive, lives);
    uint32_t position = 0;
    for (uint32_t layer = 1; status == ANNE_OK && layer <= model->n_layers; layer++) {
        anne_record_t record;
        anne_model_next_record(model, &position, &record);
        status = check_layer(model, &record, layer, &alive, lives);
    }
    return status;
}
