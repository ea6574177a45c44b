// What lies in the workspace before a network runs, and which of its tensors share a place, changes no output: of model
// files, of layers of every kind, and of random graphs placed by a rule of their own.
//
//   arena SHAPES GRAPHS FOLDER NAME ...     so many shapes of each kind, so many graphs, and the files of a folder
//
// prints {"shared": files in which tensors share a place, "graphs": graphs in which they do, "runs": how many}
#include "any_graph.h"
#include "make_model.h"
#include "model.h"

#define MOST_BYTES (1u << 20) // of a file that is made here
#define N_SAMPLES  3
// Where a file has what.
#define ARENA_BYTES 16
#define N_TENSORS   20
#define TENSORS     48

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
    anne_tensor_t *tensors = (anne_tensor_t *)(void *)(bytes + TENSORS);
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

static bool overlap(const anne_tensor_t *a, const anne_tensor_t *b) {
    return a->arena_offset < b->arena_offset + anne_tensor_bytes(b)
           && b->arena_offset < a->arena_offset + anne_tensor_bytes(a);
}

// Whether tensors share bytes that they do not share when laid apart.
static bool is_shared(const uint8_t *planned, const uint8_t *apart) {
    const anne_tensor_t *p = (const anne_tensor_t *)(const void *)(planned + TENSORS);
    const anne_tensor_t *q = (const anne_tensor_t *)(const void *)(apart + TENSORS);
    for (uint32_t a = 0; a < word_at(planned, N_TENSORS); a++) {
        for (uint32_t b = 0; b < a; b++) {
            if (overlap(&p[a], &p[b]) && !overlap(&q[a], &q[b])) {
                return true;
            }
        }
    }
    return false;
}

// Whether tensors share a place in the file.
static bool check(const char *name, uint8_t *bytes, uint32_t n_bytes) {
    file_t planned = {.bytes = bytes, .n_bytes = n_bytes};
    file_t apart = {.bytes = memcpy(exactly(n_bytes), bytes, n_bytes), .n_bytes = n_bytes};
    lay_apart(apart.bytes, n_bytes);
    for (uint32_t i = 0; i < N_SAMPLES; i++) {
        check_sample(name, &planned, &apart);
    }
    bool shared = is_shared(bytes, apart.bytes);
    free(apart.bytes);
    return shared;
}

// Checks a file of `n_bytes` in a larger block, with nothing beside it.
static bool check_made(const char *name, const uint8_t *bytes, uint32_t n_bytes) {
    uint8_t *file = memcpy(exactly(n_bytes), bytes, n_bytes);
    bool shared = check(name, file, n_bytes);
    free(file);
    return shared;
}

static void check_layers(uint32_t n_shapes) {
    static const char *const names[] = {
#define VARIANT_NAME(name) #name,
        LAYER_VARIANTS(VARIANT_NAME)
#undef VARIANT_NAME
    };
    uint8_t *bytes = exactly(MOST_BYTES);
    for (uint32_t i = 0; i < n_shapes * VARIANT_COUNT; i++) {
        shape_t shape = any_shape(i % VARIANT_COUNT);
        uint32_t n_bytes = make_model(bytes, MOST_BYTES, &shape);
        if (n_bytes > 0) {
            check_made(names[shape.variant], bytes, n_bytes);
        }
    }
    free(bytes);
}

static uint32_t check_graphs(uint32_t n) {
    uint8_t *bytes = exactly(MOST_BYTES);
    uint32_t n_shared = 0;
    for (uint32_t i = 0; i < n; i++) {
        graph_t graph = any_graph(0);
        if (!places_good(&graph)) { // as there was no room
            place_apart(&graph);
        }
        uint32_t n_bytes = write_graph(bytes, &graph);
        any_constants(bytes, n_bytes);
        n_shared += check_made("a random graph", bytes, n_bytes);
    }
    free(bytes);
    return n_shared;
}

int main(int argc, char **argv) {
    CHECK(argc >= 4, "expected how many shapes, how many graphs, a folder, and names of model files in it");
    check_layers((uint32_t)atoi(argv[1]));
    uint32_t n_shared = 0, n_graphs = check_graphs((uint32_t)atoi(argv[2]));
    for (int i = 4; i < argc; i++) {
        file_t file = read_file(argv[3], argv[i]);
        n_shared += check(file.name, file.bytes, file.n_bytes);
        free(file.bytes);
    }
    printf("{\"shared\": %u, \"graphs\": %u, \"runs\": %u}\n", n_shared, n_graphs, n_runs);
    return 0;
}
