// The loader against damaged files: golden models cut off, with every bit changed, and with every field of the head
// changed and the CRC made good. Nothing may be read or written outside of the file and the workspace, each of which
// has a block of its own size on the heap; what is taken after all is run.
//
//   test_model tests/golden/models
#include <dirent.h>
#include <math.h>

#include "kernel_test.h"
#include "model.h"

typedef struct {
    char name[64];
    uint8_t *bytes;
    uint32_t n_bytes;
} file_t;

static uint32_t crc32(const uint8_t *bytes, size_t n) {
    static uint32_t table[256];
    for (uint32_t i = 0; i < 256 && table[255] == 0; i++) {
        table[i] = i;
        for (int bit = 0; bit < 8; bit++) {
            table[i] = table[i] >> 1 ^ (table[i] & 1 ? 0xedb88320 : 0);
        }
    }
    uint32_t crc = 0xffffffff;
    while (n-- > 0) {
        crc = crc >> 8 ^ table[(crc ^ *bytes++) & 0xff];
    }
    return ~crc;
}

static uint32_t word_at(const uint8_t *bytes, uint32_t at) {
    uint32_t word;
    memcpy(&word, bytes + at, sizeof word);
    return word;
}

static void put_word(uint8_t *bytes, uint32_t at, uint32_t word) {
    memcpy(bytes + at, &word, sizeof word);
}

static file_t read_file(const char *folder, const char *name) {
    char path[4096];
    file_t file;
    snprintf(path, sizeof path, "%s/%s", folder, name);
    snprintf(file.name, sizeof file.name, "%s", name);
    FILE *stream = fopen(path, "rb");
    CHECK(stream != NULL, "%s", path);
    fseek(stream, 0, SEEK_END);
    file.n_bytes = (uint32_t)ftell(stream);
    file.bytes = exactly(file.n_bytes);
    rewind(stream);
    CHECK(fread(file.bytes, 1, file.n_bytes, stream) == file.n_bytes, "%s", path);
    fclose(stream);
    return file;
}

// Larger workspaces are not run: they come of changed fields and cost only time.
#define MOST_WORKSPACE (1u << 20)

// Opens and runs the file; all inputs are the byte 0x5a.
static anne_status_t open_and_run(const uint8_t *bytes, uint32_t n_bytes) {
    anne_model_t model;
    anne_status_t status = anne_model_open(&model, bytes, n_bytes);
    if (status == ANNE_OK && model.workspace_bytes <= MOST_WORKSPACE) {
        model.workspace = exactly(model.workspace_bytes);
        anne_model_prepare(&model);
        anne_model_run(&model);
        free(model.workspace);
    }
    return status;
}

// --- Whole files ----------------------------------------------------------------------------------------------------

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

// --- Damaged files --------------------------------------------------------------------------------------------------

static void check_truncated(const file_t *file) {
    for (uint32_t n = 0; n < file->n_bytes; n++) {
        uint8_t *bytes = exactly(n);
        memcpy(bytes, file->bytes, n);
        CHECK(open_and_run(bytes, n) != ANNE_OK, "%s, %u bytes", file->name, n);
        if (n >= 48) { // with a length that says so, and a good CRC: the sections no longer add up
            put_word(bytes, 8, n);
            put_word(bytes, 12, crc32(bytes + 16, n - 16));
            CHECK(open_and_run(bytes, n) != ANNE_OK, "%s, cut to %u bytes", file->name, n);
        }
        free(bytes);
    }
}

static void check_changed_bits(const file_t *file) {
    for (uint32_t at = 0; at < file->n_bytes; at++) {
        for (int bit = 0; bit < 8; bit++) {
            file->bytes[at] ^= 1 << bit;
            CHECK(open_and_run(file->bytes, file->n_bytes) != ANNE_OK, "%s, bit %d of byte %u", file->name, bit, at);
            file->bytes[at] ^= 1 << bit;
        }
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

// --- Changed fields -------------------------------------------------------------------------------------------------

// Changes one word and runs what is taken; the file is as before afterwards.
static bool taken_with(const file_t *file, uint32_t at, uint32_t word) {
    uint32_t before = word_at(file->bytes, at);
    put_word(file->bytes, at, word);
    put_word(file->bytes, 12, crc32(file->bytes + 16, file->n_bytes - 16));
    bool taken = open_and_run(file->bytes, file->n_bytes) == ANNE_OK;
    put_word(file->bytes, at, before);
    return taken;
}

// Every word of the file with values that are worth trying.
static uint32_t check_changed_words(const file_t *file) {
    static const uint32_t values[] = {
        0,          1,          2,          3,          4,          5,          6,          7,
        12,         15,         16,         17,         127,        128,        255,        256,
        511,        512,        0x7fff,     0x8000,     0xffff,     0x10000,    0xfffff,    0x100000,
        0x3fffffff, 0x40000000, 0x7fffffff, 0x80000000, 0x7f800000, 0xff800000, 0x7fc00000, 0xffffffff,
        0xffffff80, 0xffffff7f, 0xfffffffc, 0xffffffe1, 0xffffffe0}; // the last two are -31 and -32
    uint32_t taken = 0;
    for (uint32_t at = 16; at + 4 <= file->n_bytes; at += 4) {
        uint32_t now = word_at(file->bytes, at);
        for (uint32_t i = 0; i < sizeof values / sizeof values[0]; i++) {
            taken += taken_with(file, at, values[i]);
        }
        for (int32_t d = -8; d <= 8; d++) {
            taken += taken_with(file, at, now + (uint32_t)d);
        }
        for (int shift = 0; shift < 32; shift += 8) { // byte by byte, and each bit
            taken += taken_with(file, at, now & ~(0xffu << shift)) + taken_with(file, at, now | 0xffu << shift);
            taken += taken_with(file, at, now + (1u << shift)) + taken_with(file, at, now - (1u << shift));
        }
        for (int bit = 0; bit < 32; bit++) {
            taken += taken_with(file, at, now ^ 1u << bit);
        }
    }
    put_word(file->bytes, 12, crc32(file->bytes + 16, file->n_bytes - 16));
    return taken;
}

// Two to five changed bytes at once, most of them in the head.
static void check_random_changes(const file_t *file, int rounds) {
    uint8_t *bytes = exactly(file->n_bytes);
    int32_t head = (int32_t)(file->n_bytes - word_at(file->bytes, 36));
    for (int i = 0; i < rounds; i++) {
        memcpy(bytes, file->bytes, file->n_bytes);
        for (int k = any_of(2, 5); k > 0; k--) {
            int32_t at = any_of(16, any_of(0, 3) > 0 ? head - 1 : (int32_t)file->n_bytes - 1);
            bytes[at] = (uint8_t)(any_of(0, 1) ? any_of(0, 8) : any_of(0, 255));
        }
        put_word(bytes, 12, crc32(bytes + 16, file->n_bytes - 16));
        open_and_run(bytes, file->n_bytes);
    }
    free(bytes);
}

int main(int argc, char **argv) {
    CHECK(argc == 2, "expected the folder of golden models");
    DIR *folder = opendir(argv[1]);
    CHECK(folder != NULL, "%s", argv[1]);
    uint32_t n_files = 0;
    for (struct dirent *each; (each = readdir(folder)) != NULL;) {
        const char *end = strrchr(each->d_name, '.');
        if (end == NULL || strcmp(end, ".anne") != 0) {
            continue;
        }
        file_t file = read_file(argv[1], each->d_name);
        n_files++;
        check_golden(&file);
        check_odd_addresses(&file);
        check_random_changes(&file, 1000);
        if (file.n_bytes < 2600) { // the larger ones have nothing else but more weights
            check_truncated(&file);
            check_changed_bits(&file);
            CHECK(check_changed_words(&file) > 100, "%s: too few changes leave a whole file to test anything",
                  file.name);
        }
        free(file.bytes);
    }
    closedir(folder);
    CHECK(n_files >= 15, "%u golden models", n_files);
    return 0;
}
