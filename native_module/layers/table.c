// The numbers of FORMAT.md, "Layers" -> the kinds, each of which has a file of its name here.
#include "layers/layers.h"

#define ENTRY(name, number) [number] = &anne_##name,
static const anne_layer_kind_t *const kinds[] = {ANNE_KINDS_BUILT(ENTRY)};
#undef ENTRY

const anne_layer_kind_t *anne_layer_kind(uint32_t kind) {
    return kind < sizeof kinds / sizeof kinds[0] ? kinds[kind] : NULL;
}
