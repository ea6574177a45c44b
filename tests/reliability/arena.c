// What lies in the arena before a network runs, and which of its tensors share a place, changes no output: of model
// files, and of random graphs placed by a rule of their own.
//
//   arena GRAPHS [FOLDER NAME ...]     so many random graphs, and the files of a folder
//
// prints {"shared": files in which tensors share a place, "graphs": graphs in which they do, "runs": how many}
#include "any_graph.h"
#include "model.h"

#define MOST_BYTES  (1u << 14) // of a random graph
#define N_SAMPLES   3
#define ARENA_BYTES 16 // where the header has that

static uint32_t n_runs;

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
    put_word(bytes, ARENA_BYTES, end);
    make_good(bytes, n_bytes);
}

static void check_sample(const char *name, const file_t *planned, const file_t *apart) {
    anne_model_t model;
    CHECK(anne_model_open(&model, planned->bytes, planned->n_bytes) == ANNE_OK, "%s", name);
    uint32_t out_bytes = anne_model_bytes(&model, ANNE_ROLE_OUTPUT);
    uint8_t *sample = exactly(anne_model_bytes(&model, ANNE_ROLE_INPUT)), *at = sample;
    for (uint32_t t = model.input; t < model.n_tensors; t = anne_model_next(&model, t, ANNE_ROLE_INPUT)) {
        at = any_data(&model.tensors[t], at);
    }
    uint8_t *expected = outputs_of(apart->bytes, apart->n_bytes, sample, 0);
    static const uint8_t fills[] = {0, 0xa5, 0xff}; // as floats: 0, -2.9e-16, which a sum may swallow, and NaN
    for (uint32_t i = 0; i < sizeof fills; i++) {
        uint8_t *got = outputs_of(planned->bytes, planned->n_bytes, sample, fills[i]);
        CHECK(memcmp(got, expected, out_bytes) == 0, "%s, an arena of 0x%02x", name, fills[i]);
        free(got);
        n_runs++;
    }
    free(sample), free(expected);
}

// Whether tensors share a place in the file.
static bool check(const char *name, uint8_t *bytes, uint32_t n_bytes) {
    file_t planned = {.bytes = bytes, .n_bytes = n_bytes};
    file_t apart = {.bytes = memcpy(exactly(n_bytes), bytes, n_bytes), .n_bytes = n_bytes};
    lay_apart(apart.bytes, n_bytes);
    for (uint32_t i = 0; i < N_SAMPLES; i++) {
        check_sample(name, &planned, &apart);
    }
    bool shared = word_at(apart.bytes, ARENA_BYTES) > word_at(bytes, ARENA_BYTES);
    free(apart.bytes);
    return shared;
}

static uint32_t check_random_graphs(uint32_t n) {
    uint8_t *bytes = exactly(MOST_BYTES);
    uint32_t n_shared = 0;
    for (uint32_t i = 0; i < n; i++) {
        graph_t graph = any_graph(0);
        if (!places_good(&graph)) { // as there was no room
            place_apart(&graph);
        } else {
            n_shared++;
        }
        uint32_t n_bytes = write_graph(bytes, &graph);
        any_constants(bytes, n_bytes);
        uint8_t *file = memcpy(exactly(n_bytes), bytes, n_bytes);
        check("a random graph", file, n_bytes);
        free(file);
    }
    free(bytes);
    return n_shared;
}

int main(int argc, char **argv) {
    CHECK(argc >= 2, "expected how many random graphs, a folder, and names of model files in it");
    uint32_t n_shared = 0, n_graphs = check_random_graphs((uint32_t)atoi(argv[1]));
    for (int i = 3; i < argc; i++) {
        file_t file = read_file(argv[2], argv[i]);
        n_shared += check(file.name, file.bytes, file.n_bytes);
        free(file.bytes);
    }
    printf("{\"shared\": %u, \"graphs\": %u, \"runs\": %u}\n", n_shared, n_graphs, n_runs);
    return 0;
}
