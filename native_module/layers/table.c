// FORMAT.md's numbers of kinds -> kinds.
#include "layers/layers.h"

const anne_layer_kind_t *anne_layer_kind(uint32_t kind) {
    static const anne_layer_kind_t *const table[] = {NULL,
#define ADDRESS(name) &anne_##name,
                                                     ANNE_KINDS(ADDRESS)
#undef ADDRESS
    };
    return kind < sizeof table / sizeof table[0] ? table[kind] : NULL;
}
