// Model files in memory, for tests of the loader: read, changed, and given a good CRC.
#ifndef ANNE_MODEL_FILES_H
#define ANNE_MODEL_FILES_H

#include <dirent.h>

#include "kernel_test.h"
#include "model.h"

typedef struct {
    char name[256];
    uint8_t *bytes;
    uint32_t n_bytes;
} file_t;

static inline uint32_t crc32(const uint8_t *bytes, size_t n) {
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

static inline uint32_t word_at(const uint8_t *bytes, uint32_t at) {
    uint32_t word;
    memcpy(&word, bytes + at, sizeof word);
    return word;
}

static inline void put_word(uint8_t *bytes, uint32_t at, uint32_t word) {
    memcpy(bytes + at, &word, sizeof word);
}

// What the loader says of a file, nothing behind which may be read.
static inline anne_status_t open_status(const uint8_t *bytes, uint32_t n_bytes) {
    uint8_t *file = exactly(n_bytes);
    memcpy(file, bytes, n_bytes);
    anne_model_t model;
    anne_status_t status = anne_model_open(&model, file, n_bytes);
    free(file);
    return status;
}

static inline file_t read_file(const char *folder, const char *name) {
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

#define MOST_FILES 256

typedef struct {
    file_t each[MOST_FILES];
    uint32_t n;
} files_t;

static inline int by_name(const void *a, const void *b) {
    return strcmp(((const file_t *)a)->name, ((const file_t *)b)->name);
}

// The model files of a folder, in the order of their names.
static inline files_t read_models(const char *path) {
    DIR *folder = opendir(path);
    CHECK(folder != NULL, "%s", path);
    files_t files = {.n = 0};
    for (struct dirent *each; (each = readdir(folder)) != NULL;) {
        const char *end = strrchr(each->d_name, '.');
        if (end != NULL && strcmp(end, ".anne") == 0) {
            CHECK(files.n < MOST_FILES, "%u", files.n);
            files.each[files.n++] = read_file(path, each->d_name);
        }
    }
    closedir(folder);
    CHECK(files.n >= 15, "%u golden models", files.n);
    qsort(files.each, files.n, sizeof files.each[0], by_name);
    return files;
}

#endif // ANNE_MODEL_FILES_H
