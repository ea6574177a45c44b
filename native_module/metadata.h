// The metadata of a model file (FORMAT.md, "Metadata"): words about the network, and golden samples. Running it needs
// none of them, so they are looked up in the file when they are asked for.
#ifndef ANNE_METADATA_H
#define ANNE_METADATA_H

#include <stdbool.h>
#include <stdint.h>

#include "records.h"

// X(name), in the order of their numbers in the file, from 1. python_api/anne/metadata.py keeps the same order.
#define ANNE_TAGS(X)  \
    X(name)           \
    X(labels)         \
    X(feature_names)  \
    X(provenance)     \
    X(threshold)      \
    X(golden_inputs)  \
    X(golden_outputs) \
    X(layer_names)    \
    X(input_names)    \
    X(output_names)

typedef enum {
    ANNE_TAG_none,
#define ANNE_TAG_ENUM(name) ANNE_TAG_##name,
    ANNE_TAGS(ANNE_TAG_ENUM)
#undef ANNE_TAG_ENUM
        ANNE_TAG_END,
} anne_tag_t;

#define ANNE_MAX_NAME_BYTES 255 // so that a loaded model can keep its name

// Bytes in the file; NULL if there are none.
typedef struct {
    const uint8_t *bytes;
    uint32_t n_bytes;
} anne_entry_t;

// Proves the metadata of `model`, whose tensors and layers are proven: anne_model_open's last step.
anne_status_t anne_metadata_check(const anne_model_t *model);

// The entry of a checked model with that tag; line `index`, from 0, of an entry of text.
anne_entry_t anne_metadata_entry(const anne_model_t *model, anne_tag_t tag);
anne_entry_t anne_metadata_line(anne_entry_t text, uint32_t index);

#endif // ANNE_METADATA_H
