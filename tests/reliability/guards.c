// Guard bands: every kind of layer in many shapes, each allowed to touch its input, output and scratch only.
//
//   guards SHAPES [SEED]     prints {"runs": shapes tried, "variants": of layers, "graphs": networks that branch, too}
#include "guarded.h"
#include "make_model.h"
#include "model_files.h"

#define MOST_BYTES (1u << 20)

// A set of shapes: open addressing, twice as large as the most shapes that are ever asked for.
#define SET_SIZE (1u << 17)

static bool add(uint64_t *set, const shape_t *shape) {
    uint64_t key = 1 + shape->n_out; // not 0, which marks an empty place
    for (uint32_t i = 0; i < shape->rank; i++) {
        key = key * 32771 + shape->shape[i];
    }
    uint32_t at = (uint32_t)(key * 0x9e3779b97f4a7c15u >> 47);
    for (; set[at] != 0; at = (at + 1) % SET_SIZE) {
        if (set[at] == key) {
            return false;
        }
    }
    set[at] = key;
    return true;
}

static const char *const names[] = {
#define VARIANT_NAME(name) #name,
    LAYER_VARIANTS(VARIANT_NAME)
#undef VARIANT_NAME
};

// A copy of the file with nothing beside it, opened, with room and random inputs.
static uint8_t *open_guarded(const char *name, const uint8_t *bytes, uint32_t n_bytes, anne_model_t *model) {
    uint8_t *file = exactly(n_bytes);
    memcpy(file, bytes, n_bytes);
    anne_status_t status = anne_model_open(model, file, n_bytes);
    CHECK(status == ANNE_OK, "%s: status %d", name, status);
    prepare_guarded(model);
    for (uint32_t t = model->input; t < model->n_tensors; t = anne_model_next(model, t, ANNE_ROLE_INPUT)) {
        any_values(anne_model_data(model, t), anne_tensor_elements(&model->tensors[t]), model->tensors[t].dtype);
    }
    return file;
}

// Runs the file once; nothing but the output may change.
static void check(const shape_t *shape, const uint8_t *bytes, uint32_t n_bytes) {
    char name[100];
    snprintf(name, sizeof name, "%s, rank %u, %u -> %u", names[shape->variant], shape->rank, shape->shape[0],
             shape->n_out);
    anne_model_t model;
    uint8_t *file = open_guarded(name, bytes, n_bytes, &model);
    uint8_t *before = exactly(model.arena_bytes);
    memcpy(before, anne_model_arena(&model), model.arena_bytes);
    run_guarded(&model);
    const anne_tensor_t *y = &model.tensors[model.output];
    memcpy(before + y->arena_offset, anne_model_data(&model, model.output), anne_tensor_bytes(y));
    CHECK(memcmp(before, anne_model_arena(&model), model.arena_bytes) == 0, "%s changed more than its output", name);
    CHECK(memcmp(file, bytes, n_bytes) == 0, "%s changed its file", name);
    free(before), free(model.workspace), free(file);
}

// In a network each layer may touch its own tensors only, whatever else lies beside them.
static void check_graph(const uint8_t *bytes, uint32_t n_bytes) {
    anne_model_t model;
    uint8_t *file = open_guarded("a graph", bytes, n_bytes, &model);
    run_guarded(&model);
    CHECK(memcmp(file, bytes, n_bytes) == 0, "a graph changed its file");
    free(model.workspace), free(file);
}

int main(int argc, char **argv) {
    CHECK(argc == 2 || argc == 3, "expected the number of shapes, and maybe a seed");
    if (argc == 3) {
        make_model_seed(strtoull(argv[2], NULL, 10));
    }
    uint32_t n_shapes = (uint32_t)atoi(argv[1]), runs = 0;
    CHECK(n_shapes > 0 && n_shapes <= SET_SIZE / 2, "%s shapes", argv[1]);
    uint8_t *bytes = exactly(MOST_BYTES);
    uint64_t *set = exactly(SET_SIZE * sizeof *set);
    for (variant_t variant = 0; variant < VARIANT_COUNT; variant++) {
        memset(set, 0, SET_SIZE * sizeof *set);
        for (uint32_t n = 0; n < n_shapes;) {
            shape_t shape = any_shape(variant);
            uint32_t n_bytes = make_model(bytes, MOST_BYTES, &shape);
            if (n_bytes > 0 && add(set, &shape)) {
                check(&shape, bytes, n_bytes);
                n++, runs++;
            }
        }
    }
    for (uint32_t n = 0; n < n_shapes; n++) {
        check_graph(bytes, make_graph(bytes, MOST_BYTES));
    }
    printf("{\"runs\": %u, \"variants\": %u, \"graphs\": %u}\n", runs, VARIANT_COUNT, n_shapes);
    free(bytes), free(set);
    return 0;
}
