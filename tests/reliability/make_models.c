// Writes model files: of one layer whose constants are random, extremes included, for edge_numbers.py; and of networks
// that branch, for heap.py.
//
//   make_models layers FOLDER N     N files of each way a layer runs: FOLDER/NAME_NUMBER.anne
//   make_models graphs FOLDER N     N networks: FOLDER/graph_NUMBER.anne
#include "make_model.h"
#include "model_files.h"

#define MOST_BYTES (1u << 14) // small, as the reference is slow

static const char *const names[] = {
#define VARIANT_NAME(name) #name,
    LAYER_VARIANTS(VARIANT_NAME)
#undef VARIANT_NAME
};

static void write_file(const char *folder, const char *name, int number, const uint8_t *bytes, uint32_t n_bytes) {
    char path[4096];
    snprintf(path, sizeof path, "%s/%s_%d.anne", folder, name, number);
    FILE *stream = fopen(path, "wb");
    CHECK(stream != NULL, "%s", path);
    CHECK(fwrite(bytes, 1, n_bytes, stream) == n_bytes, "%s", path);
    fclose(stream);
}

static void write_layers(const char *folder, int n, uint8_t *bytes) {
    for (variant_t variant = 0; variant < VARIANT_COUNT; variant++) {
        for (int i = 0; i < n;) {
            shape_t shape = any_shape(variant);
            uint32_t n_bytes = make_model(bytes, MOST_BYTES, &shape);
            if (n_bytes > 0) {
                write_file(folder, names[variant], i++, bytes, n_bytes);
            }
        }
    }
}

int main(int argc, char **argv) {
    CHECK(argc == 4, "expected what to write, a folder and a number");
    uint8_t *bytes = exactly(MOST_BYTES);
    int n = atoi(argv[3]);
    if (strcmp(argv[1], "layers") == 0) {
        write_layers(argv[2], n, bytes);
    } else {
        for (int i = 0; i < n; i++) {
            write_file(argv[2], "graph", i, bytes, make_graph(bytes, MOST_BYTES));
        }
    }
    free(bytes);
    return 0;
}
