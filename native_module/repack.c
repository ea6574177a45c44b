// A layer runs with rewritten weights if, and only if, its `run` says so: nothing else is kept of it.
#include "repack.h"

#ifdef ANNE_REPACKS

// Whether no other constant of the file has a byte of the weights, constant 0 of layer `index`.
static bool alone(const anne_model_t *model, uint32_t index, const anne_record_t *own) {
    const uintptr_t begin = (uintptr_t)own->constants[0], end = begin + own->constant_bytes[0];
    uint32_t position = 0;
    for (uint32_t i = 0; i < model->n_layers; i++) {
        anne_record_t record;
        anne_model_next_record(model, &position, &record);
        for (uint32_t c = i == index ? 1 : 0; c < record.n_constants; c++) {
            const uintptr_t other = (uintptr_t)record.constants[c];
            if (other < end && begin < other + record.constant_bytes[c]) {
                return false;
            }
        }
    }
    return true;
}

// All layers that can: those that have not, or `back`, those that have. Whether there were any.
static bool rewrite(const anne_model_t *model, bool back) {
    anne_layer_t *layers = model->workspace;
    uint32_t position = 0;
    bool any = false;
    for (uint32_t i = 0; i < model->n_layers; i++) {
        anne_record_t record;
        anne_model_next_record(model, &position, &record);
        const anne_layer_kind_t *kind = anne_layer_kind(record.kind);
        anne_layer_run_t *repacked = kind->repacked != NULL ? kind->repacked(&record) : NULL;
        if (repacked != NULL && (layers[i].run == repacked) == back && (back || alone(model, i, &record))) {
            kind->repack(&record, back);
            layers[i].run = back ? kind->run(&record) : repacked;
            any = true;
        }
    }
    return any;
}

void anne_model_repack(const anne_model_t *model) {
    rewrite(model, false);
}

bool anne_model_unpack(const anne_model_t *model) {
    return rewrite(model, true);
}

#endif
