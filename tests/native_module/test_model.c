// The loader and golden models: whole files are taken, wherever they may lie, and answer as they must. What becomes of
// damaged files is tests/reliability/damage.c's.
//
//   test_model tests/golden/models
#include <math.h>

#include "kernel_test.h"
#include "model.h"
#include "model_files.h"

// The content of a metadata entry, NULL if there is none.
static const uint8_t *entry(const anne_model_t *model, uint32_t tag, uint32_t *n_bytes) {
    for (uint32_t at = 0; at < model->metadata_bytes; at += 8 + (word_at(model->metadata, at + 4) + 3) / 4 * 4) {
        if (word_at(model->metadata, at) == tag) {
            *n_bytes = word_at(model->metadata, at + 4);
            return model->metadata + at + 8;
        }
    }
    return NULL;
}

enum { GOLDEN_INPUTS = 6, GOLDEN_OUTPUTS = 7 }; // FORMAT.md, "Metadata"

static void check_output(const file_t *file, const anne_tensor_t *tensor, const void *got, const void *expected) {
    if (tensor->dtype != ANNE_FLOAT32) {
        CHECK(memcmp(got, expected, anne_tensor_bytes(tensor)) == 0, "%s", file->name);
        return;
    }
    float largest = 0;
    for (uint32_t i = 0; i < anne_tensor_elements(tensor); i++) {
        largest = fmaxf(largest, fabsf(((const float *)expected)[i]));
    }
    for (uint32_t i = 0; i < anne_tensor_elements(tensor); i++) {
        float g = ((const float *)got)[i], e = ((const float *)expected)[i];
        CHECK(fabsf(g - e) <= 1e-5f * largest, "%s: output %u: %.9g, expected %.9g", file->name, i, g, e);
    }
}

static void check_golden(const file_t *file) {
    anne_model_t model;
    CHECK(anne_model_open(&model, file->bytes, file->n_bytes) == ANNE_OK, "%s", file->name);
    model.workspace = exactly(model.workspace_bytes);
    anne_model_prepare(&model);
    const anne_tensor_t *input = &model.tensors[model.input], *output = &model.tensors[model.output];
    uint32_t in_bytes = 0, out_bytes = 0, n = 0;
    const uint8_t *inputs = entry(&model, GOLDEN_INPUTS, &in_bytes),
                  *outputs = entry(&model, GOLDEN_OUTPUTS, &out_bytes);
    CHECK(inputs != NULL && outputs != NULL, "%s", file->name);
    for (; n < in_bytes / anne_tensor_bytes(input); n++) {
        memcpy(anne_model_data(&model, model.input), inputs + n * anne_tensor_bytes(input), anne_tensor_bytes(input));
        anne_model_run(&model);
        check_output(file, output, anne_model_data(&model, model.output), outputs + n * anne_tensor_bytes(output));
    }
    CHECK(n > 0, "%s", file->name);
    free(model.workspace);
}

static void check_odd_addresses(const file_t *file) {
    for (uint32_t shift = 1; shift < 4; shift++) {
        uint8_t *bytes = exactly(file->n_bytes + shift);
        memcpy(bytes + shift, file->bytes, file->n_bytes);
        anne_model_t model;
        CHECK(anne_model_open(&model, bytes + shift, file->n_bytes) == ANNE_ERROR_ALIGNMENT, "%s + %u", file->name,
              shift);
        free(bytes);
    }
}

int main(int argc, char **argv) {
    CHECK(argc == 2, "expected the folder of golden models");
    files_t files = read_models(argv[1]);
    for (uint32_t i = 0; i < files.n; i++) {
        check_golden(&files.each[i]);
        check_odd_addresses(&files.each[i]);
        free(files.each[i].bytes);
    }
    return 0;
}
