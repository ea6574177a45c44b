// Runs models with guard bands: a layer may touch its own input, output and scratch, and not one byte besides.
//
// Before a layer runs, all else of arena and scratch is poisoned (AddressSanitizer then ends the program at the first
// read or write there), as are bands behind the arena and behind the scratch. The bands' content is compared as well,
// so that a build without the sanitizer notices writes.
#ifndef ANNE_GUARDED_H
#define ANNE_GUARDED_H

#include <sanitizer/asan_interface.h>

#include "kernel_test.h"
#include "model.h"

#define BAND 64 // bytes

static inline bool band_intact(const uint8_t *band) {
    for (uint32_t i = 0; i < BAND; i++) {
        if (band[i] != 0x5a) { // as `exactly` fills it
            return false;
        }
    }
    return true;
}

// Gives an opened model a workspace with bands; to be freed. Inputs are the byte 0x5a until something else is put
// there.
static inline void prepare_guarded(anne_model_t *model) {
    model->arena_bytes += BAND; // the scratch begins behind it
    model->workspace = exactly(model->workspace_bytes + 2 * BAND);
    anne_model_prepare(model);
}

static inline void run_guarded(const anne_model_t *model) {
    uint8_t *arena = anne_model_arena(model);
    uint8_t *scratch = arena + model->arena_bytes, *end = scratch + model->scratch_bytes + BAND;
    uint32_t position = 0;
    for (uint32_t i = 0; i < model->n_layers; i++) {
        anne_record_t record;
        anne_model_next_record(model, &position, &record);
        anne_needs_t needs = {0, 0, 0};
        anne_layer_kind(record.kind)->check(&record, &needs);
        ASAN_POISON_MEMORY_REGION(arena, end - arena);
        ASAN_UNPOISON_MEMORY_REGION(scratch, needs.scratch);
        for (uint32_t t = 0; t < (uint32_t)record.n_inputs + record.n_outputs; t++) {
            uint32_t tensor = record.tensors[t];
            ASAN_UNPOISON_MEMORY_REGION(anne_model_data(model, tensor), anne_tensor_bytes(&model->tensors[tensor]));
        }
        anne_model_run_layers(model, i, i + 1);
    }
    ASAN_UNPOISON_MEMORY_REGION(arena, end - arena);
    CHECK(band_intact(scratch - BAND) && band_intact(end - BAND), "a guard band was written");
}

#endif // ANNE_GUARDED_H
