// Weights in rows, of dense layers and of convolutions: the ways to store them (FORMAT.md, "Kind 1, dense").
#ifndef ANNE_LAYOUTS_H
#define ANNE_LAYOUTS_H

#include "layers/layers.h"

typedef enum {
    ANNE_LAYOUT_none,
#define ANNE_LAYOUT_ENUM(name) ANNE_LAYOUT_##name,
    ANNE_LAYOUTS(ANNE_LAYOUT_ENUM)
#undef ANNE_LAYOUT_ENUM
        ANNE_LAYOUT_COUNT,
} anne_layout_number_t;

// The one of that number, which is known: words of packed weights of n_out rows of n_in.
uint64_t anne_layout_words(uint32_t layout, uint32_t n_in, uint32_t n_out);

// Of a record whose parameter `at` is the layout and the next two the limits of the result: one input, one output, that
// many parameters, a known layout with its number of constants and its types, an activation and limits for them.
anne_status_t anne_check_layout(const anne_record_t *record, uint32_t at, uint32_t n_parameters);

// The constants of a layer of that layout, once it is checked: `groups` times n_out rows of n_in weights each. All are
// at least 1, their product is at most 2^40, and that of n_out and groups 2^28.
anne_status_t anne_check_weights(const anne_record_t *record, uint32_t layout, uint32_t n_in, uint32_t n_out,
                                 uint32_t groups);

#ifdef ANNE_REPACKS
// Of a record once it is checked: its weights in constant 0, `groups` times n_out rows of n_in, rewritten in place as
// the processor reads them fastest; or `back`. For the layouts s8_quad and s16; any word can be rewritten.
void anne_layout_repack(const anne_record_t *record, uint32_t layout, uint32_t n_in, uint32_t n_out, uint32_t groups,
                        bool back);
#endif

#endif // ANNE_LAYOUTS_H
