// Weights of a loaded model, rewritten in place as the processor's kernels read them fastest: where the bytes of the
// file are in RAM and nobody else's. Without ANNE_REPACKS (kernels/processor.h) this is nothing.
#ifndef ANNE_REPACK_H
#define ANNE_REPACK_H

#include "model.h"

#ifdef ANNE_REPACKS
// Of a prepared model whose bytes may be written: rewrites the weights of all layers that gain by it, if they share no
// byte of them with another constant. The model then runs with the same results, and is no file any more.
void anne_model_repack(const anne_model_t *model);

// What anne_model_repack did, back: the bytes are those of the file. Whether there was anything.
bool anne_model_unpack(const anne_model_t *model);
#else
static inline void anne_model_repack(const anne_model_t *model) {
    (void)model;
}
static inline bool anne_model_unpack(const anne_model_t *model) {
    (void)model;
    return false;
}
#endif

#endif // ANNE_REPACK_H
