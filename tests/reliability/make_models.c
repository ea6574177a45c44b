// Writes model files of one layer whose constants are random, extremes included, for edge_numbers.py.
//
//   make_models FOLDER N     N files of each way a layer runs: FOLDER/NAME_NUMBER.anne
#include "make_model.h"
#include "model_files.h"

#define MOST_BYTES (1u << 14) // small, as the reference is slow

static const char *const names[] = {
#define VARIANT_NAME(name) #name,
    LAYER_VARIANTS(VARIANT_NAME)
#undef VARIANT_NAME
};

int main(int argc, char **argv) {
    CHECK(argc == 3, "expected a folder and a number");
    uint8_t *bytes = exactly(MOST_BYTES);
    for (variant_t variant = 0; variant < VARIANT_COUNT; variant++) {
        for (int i = 0; i < atoi(argv[2]);) {
            shape_t shape = any_shape(variant);
            uint32_t n_bytes = make_model(bytes, MOST_BYTES, &shape);
            if (n_bytes == 0) {
                continue;
            }
            char path[4096];
            snprintf(path, sizeof path, "%s/%s_%d.anne", argv[1], names[variant], i++);
            FILE *stream = fopen(path, "wb");
            CHECK(stream != NULL, "%s", path);
            CHECK(fwrite(bytes, 1, n_bytes, stream) == n_bytes, "%s", path);
            fclose(stream);
        }
    }
    free(bytes);
    return 0;
}
