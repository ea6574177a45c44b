// Bytes to a checked model. Every number read from the file is compared with its limits before it is used as a size, an
// index or an offset; sums and products are formed only of numbers already known to be small enough not to wrap.
#include "model.h"

#include <math.h>
#include <string.h>

#include "metadata.h"
#include "places.h"

// The header as it stands in the file (FORMAT.md, "Header").
typedef struct {
    char magic[4];
    uint16_t version;
    uint16_t header_bytes;
    uint32_t total_bytes;
    uint32_t crc32;
    uint32_t arena_bytes;
    uint32_t n_tensors;
    uint32_t n_layers;
    uint32_t layers_bytes;
    uint32_t metadata_bytes;
    uint32_t data_bytes;
    uint32_t reserved[2];
} header_t;

_Static_assert(sizeof(header_t) == 48 && sizeof(anne_tensor_t) == 32, "as in FORMAT.md");

#define TRY(expression)                      \
    do {                                     \
        anne_status_t status = (expression); \
        if (status != ANNE_OK) {             \
            return status;                   \
        }                                    \
    } while (0)

#ifndef FUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION
// CRC-32 of IEEE 802.3, four bits at a time: a table of 16 words, about 15 cycles a byte on the Pico.
static uint32_t crc32(const uint8_t *bytes, size_t n) {
    static const uint32_t table[16] = {
        0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac, 0x76dc4190, 0x6b6b51f4, 0x4db26158, 0x5005713c,
        0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c, 0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c,
    };
    uint32_t crc = 0xffffffff;
    while (n-- > 0) {
        crc ^= *bytes++;
        crc = crc >> 4 ^ table[crc & 15];
        crc = crc >> 4 ^ table[crc & 15];
    }
    return ~crc;
}
#endif

// --- Header ---------------------------------------------------------------------------------------------------------

static anne_status_t check_header(const header_t *header, size_t n_bytes) {
    if (n_bytes < sizeof *header) {
        return n_bytes < 4 || memcmp(header->magic, "ANNE", 4) != 0 ? ANNE_ERROR_MAGIC : ANNE_ERROR_SIZE;
    }
    if (memcmp(header->magic, "ANNE", 4) != 0) {
        return ANNE_ERROR_MAGIC;
    }
    if (header->version != ANNE_MODEL_VERSION || header->header_bytes != sizeof *header) {
        return ANNE_ERROR_VERSION;
    }
    if (header->total_bytes != n_bytes) {
        return ANNE_ERROR_SIZE;
    }
#ifndef FUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION // a fuzzer would hardly ever get past it
    if (crc32((const uint8_t *)header + 16, n_bytes - 16) != header->crc32) {
        return ANNE_ERROR_CRC;
    }
#endif
    if (header->arena_bytes > ANNE_MAX_ARENA_BYTES || header->arena_bytes % 4 != 0 || header->n_tensors < 1
        || header->n_tensors > ANNE_MAX_TENSORS || header->n_layers < 1 || header->n_layers > ANNE_MAX_LAYERS
        || header->reserved[0] != 0 || header->reserved[1] != 0) {
        return ANNE_ERROR_HEADER;
    }
    // Each section is at most the file, so the sum of four cannot wrap in 64 bits.
    uint64_t sum = sizeof *header + (uint64_t)header->n_tensors * sizeof(anne_tensor_t);
    sum += (uint64_t)header->layers_bytes + header->metadata_bytes + header->data_bytes;
    if (sum != n_bytes || (header->layers_bytes | header->metadata_bytes | header->data_bytes) % 4 != 0) {
        return ANNE_ERROR_SIZE;
    }
    return ANNE_OK;
}

// --- Tensors --------------------------------------------------------------------------------------------------------

static anne_status_t check_tensor(const anne_tensor_t *tensor, uint32_t arena_bytes) {
    if (tensor->dtype < ANNE_FLOAT32 || tensor->dtype > ANNE_INT16 || tensor->role > 3 || tensor->rank < 1
        || tensor->rank > ANNE_MAX_RANK || tensor->reserved != 0) {
        return ANNE_ERROR_TENSOR;
    }
    uint32_t n = 1;
    for (uint32_t i = 0; i < ANNE_MAX_RANK; i++) {
        if (i >= tensor->rank) {
            if (tensor->shape[i] != 0) {
                return ANNE_ERROR_TENSOR;
            }
        } else if (tensor->shape[i] < 1 || tensor->shape[i] > ANNE_MAX_ELEMENTS / n) {
            return ANNE_ERROR_TENSOR;
        } else {
            n *= tensor->shape[i];
        }
    }
    bool is_int8 = tensor->dtype == ANNE_INT8;
    if (!(tensor->scale >= 0x1p-125f) || !isfinite(tensor->scale)
        || (tensor->dtype == ANNE_FLOAT32 && tensor->scale != 1) || tensor->zero_point < (is_int8 ? -128 : 0)
        || tensor->zero_point > (is_int8 ? 127 : 0)) {
        return ANNE_ERROR_TENSOR;
    }
    // At most 2^20 elements of 4 bytes, and an arena of at most 2^30: no sum wraps.
    if (tensor->arena_offset % 4 != 0 || tensor->arena_offset > arena_bytes
        || anne_tensor_bytes(tensor) > arena_bytes - tensor->arena_offset) {
        return ANNE_ERROR_TENSOR;
    }
    return ANNE_OK;
}

static anne_status_t check_tensors(anne_model_t *model) {
    model->n_inputs = model->n_outputs = 0;
    for (uint32_t t = 0; t < model->n_tensors; t++) {
        const anne_tensor_t *tensor = &model->tensors[t];
        TRY(check_tensor(tensor, model->arena_bytes));
        if ((tensor->role & ANNE_ROLE_INPUT) && model->n_inputs++ == 0) {
            model->input = t;
        }
        if ((tensor->role & ANNE_ROLE_OUTPUT) && model->n_outputs++ == 0) {
            model->output = t;
        }
    }
    return model->n_inputs > 0 && model->n_outputs > 0 ? ANNE_OK : ANNE_ERROR_TENSOR;
}

// --- All layers -----------------------------------------------------------------------------------------------------

// How many addresses of tensors a layer keeps: of all, if they are more than the x and y of anne_layer_t.
static uint32_t n_addresses(const anne_record_t *record) {
    uint32_t n = (uint32_t)record->n_inputs + record->n_outputs;
    return n > 2 ? n : 0;
}

// Where weights are rewritten it is the same memory, as that is known only later.
static void note_scratch(anne_model_t *model, const anne_needs_t *needs) {
    if (needs->scratch > model->scratch_bytes) {
        model->scratch_bytes = needs->scratch;
    }
    const uint32_t both = needs->scratch > needs->repacked ? needs->scratch : needs->repacked;
    if (both > model->repacked_bytes) {
        model->repacked_bytes = both;
    }
#ifdef ANNE_REPACKS
    model->scratch_bytes = model->repacked_bytes;
#endif
}

static anne_status_t check_layers(anne_model_t *model, uint32_t layers_bytes) {
    anne_lives_t lives;
    anne_lives_begin(model, &lives);
    model->scratch_bytes = model->repacked_bytes = model->derived_words = 0;
    uint32_t position = 0, room_for_constants = ANNE_MAX_CONSTANT_BYTES;
    for (uint32_t i = 1; i <= model->n_layers; i++) {
        anne_record_t record;
        TRY(anne_record_read(model, layers_bytes, &position, &record));
        for (uint32_t c = 0; c < record.n_constants; c++) {
            if (record.constant_bytes[c] > room_for_constants) {
                return ANNE_ERROR_CONSTANT;
            }
            room_for_constants -= record.constant_bytes[c];
        }
        const anne_layer_kind_t *kind = anne_layer_kind(record.kind);
        if (kind == NULL) {
            return ANNE_ERROR_LAYER;
        }
        TRY(anne_lives_note(model, &record, kind, i, &lives));
        anne_needs_t needs = {0, 0, 0};
        TRY(kind->check(&record, &needs));
        note_scratch(model, &needs);
        model->derived_words += n_addresses(&record) + needs.derived;
    }
    if (position != layers_bytes) {
        return ANNE_ERROR_LAYER;
    }
    return anne_places_check(model, &lives);
}

// --- Interface ------------------------------------------------------------------------------------------------------

anne_status_t anne_model_open(anne_model_t *model, const void *bytes, size_t n_bytes) {
    if (((uintptr_t)bytes & 3) != 0) {
        return ANNE_ERROR_ALIGNMENT;
    }
    const header_t *header = bytes;
    TRY(check_header(header, n_bytes));
    model->bytes = bytes;
    model->n_bytes = n_bytes;
    model->n_tensors = header->n_tensors;
    model->n_layers = header->n_layers;
    model->arena_bytes = header->arena_bytes;
    model->tensors = (const void *)(header + 1);
    model->layers = (const uint8_t *)(model->tensors + model->n_tensors);
    model->metadata = model->layers + header->layers_bytes;
    model->metadata_bytes = header->metadata_bytes;
    model->data = model->metadata + header->metadata_bytes;
    model->data_bytes = header->data_bytes;
    model->workspace = NULL;
    TRY(check_tensors(model));
    TRY(check_layers(model, header->layers_bytes));
    TRY(anne_metadata_check(model));
    model->workspace_bytes = model->n_layers * sizeof(anne_layer_t) + model->derived_words * sizeof(void *)
                             + model->arena_bytes + model->scratch_bytes;
    return ANNE_OK;
}

// --- Inputs and outputs of the network

void anne_model_put_inputs(const anne_model_t *model, const void *sample) {
    const uint8_t *from = sample;
    for (uint32_t t = model->input; t < model->n_tensors; t = anne_model_next(model, t, ANNE_ROLE_INPUT)) {
        uint32_t n_bytes = anne_tensor_bytes(&model->tensors[t]);
        memcpy(anne_model_data(model, t), from, n_bytes);
        from += n_bytes;
    }
}

void anne_model_get_outputs(const anne_model_t *model, void *sample) {
    uint8_t *to = sample;
    for (uint32_t t = model->output; t < model->n_tensors; t = anne_model_next(model, t, ANNE_ROLE_OUTPUT)) {
        uint32_t n_bytes = anne_tensor_bytes(&model->tensors[t]);
        memcpy(to, anne_model_data(model, t), n_bytes);
        to += n_bytes;
    }
}

// --- Workspace

static void **derived_of(const anne_model_t *model) {
    return (void **)((anne_layer_t *)model->workspace + model->n_layers);
}

uint8_t *anne_model_arena(const anne_model_t *model) {
    return (uint8_t *)(derived_of(model) + model->derived_words);
}

void *anne_model_data(const anne_model_t *model, uint32_t tensor) {
    return anne_model_arena(model) + model->tensors[tensor].arena_offset;
}

void anne_model_prepare(anne_model_t *model) {
    anne_layer_t *layers = model->workspace;
    void *scratch = anne_model_arena(model) + model->arena_bytes;
    void **derived = derived_of(model);
    uint32_t position = 0;
    for (uint32_t i = 0; i < model->n_layers; i++) {
        anne_record_t record;
        anne_model_next_record(model, &position, &record);
        const anne_layer_kind_t *kind = anne_layer_kind(record.kind);
        layers[i] = (anne_layer_t){
            .run = kind->run(&record),
            .x = anne_model_data(model, record.tensors[0]),
            .y = anne_model_data(model, record.tensors[record.n_inputs]),
            .scratch = scratch,
            .n_in = anne_tensor_elements(record.input),
            .n_out = anne_tensor_elements(record.output),
            .input = record.input,
            .output = record.output,
            .derived = derived,
            .parameters = record.parameters,
            .activation = record.activation,
            .alpha = record.alpha,
        };
        memcpy(layers[i].constants, record.constants, record.n_constants * sizeof record.constants[0]);
        for (uint32_t k = 0; k < n_addresses(&record); k++) {
            *derived++ = anne_model_data(model, record.tensors[k]);
        }
        if (kind->prepare != NULL) {
            derived += kind->prepare(&layers[i], &record);
        }
    }
    anne_model_reset(model);
}

void anne_model_reset(const anne_model_t *model) {
    const anne_layer_t *layers = model->workspace;
    uint32_t position = 0;
    for (uint32_t i = 0; i < model->n_layers; i++) {
        anne_record_t record;
        anne_model_next_record(model, &position, &record);
        const anne_layer_kind_t *kind = anne_layer_kind(record.kind);
        if (kind->reset != NULL) {
            kind->reset(&layers[i]);
        }
    }
}

void anne_model_run_layers(const anne_model_t *model, uint32_t first, uint32_t last) {
    const anne_layer_t *layers = model->workspace;
    for (uint32_t i = first; i < last; i++) {
        layers[i].run(&layers[i]);
    }
}

void anne_model_run(const anne_model_t *model) {
    anne_model_run_layers(model, 0, model->n_layers);
}
