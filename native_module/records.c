// Every number of a record is compared with its limits before it is used as a size, an index or an offset: model.c.
#include "records.h"

#include <math.h>

// A layer's record up to the indices of its tensors.
typedef struct {
    uint16_t kind;
    uint16_t record_bytes;
    uint8_t n_inputs;
    uint8_t n_outputs;
    uint8_t n_constants;
    uint8_t activation;
    float alpha;
} record_head_t;

typedef struct {
    uint32_t offset;
    uint32_t bytes;
} constant_t;

_Static_assert(sizeof(record_head_t) == 12, "as in FORMAT.md");

// --- Tensors --------------------------------------------------------------------------------------------------------

static uint32_t first_of(const anne_model_t *model, anne_role_t role) {
    return role == ANNE_ROLE_INPUT ? model->input : model->output;
}

uint32_t anne_model_next(const anne_model_t *model, uint32_t tensor, anne_role_t role) {
    do {
        tensor++;
    } while (tensor < model->n_tensors && !(model->tensors[tensor].role & role));
    return tensor;
}

uint32_t anne_model_elements(const anne_model_t *model, anne_role_t role) {
    uint32_t n = 0;
    for (uint32_t t = first_of(model, role); t < model->n_tensors; t = anne_model_next(model, t, role)) {
        n += anne_tensor_elements(&model->tensors[t]); // at most 257 times 2^20
    }
    return n;
}

uint32_t anne_model_bytes(const anne_model_t *model, anne_role_t role) {
    uint32_t n_bytes = 0;
    for (uint32_t t = first_of(model, role); t < model->n_tensors; t = anne_model_next(model, t, role)) {
        n_bytes += anne_tensor_bytes(&model->tensors[t]); // at most 257 times 2^22
    }
    return n_bytes;
}

// --- Records of layers ----------------------------------------------------------------------------------------------

anne_status_t anne_record_read(const anne_model_t *model, uint32_t layers_bytes, uint32_t *position,
                               anne_record_t *record) {
    const record_head_t *head = (const void *)(model->layers + *position);
    uint32_t room = layers_bytes - *position;
    if (room < sizeof *head || head->record_bytes > room || head->record_bytes % 4 != 0) {
        return ANNE_ERROR_LAYER;
    }
    uint32_t n_tensors = head->n_inputs + head->n_outputs;
    uint32_t tensors_bytes = (n_tensors + 1) / 2 * 4;
    uint32_t fixed_bytes = sizeof *head + tensors_bytes + head->n_constants * sizeof(constant_t);
    if (head->n_inputs < 1 || head->n_outputs < 1 || head->n_constants > ANNE_MAX_CONSTANTS
        || head->record_bytes < fixed_bytes) {
        return ANNE_ERROR_LAYER;
    }
    if (head->activation >= ANNE_ACTIVATION_COUNT || !isfinite(head->alpha)) {
        return ANNE_ERROR_PARAMETER;
    }
    record->kind = head->kind;
    record->n_inputs = head->n_inputs;
    record->n_outputs = head->n_outputs;
    record->n_constants = head->n_constants;
    record->activation = head->activation;
    record->alpha = head->alpha;
    record->tensors = (const void *)(head + 1);
    for (uint32_t i = 0; i < tensors_bytes / 2; i++) {
        if (i < n_tensors ? record->tensors[i] >= model->n_tensors : record->tensors[i] != 0) {
            return ANNE_ERROR_LAYER;
        }
    }
    record->input = &model->tensors[record->tensors[0]];
    record->output = &model->tensors[record->tensors[head->n_inputs]];
    record->all = model->tensors;
    const constant_t *constants = (const void *)((const uint8_t *)record->tensors + tensors_bytes);
    for (uint32_t i = 0; i < head->n_constants; i++) {
        if (constants[i].offset % 4 != 0 || constants[i].offset > model->data_bytes
            || constants[i].bytes > model->data_bytes - constants[i].offset) {
            return ANNE_ERROR_CONSTANT;
        }
        record->constants[i] = model->data + constants[i].offset;
        record->constant_bytes[i] = constants[i].bytes;
    }
    record->parameters = (const void *)(constants + head->n_constants);
    record->n_parameters = (head->record_bytes - fixed_bytes) / 4;
    *position += head->record_bytes;
    return ANNE_OK;
}

void anne_model_next_record(const anne_model_t *model, uint32_t *position, anne_record_t *record) {
    anne_record_read(model, model->metadata - model->layers, position, record); // checked by anne_model_open
}

void anne_model_record(const anne_model_t *model, uint32_t index, anne_record_t *record) {
    uint32_t position = 0;
    for (; index > 0; index--) {
        position += ((const record_head_t *)(const void *)(model->layers + position))->record_bytes;
    }
    anne_model_next_record(model, &position, record);
}
