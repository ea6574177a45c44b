// What lies in the arena before a network runs, and which of its tensors share a place, changes no output: of golden
// models and of random graphs.
//
//   arena tests/golden/models
#include "any_graph.h"
#include "model.h"

#define MOST_BYTES (1u << 14) // of a random graph

// A run with a workspace full of `fill` at first. The caller frees what it returns.
static uint8_t *outputs_of(const uint8_t *bytes, uint32_t n_bytes, const uint8_t *sample, uint8_t fill) {
    anne_model_t model;
    anne_status_t status = anne_model_open(&model, bytes, n_bytes);
    CHECK(status == ANNE_OK, "status %d", status);
    model.workspace = exactly(model.workspace_bytes);
    memset(model.workspace, fill, model.workspace_bytes);
    anne_model_prepare(&model);
    anne_model_put_inputs(&model, sample);
    anne_model_run(&model);
    uint8_t *outputs = exactly(anne_model_bytes(&model, ANNE_ROLE_OUTPUT));
    anne_model_get_outputs(&model, outputs);
    free(model.workspace);
    return outputs;
}

// Lays all tensors of the file apart, but for those that are in the same place by their kind.
static void lay_apart(uint8_t *bytes, uint32_t n_bytes) {
    anne_model_t model;
    CHECK(anne_model_open(&model, bytes, n_bytes) == ANNE_OK, "before");
    anne_tensor_t *tensors = (anne_tensor_t *)(void *)(bytes + 48);
    uint32_t end = 0;
    for (uint32_t t = model.input; t < model.n_tensors; t = anne_model_next(&model, t, ANNE_ROLE_INPUT)) {
        tensors[t].arena_offset = end;
        end += (anne_tensor_bytes(&tensors[t]) + 3) / 4 * 4;
    }
    for (uint32_t i = 0, position = 0; i < model.n_layers; i++) {
        anne_record_t record;
        anne_model_next_record(&model, &position, &record);
        bool same = anne_layer_kind(record.kind)->place == ANNE_PLACE_SAME;
        for (uint32_t k = record.n_inputs; k < (uint32_t)record.n_inputs + record.n_outputs; k++) {
            anne_tensor_t *tensor = &tensors[record.tensors[k]];
            tensor->arena_offset = same ? record.input->arena_offset : end;
            end += same ? 0 : (anne_tensor_bytes(tensor) + 3) / 4 * 4;
        }
    }
    put_word(bytes, 16, end);
    make_good(bytes, n_bytes);
}

static void check(const char *name, const uint8_t *bytes, uint32_t n_bytes) {
    anne_model_t model;
    CHECK(anne_model_open(&model, bytes, n_bytes) == ANNE_OK, "%s", name);
    uint32_t out_bytes = anne_model_bytes(&model, ANNE_ROLE_OUTPUT);
    uint8_t *sample = exactly(anne_model_bytes(&model, ANNE_ROLE_INPUT)), *at = sample;
    for (uint32_t t = model.input; t < model.n_tensors; t = anne_model_next(&model, t, ANNE_ROLE_INPUT)) {
        at = any_data(&model.tensors[t], at);
    }
    uint8_t *apart = exactly(n_bytes);
    memcpy(apart, bytes, n_bytes);
    lay_apart(apart, n_bytes);
    uint8_t *expected = outputs_of(apart, n_bytes, sample, 0);
    static const uint8_t fills[] = {0, 0xa5};
    for (uint32_t i = 0; i < 2; i++) {
        uint8_t *got = outputs_of(bytes, n_bytes, sample, fills[i]);
        CHECK(memcmp(got, expected, out_bytes) == 0, "%s, an arena of 0x%02x", name, fills[i]);
        free(got);
    }
    free(sample), free(apart), free(expected);
}

static void check_random_graphs(void) {
    uint8_t *bytes = exactly(MOST_BYTES);
    uint32_t n_shared = 0;
    for (uint32_t i = 0; i < 2000; i++) {
        graph_t graph = any_graph(0);
        if (!places_good(&graph)) { // as there was no room
            place_apart(&graph);
        } else {
            n_shared++;
        }
        uint32_t n_bytes = write_graph(bytes, &graph);
        any_constants(bytes, n_bytes);
        uint8_t *file = exactly(n_bytes);
        memcpy(file, bytes, n_bytes);
        check("a random graph", file, n_bytes);
        free(file);
    }
    CHECK(n_shared > 1000, "%u graphs share places", n_shared);
    free(bytes);
}

int main(int argc, char **argv) {
    CHECK(argc == 2, "expected the folder of golden models");
    files_t files = read_models(argv[1]);
    for (uint32_t i = 0; i < files.n; i++) {
        check(files.each[i].name, files.each[i].bytes, files.each[i].n_bytes);
        free(files.each[i].bytes);
    }
    check_random_graphs();
    return 0;
}
