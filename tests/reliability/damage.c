// The loader against damaged files: golden models, and some that branch, cut off, with every bit changed, and with
// every field changed and the CRC made good. Nothing may be read or written outside of the file, which has a block of
// its own size on the heap, nor beyond what a layer owns (guarded.h); what is taken after all is run.
//
//   damage truncation|bits|fields FOLDER [MOST_BYTES]     of golden models; larger files are left out, and
//                                                         fields are changed in one word in eight of weights and the
//                                                         like
//
// prints {"models": how many, "runs": files tried, "taken": how many of them the loader took}
#include "guarded.h"
#include "make_model.h"
#include "model_files.h"

// Larger workspaces are not run: they come of changed fields and cost only time.
#define MOST_WORKSPACE (1u << 20)

#define N_GRAPHS 6 // that branch

// The bits of all numbers of the kinds in layers.h; and of the layouts, which begin at 1.
#define BIT(name, number) | 1u << (number)
#define EVERY_KIND        (0u ANNE_KINDS(BIT))
#define COUNT(name)       +1
#define EVERY_LAYOUT      (((1u << (0 ANNE_LAYOUTS(COUNT))) - 1) << 1)

typedef struct {
    uint64_t runs;
    uint64_t taken;
} count_t;

static bool open_and_run(const uint8_t *bytes, uint32_t n_bytes, count_t *count) {
    anne_model_t model;
    count->runs++;
    if (anne_model_open(&model, bytes, n_bytes) != ANNE_OK) {
        return false;
    }
    count->taken++;
    if (model.workspace_bytes <= MOST_WORKSPACE) {
        prepare_guarded(&model);
        run_guarded(&model);
        free(model.workspace);
    }
    return true;
}

// --- Truncation and bits: all must be refused ----------------------------------------------------------------------

static void truncation(const file_t *file, count_t *count) {
    for (uint32_t n = 0; n < file->n_bytes; n++) {
        uint8_t *bytes = exactly(n);
        memcpy(bytes, file->bytes, n);
        CHECK(!open_and_run(bytes, n, count), "%s, %u bytes", file->name, n);
        if (n >= 48) { // with a length that says so, and a good CRC: the sections no longer add up
            put_word(bytes, 8, n);
            put_word(bytes, 12, crc32(bytes + 16, n - 16));
            CHECK(!open_and_run(bytes, n, count), "%s, cut to %u bytes", file->name, n);
        }
        free(bytes);
    }
}

static void bits(const file_t *file, count_t *count) {
    for (uint32_t at = 0; at < file->n_bytes; at++) {
        for (int bit = 0; bit < 8; bit++) {
            file->bytes[at] ^= 1 << bit;
            CHECK(!open_and_run(file->bytes, file->n_bytes, count), "%s, bit %d of byte %u", file->name, bit, at);
            file->bytes[at] ^= 1 << bit;
        }
    }
}

// --- Changed fields -------------------------------------------------------------------------------------------------

// Changes `width` bytes and runs what is taken; the file is as before afterwards.
static void change(const file_t *file, uint32_t at, uint32_t width, uint32_t value, count_t *count) {
    uint8_t before[4];
    memcpy(before, file->bytes + at, width);
    memcpy(file->bytes + at, &value, width);
    put_word(file->bytes, 12, crc32(file->bytes + 16, file->n_bytes - 16));
    open_and_run(file->bytes, file->n_bytes, count);
    memcpy(file->bytes + at, before, width);
}

// What a field of 1, 2 or 4 bytes could be: 0, 1, its greatest, one less, the sign alone, one more, one less than now.
static void integers(const file_t *file, uint32_t at, uint32_t width, count_t *count) {
    uint32_t sign = 1u << (8 * width - 1), now = 0;
    memcpy(&now, file->bytes + at, width);
    const uint32_t values[] = {0,        1,        UINT32_MAX, UINT32_MAX - 1, sign,
                               sign - 1, sign - 2, now + 1,    now - 1,        now ^ sign};
    for (uint32_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        change(file, at, width, values[i], count);
    }
}

// A word: as an integer, as a float, at the limits that FORMAT.md has, and a little more or less than now.
static void word(const file_t *file, uint32_t at, count_t *count) {
    static const uint32_t values[] = {
        0x7fc00000, 0x7f800000, 0xff800000, 0x00000001, 0x80000001, 0x7f7fffff, 0x3f800000, 0xbf800000, // floats
        2,          3,          4,          5,          6,          7,          12,         15,
        16,         17,         127,        128,        255,        256,        511,        512,
        513,        0x7fff,     0x8000,     0xffff,     0x10000,    0xfffff,    0x100000,   0x100001,
        0x3fffffff, 0x40000000, 0x40000001, 0xffffff80, 0xffffff7f, 0xfffffffc, 0xffffffe1, 0xffffffe0,
    }; // the last two are -31 and -32
    uint32_t now = word_at(file->bytes, at);
    integers(file, at, 4, count);
    for (uint32_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        change(file, at, 4, values[i], count);
    }
    for (int32_t d = -8; d <= 8; d++) {
        change(file, at, 4, now + (uint32_t)d, count);
    }
    for (int bit = 0; bit < 32; bit++) {
        change(file, at, 4, now ^ 1u << bit, count);
    }
}

// Of the data behind the head, one word in so many is changed.
static uint32_t data_step = 1;

// Every byte, half-word and word after the CRC, so every field whatever its width.
static void fields_of(const file_t *file, count_t *count) {
    uint32_t head = file->n_bytes - word_at(file->bytes, 36);
    for (uint32_t at = 16; at + 4 <= file->n_bytes; at += at < head ? 4 : 4 * data_step) {
        word(file, at, count);
        integers(file, at, 2, count);
        integers(file, at + 2, 2, count);
        for (uint32_t i = 0; i < 4; i++) {
            integers(file, at + i, 1, count);
        }
    }
    put_word(file->bytes, 12, crc32(file->bytes + 16, file->n_bytes - 16));
}

// Two to five changed bytes at once, most of them in the head.
static void several(const file_t *file, int rounds, count_t *count) {
    uint8_t *bytes = exactly(file->n_bytes);
    int32_t head = (int32_t)(file->n_bytes - word_at(file->bytes, 36));
    for (int i = 0; i < rounds; i++) {
        memcpy(bytes, file->bytes, file->n_bytes);
        for (int k = any_of(2, 5); k > 0; k--) {
            int32_t at = any_of(16, any_of(0, 3) > 0 ? head - 1 : (int32_t)file->n_bytes - 1);
            bytes[at] = (uint8_t)(any_of(0, 1) ? any_of(0, 8) : any_of(0, 255));
        }
        put_word(bytes, 12, crc32(bytes + 16, file->n_bytes - 16));
        open_and_run(bytes, file->n_bytes, count);
    }
    free(bytes);
}

static void fields(const file_t *file, count_t *count) {
    uint64_t taken = count->taken;
    fields_of(file, count);
    several(file, 1000, count);
    CHECK(count->taken > taken + 100, "%s: too few changes leave a whole file to test anything", file->name);
}

// --- All models -----------------------------------------------------------------------------------------------------

// Of the files that are tried: layer kinds, layouts of dense layers and types of tensors, a bit each.
typedef struct {
    uint32_t kinds;
    uint32_t layouts;
    uint32_t dtypes;
} seen_t;

static void note(const file_t *file, seen_t *seen) {
    anne_model_t model;
    CHECK(anne_model_open(&model, file->bytes, file->n_bytes) == ANNE_OK, "%s", file->name);
    for (uint32_t t = 0; t < model.n_tensors; t++) {
        seen->dtypes |= 1u << model.tensors[t].dtype;
    }
    for (uint32_t i = 0, position = 0; i < model.n_layers; i++) {
        anne_record_t record;
        anne_model_next_record(&model, &position, &record);
        seen->kinds |= 1u << record.kind;
        const anne_layer_kind_t *kind = anne_layer_kind(record.kind);
        seen->layouts |= kind->layout != NULL ? 1u << kind->layout(&record) : 0;
    }
}

static void add_file(files_t *files, const char *name, const uint8_t *bytes, uint32_t n_bytes) {
    CHECK(n_bytes > 0 && files->n < MOST_FILES, "%s", name);
    file_t *file = &files->each[files->n++];
    file->bytes = memcpy(exactly(n_bytes), bytes, n_bytes);
    file->n_bytes = n_bytes;
    snprintf(file->name, sizeof file->name, "%s", name);
}

// Sums of each type, and some networks that branch.
static void add_files(files_t *files) {
    static uint8_t bytes[1 << 13];
    static const variant_t variants[] = {
        VARIANT_add_f32,     VARIANT_add_s8,       VARIANT_add_s16,      VARIANT_subtract_s8, VARIANT_multiply_f32,
        VARIANT_multiply_s8, VARIANT_multiply_s16, VARIANT_constant_f32, VARIANT_constant_s8, VARIANT_constant_s16};
    for (uint32_t i = 0; i < sizeof variants / sizeof variants[0]; i++) {
        shape_t shape = {.variant = variants[i], .rank = 2, .shape = {2, 3}};
        add_file(files, "two operands", bytes, make_model(bytes, sizeof bytes, &shape));
    }
    for (uint32_t i = 0; i < N_GRAPHS; i++) {
        add_file(files, "a graph", bytes, make_graph(bytes, sizeof bytes));
    }
}

int main(int argc, char **argv) {
    CHECK(argc == 3 || argc == 4, "expected what to do, the folder of golden models, and the size of the largest");
    void (*what)(const file_t *, count_t *) = strcmp(argv[1], "truncation") == 0 ? truncation
                                              : strcmp(argv[1], "bits") == 0     ? bits
                                                                                 : fields;
    uint32_t most_bytes = argc == 4 ? (uint32_t)atoi(argv[3]) : UINT32_MAX, models = 0;
    data_step = argc == 4 ? 8 : 1;
    files_t files = read_models(argv[2]);
    add_files(&files);
    count_t count = {0, 0};
    seen_t seen = {0, 0, 0};
    for (uint32_t i = 0; i < files.n; i++) {
        if (files.each[i].n_bytes <= most_bytes) {
            models++;
            note(&files.each[i], &seen);
            what(&files.each[i], &count);
        }
        free(files.each[i].bytes);
    }
    CHECK(seen.kinds == EVERY_KIND && seen.layouts == EVERY_LAYOUT && seen.dtypes == 0xe,
          "kinds %x, layouts %x, types %x: some are not tried", seen.kinds, seen.layouts, seen.dtypes);
    printf("{\"models\": %u, \"runs\": %llu, \"taken\": %llu}\n", models, (unsigned long long)count.runs,
           (unsigned long long)count.taken);
    return 0;
}
