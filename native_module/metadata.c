// Entries of metadata: each is proven when the file is loaded, and found again by going through them.
#include "metadata.h"

#include <math.h>
#include <stddef.h>

// An entry as it stands in the file; its content follows, padded with 0 to words.
typedef struct {
    uint32_t tag;
    uint32_t n_bytes;
} entry_head_t;

static anne_entry_t content_of(const entry_head_t *head) {
    return (anne_entry_t){(const uint8_t *)(head + 1), head->n_bytes};
}

static uint32_t size_of(const entry_head_t *head) {
    return sizeof *head + (head->n_bytes + 3) / 4 * 4;
}

anne_entry_t anne_metadata_entry(const anne_model_t *model, anne_tag_t tag) {
    for (uint32_t position = 0; position < model->metadata_bytes;) {
        const entry_head_t *head = (const void *)(model->metadata + position);
        if (head->tag == tag) {
            return content_of(head);
        }
        position += size_of(head);
    }
    return (anne_entry_t){NULL, 0};
}

static uint32_t line_bytes(const uint8_t *text, const uint8_t *end) {
    const uint8_t *at = text;
    while (at < end && *at != '\n') {
        at++;
    }
    return at - text;
}

anne_entry_t anne_metadata_line(anne_entry_t text, uint32_t index) {
    const uint8_t *at = text.bytes, *end = at + text.n_bytes;
    while (at != NULL) {
        uint32_t n_bytes = line_bytes(at, end);
        if (index-- == 0) {
            return (anne_entry_t){at, n_bytes};
        }
        at = at + n_bytes < end ? at + n_bytes + 1 : NULL;
    }
    return (anne_entry_t){NULL, 0};
}

// --- Proof ----------------------------------------------------------------------------------------------------------

// UTF-8 as RFC 3629 has it: no form longer than it need be, no surrogates, nothing above U+10FFFF.
static bool is_utf8(anne_entry_t text) {
    static const uint32_t least[] = {0, 0x80, 0x800, 0x10000}; // that takes so many bytes more than one
    const uint8_t *at = text.bytes, *end = at + text.n_bytes;
    while (at < end) {
        uint32_t point = *at++;
        if (point < 0x80) {
            continue;
        }
        uint32_t more = point >= 0xf0 ? 3 : point >= 0xe0 ? 2 : 1;
        if (point < 0xc0 || point >= 0xf8 || more > (uint32_t)(end - at)) {
            return false;
        }
        point &= 0x3f >> more;
        for (uint32_t i = 0; i < more; i++) {
            if ((*at & 0xc0) != 0x80) {
                return false;
            }
            point = point << 6 | (*at++ & 0x3f);
        }
        if (point < least[more] || point > 0x10ffff || (point >= 0xd800 && point < 0xe000)) {
            return false;
        }
    }
    return true;
}

// Text of `n` lines.
static bool has_lines(anne_entry_t text, uint32_t n) {
    return is_utf8(text) && anne_metadata_line(text, n - 1).bytes != NULL && anne_metadata_line(text, n).bytes == NULL;
}

// Whole samples; how many is compared once both entries are known.
static bool has_samples(const anne_model_t *model, anne_entry_t entry, anne_role_t role) {
    return entry.n_bytes % anne_model_bytes(model, role) == 0;
}

// One class an element of the only output; two if that has one.
static bool has_labels(const anne_model_t *model, anne_entry_t entry) {
    uint32_t n_out = anne_model_elements(model, ANNE_ROLE_OUTPUT);
    return model->n_outputs == 1 && has_lines(entry, n_out > 1 ? n_out : 2);
}

static bool has_threshold(const anne_model_t *model, anne_entry_t entry) {
    return model->n_outputs == 1 && entry.n_bytes == sizeof(float)
           && isfinite(*(const float *)(const void *)entry.bytes);
}

static bool is_good(const anne_model_t *model, uint32_t tag, anne_entry_t entry) {
    switch (tag) {
    case ANNE_TAG_name:
        return entry.n_bytes <= ANNE_MAX_NAME_BYTES && is_utf8(entry);
    case ANNE_TAG_labels:
        return has_labels(model, entry);
    case ANNE_TAG_feature_names:
        return has_lines(entry, anne_model_elements(model, ANNE_ROLE_INPUT));
    case ANNE_TAG_layer_names:
        return has_lines(entry, model->n_layers);
    case ANNE_TAG_input_names:
        return has_lines(entry, model->n_inputs);
    case ANNE_TAG_output_names:
        return has_lines(entry, model->n_outputs);
    case ANNE_TAG_provenance:
        return is_utf8(entry);
    case ANNE_TAG_threshold:
        return has_threshold(model, entry);
    case ANNE_TAG_golden_inputs:
        return has_samples(model, entry, ANNE_ROLE_INPUT);
    default:
        return has_samples(model, entry, ANNE_ROLE_OUTPUT);
    }
}

static uint32_t n_samples(const anne_model_t *model, anne_tag_t tag, anne_role_t role) {
    return anne_metadata_entry(model, tag).n_bytes / anne_model_bytes(model, role);
}

anne_status_t anne_metadata_check(const anne_model_t *model) {
    uint32_t seen = 0; // a bit for each tag
    for (uint32_t position = 0; position < model->metadata_bytes;) {
        uint32_t room = model->metadata_bytes - position;
        const entry_head_t *head = (const void *)(model->metadata + position);
        if (room < sizeof *head || head->n_bytes > room - sizeof *head) {
            return ANNE_ERROR_METADATA;
        }
        uint32_t tag = head->tag;
        if (tag > ANNE_TAG_none && tag < ANNE_TAG_END) {
            if ((seen >> tag & 1) != 0 || head->n_bytes == 0 || !is_good(model, tag, content_of(head))) {
                return ANNE_ERROR_METADATA;
            }
            seen |= 1u << tag;
        }
        position += size_of(head); // metadata_bytes is a multiple of 4, so the padding is inside, too
    }
    return n_samples(model, ANNE_TAG_golden_inputs, ANNE_ROLE_INPUT)
                   == n_samples(model, ANNE_TAG_golden_outputs, ANNE_ROLE_OUTPUT)
               ? ANNE_OK
               : ANNE_ERROR_METADATA;
}
