// The loader and golden models: whole files are taken, wherever they may lie, and answer as they must. What becomes of
// damaged files is tests/reliability/damage.c's.
//
//   test_model tests/golden/models
#include <math.h>

#include "kernel_test.h"
#include "metadata.h"
#include "model.h"
#include "model_files.h"

// `expected` may lie anywhere: samples stand in the file without gaps.
static void check_output(const file_t *file, const anne_tensor_t *tensor, const void *got, const void *expected) {
    if (tensor->dtype != ANNE_FLOAT32) {
        CHECK(memcmp(got, expected, anne_tensor_bytes(tensor)) == 0, "%s", file->name);
        return;
    }
    uint32_t n = anne_tensor_elements(tensor);
    float largest = 0, *wanted = exactly(n * sizeof *wanted);
    memcpy(wanted, expected, n * sizeof *wanted);
    for (uint32_t i = 0; i < n; i++) {
        largest = fmaxf(largest, fabsf(wanted[i]));
    }
    for (uint32_t i = 0; i < n; i++) {
        float g = ((const float *)got)[i], e = wanted[i];
        CHECK(fabsf(g - e) <= 1e-5f * largest, "%s: output %u: %.9g, expected %.9g", file->name, i, g, e);
    }
    free(wanted);
}

static void check_golden(const file_t *file) {
    anne_model_t model;
    CHECK(anne_model_open(&model, file->bytes, file->n_bytes) == ANNE_OK, "%s", file->name);
    model.workspace = exactly(model.workspace_bytes);
    anne_model_prepare(&model);
    anne_entry_t inputs = anne_metadata_entry(&model, ANNE_TAG_golden_inputs);
    anne_entry_t outputs = anne_metadata_entry(&model, ANNE_TAG_golden_outputs);
    uint32_t in_bytes = anne_model_bytes(&model, ANNE_ROLE_INPUT), n = 0;
    const uint8_t *expected = outputs.bytes;
    for (; n < inputs.n_bytes / in_bytes; n++) {
        anne_model_put_inputs(&model, inputs.bytes + n * in_bytes);
        anne_model_run(&model);
        for (uint32_t t = model.output; t < model.n_tensors; t = anne_model_next(&model, t, ANNE_ROLE_OUTPUT)) {
            check_output(file, &model.tensors[t], anne_model_data(&model, t), expected);
            expected += anne_tensor_bytes(&model.tensors[t]);
        }
    }
    CHECK(expected == outputs.bytes + outputs.n_bytes, "%s", file->name);
    CHECK(n > 0, "%s", file->name);
    free(model.workspace);
}

// Each layer is found by its number, too, and has a line of the names.
static void check_layers(const file_t *file) {
    anne_model_t model;
    CHECK(anne_model_open(&model, file->bytes, file->n_bytes) == ANNE_OK, "%s", file->name);
    anne_entry_t names = anne_metadata_entry(&model, ANNE_TAG_layer_names);
    const uint8_t *end = names.bytes - 1;
    for (uint32_t i = 0, position = 0; i < model.n_layers; i++) {
        anne_record_t next, found;
        anne_model_next_record(&model, &position, &next);
        anne_model_record(&model, i, &found);
        CHECK(found.tensors == next.tensors && found.kind == next.kind, "%s: layer %u", file->name, i);
        anne_entry_t name = anne_metadata_line(names, i);
        CHECK(name.bytes == end + 1 && name.n_bytes > 0, "%s: layer %u", file->name, i);
        end = name.bytes + name.n_bytes;
    }
    CHECK(end == names.bytes + names.n_bytes, "%s", file->name);
    CHECK(anne_metadata_line(names, model.n_layers).bytes == NULL, "%s", file->name);
    CHECK(anne_metadata_line((anne_entry_t){NULL, 0}, 0).bytes == NULL, "no text has no lines");
}

// What a kind says of its layer: a dense one multiplies with every weight, a convolution makes each output of a window,
// a transposed one takes each input to a window of all channels; parameters of the first two name the layout of
// weights.
static void check_words(const file_t *file) {
    anne_model_t model;
    CHECK(anne_model_open(&model, file->bytes, file->n_bytes) == ANNE_OK, "%s", file->name);
    for (uint32_t i = 0, position = 0; i < model.n_layers; i++) {
        anne_record_t record;
        anne_model_next_record(&model, &position, &record);
        const anne_layer_kind_t *kind = anne_layer_kind(record.kind);
        const int32_t *p = record.parameters;
        uint32_t n = anne_tensor_elements(record.output), layout = 0;
        if (record.kind == ANNE_KIND_dense) {
            n *= anne_tensor_elements(record.input);
            layout = (uint32_t)p[0];
        } else if (record.kind == ANNE_KIND_conv) {
            n *= (uint32_t)(p[0] * p[1]) * anne_last_axis(record.input) / (uint32_t)p[8];
            layout = (uint32_t)p[9];
        } else if (record.kind == ANNE_KIND_depthwise_conv) {
            n *= (uint32_t)(p[0] * p[1]);
        } else if (record.kind == ANNE_KIND_conv_transpose) {
            n = anne_tensor_elements(record.input) * (uint32_t)(p[0] * p[1]) * anne_last_axis(record.output);
        } else {
            continue;
        }
        CHECK(kind->macs(&record) == n, "%s: layer %u: %u, expected %u", file->name, i, kind->macs(&record), n);
        CHECK(kind->layout == NULL ? layout == 0 : kind->layout(&record) == layout, "%s: layer %u", file->name, i);
    }
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
        check_layers(&files.each[i]);
        check_words(&files.each[i]);
        check_odd_addresses(&files.each[i]);
        free(files.each[i].bytes);
    }
    return 0;
}
