// The loader and all layers under libFuzzer: whatever the bytes are, they are refused, or run inside their bounds
// (guarded.h). Built by clang with FUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION, which turns the CRC off.
//
// libFuzzer's own changes seldom leave a file that gets past the header, so most changes here are of one field: the
// walk through the file is FORMAT.md's. At its end the program prints, on a line of its own,
// {"runs": inputs tried, "taken": by the loader, "slowest_ms": the longest time one input took}.
#include <time.h>

#include "guarded.h"
#include "make_model.h"
#include "metadata.h"
#include "model_files.h"

#define MOST_WORKSPACE (1u << 16)
#define MOST_MS        50.0

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n_bytes);
int LLVMFuzzerInitialize(int *argc, char ***argv);
size_t LLVMFuzzerCustomMutator(uint8_t *bytes, size_t n_bytes, size_t room, unsigned seed);
size_t LLVMFuzzerMutate(uint8_t *bytes, size_t n_bytes, size_t room);

static uint64_t runs, taken;
static double slowest_ms;

// --- One input ------------------------------------------------------------------------------------------------------

// The network's inputs are the file's own bytes, over and over.
static void fill_inputs(const anne_model_t *model) {
    for (uint32_t t = 0; t < model->n_tensors; t++) {
        uint8_t *data = anne_model_data(model, t);
        uint32_t n = model->tensors[t].role & ANNE_ROLE_INPUT ? anne_tensor_bytes(&model->tensors[t]) : 0;
        for (uint32_t at = 0; at < n; at += model->n_bytes) {
            memcpy(data + at, model->bytes, n - at < model->n_bytes ? n - at : model->n_bytes);
        }
    }
}

static bool open_and_run(const uint8_t *bytes, size_t n_bytes) {
    anne_model_t model;
    if (anne_model_open(&model, bytes, n_bytes) != ANNE_OK) {
        return false;
    }
    if (model.workspace_bytes <= MOST_WORKSPACE) {
        prepare_guarded(&model);
        fill_inputs(&model);
        run_guarded(&model);
        free(model.workspace);
    }
    return true;
}

static double now_ms(clockid_t clock) {
    struct timespec now;
    clock_gettime(clock, &now);
    return 1e3 * (double)now.tv_sec + 1e-6 * (double)now.tv_nsec;
}

// How long the processor takes for an input, the least of five times: other programs run beside this one.
static double cpu_ms(const uint8_t *bytes, size_t n_bytes) {
    double least = 1e9;
    for (int i = 0; i < 5; i++) {
        double start = now_ms(CLOCK_PROCESS_CPUTIME_ID);
        open_and_run(bytes, n_bytes);
        double elapsed = now_ms(CLOCK_PROCESS_CPUTIME_ID) - start;
        least = elapsed < least ? elapsed : least;
    }
    return least;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n_bytes) {
    double start = now_ms(CLOCK_MONOTONIC);
    runs++;
    taken += open_and_run(bytes, n_bytes);
    if (now_ms(CLOCK_MONOTONIC) - start > slowest_ms) {
        double ms = cpu_ms(bytes, n_bytes);
        slowest_ms = ms > slowest_ms ? ms : slowest_ms;
        CHECK(ms <= MOST_MS, "an input of %zu bytes takes %.0f ms", n_bytes, ms);
    }
    return 0;
}

static void report(void) {
    printf("\n{\"runs\": %llu, \"taken\": %llu, \"slowest_ms\": %.2f}\n", (unsigned long long)runs,
           (unsigned long long)taken, slowest_ms);
}

int LLVMFuzzerInitialize(int *argc, char ***argv) {
    (void)argc, (void)argv;
    atexit(report);
    return 0;
}

// --- Changes that know the format -----------------------------------------------------------------------------------

enum { HEADER = 48, TENSOR = 32, N_TENSORS = 20, N_LAYERS = 24, LAYERS_BYTES = 28, METADATA_BYTES = 32 };

typedef struct {
    uint32_t at;
    uint32_t width; // 1, 2 or 4 bytes
} field_t;

static uint32_t any_below(uint32_t n) {
    return (uint32_t)any_of(0, (int32_t)n - 1);
}

static field_t field_of_header(void) {
    return (field_t){16 + 4 * any_below(6), 4};
}

static field_t field_of_tensor(const uint8_t *bytes) {
    uint32_t tensor = HEADER + TENSOR * any_below(word_at(bytes, N_TENSORS)), field = any_below(11);
    return field < 4 ? (field_t){tensor + field, 1} : (field_t){tensor + 4 * (field - 3), 4};
}

// Fields of the n-th record: its head, then half-words of tensors, then words.
static field_t field_of_record(const uint8_t *bytes, uint32_t layers, uint32_t end) {
    uint32_t at = layers;
    for (uint32_t n = any_below(word_at(bytes, N_LAYERS)); n > 0; n--) {
        uint32_t record_bytes = at + 4 <= end ? word_at(bytes, at) >> 16 : 0;
        at += record_bytes >= 12 && at + record_bytes + 12 <= end ? record_bytes : 0;
    }
    static const field_t head[] = {{0, 2}, {2, 2}, {4, 1}, {5, 1}, {6, 1}, {7, 1}, {8, 4}, {12, 2}, {14, 2}};
    uint32_t words = at + 16 < end ? (word_at(bytes, at) >> 16) / 4 : 0, field = any_below(9 + words);
    return field < 9 ? (field_t){at + head[field].at, head[field].width} : (field_t){at + 16 + 4 * (field - 9), 4};
}

static field_t any_field(const uint8_t *bytes, uint32_t n_bytes) {
    uint32_t n_tensors = word_at(bytes, N_TENSORS), n_layers = word_at(bytes, N_LAYERS);
    bool sane = n_tensors - 1 < 512 && n_layers - 1 < 256 && HEADER + TENSOR * n_tensors < n_bytes;
    uint32_t layers = sane ? HEADER + TENSOR * n_tensors : 0;
    uint32_t left = n_bytes - layers, layers_bytes = word_at(bytes, LAYERS_BYTES);
    sane = sane && layers_bytes <= left && word_at(bytes, METADATA_BYTES) <= left - layers_bytes;
    switch (sane ? any_of(0, 9) : 9) {
    case 0:
        return field_of_header();
    case 1:
    case 2:
    case 3:
        return field_of_tensor(bytes);
    case 4:
    case 5:
    case 6:
        return field_of_record(bytes, layers, layers + layers_bytes);
    case 7: { // metadata and constants
        uint32_t words = (left - layers_bytes) / 4;
        return (field_t){layers + layers_bytes + 4 * any_below(words > 0 ? words : 1), 4};
    }
    default:
        return (field_t){4 * any_below(n_bytes / 4), 4};
    }
}

static uint32_t any_value(uint32_t now, uint32_t width) {
    static const uint32_t values[] = {
        0,          1,          2,          3,          0xffffffff, 0xfffffffe, 0x80000000, 0x7fffffff, 0x7fc00000,
        0x7f800000, 0xff800000, 0x00800000, 0x7f7fffff, 127,        128,        255,        256,        511,
        512,        0x8000,     0x10000,    0x100000,   0x40000000, 0xffffffe1, 0x3f800000};
    switch (any_of(0, 4)) {
    case 0:
        return now + (uint32_t)any_of(-4, 4);
    case 1:
        return now ^ 1u << any_below(8 * width);
    case 2:
        return (uint32_t)any_of(0, 20);
    case 3:
        return (uint32_t)any_of(0, 0xffff) << 16 | (uint32_t)any_of(0, 0xffff);
    default:
        return values[any_below(sizeof values / sizeof values[0])];
    }
}

static void change_field(uint8_t *bytes, uint32_t n_bytes) {
    field_t field = any_field(bytes, n_bytes);
    if (field.at + field.width <= n_bytes) {
        uint32_t value = 0;
        memcpy(&value, bytes + field.at, field.width);
        value = any_value(value, field.width);
        memcpy(bytes + field.at, &value, field.width);
    }
}

// Another word, or one less, somewhere behind the header.
static uint32_t change_length(uint8_t *bytes, uint32_t n_bytes, uint32_t room) {
    uint32_t at = HEADER + 4 * any_below((n_bytes - HEADER) / 4);
    if (any_of(0, 1) && n_bytes + 4 <= room) {
        memmove(bytes + at + 4, bytes + at, n_bytes - at);
        return n_bytes + 4;
    }
    memmove(bytes + at, bytes + at + 4, n_bytes - at - 4);
    return n_bytes - 4;
}

// An entry of metadata before all others: of up to 40 bytes, as text has them, with some that it has not.
static uint32_t add_entry(uint8_t *bytes, uint32_t n_bytes, uint32_t room) {
    static const char *const parts[] = {"a",        "b\n", "\n", "\xc3\xa9", "\xf0\x9f\x98\x80", "\0\0\x80\x3f",
                                        "\xed\xa0", "\xff"};
    uint64_t at = (uint64_t)HEADER + (uint64_t)TENSOR * word_at(bytes, N_TENSORS) + word_at(bytes, LAYERS_BYTES);
    uint8_t content[48] = {0};
    uint32_t size = 0;
    for (uint32_t most = (uint32_t)any_of(0, 40); size < most;) {
        const char *part = parts[any_below(any_of(0, 9) > 0 ? 6 : 8)];
        uint32_t part_bytes = part[0] == 0 ? 4 : (uint32_t)strlen(part);
        memcpy(content + size, part, part_bytes);
        size += part_bytes;
    }
    uint32_t more = 8 + (size + 3) / 4 * 4;
    if (at > n_bytes || n_bytes + more > room) {
        return n_bytes;
    }
    memmove(bytes + at + more, bytes + at, n_bytes - at);
    put_word(bytes, (uint32_t)at, (uint32_t)any_of(0, ANNE_TAG_END));
    put_word(bytes, (uint32_t)at + 4, size);
    memcpy(bytes + at + 8, content, more - 8);
    put_word(bytes, METADATA_BYTES, word_at(bytes, METADATA_BYTES) + more);
    return n_bytes + more;
}

// Makes the lengths add up again, where they can: what is left belongs to the data.
static void mend(uint8_t *bytes, uint32_t n_bytes) {
    memcpy(bytes, "ANNE\1\0\60\0", 8);
    put_word(bytes, 8, n_bytes);
    put_word(bytes, 36,
             n_bytes - HEADER - TENSOR * word_at(bytes, N_TENSORS) - word_at(bytes, LAYERS_BYTES)
                 - word_at(bytes, METADATA_BYTES));
}

static uint32_t new_model(uint8_t *bytes, uint32_t room) {
    for (;;) {
        shape_t shape = any_shape(any_below(VARIANT_COUNT));
        uint32_t n_bytes = any_of(0, 2) ? make_model(bytes, room, &shape) : make_graph(bytes, room);
        if (n_bytes > 0) {
            return n_bytes;
        }
    }
}

size_t LLVMFuzzerCustomMutator(uint8_t *bytes, size_t n_bytes, size_t room, unsigned seed) {
    make_model_seed(seed);
    if (n_bytes < HEADER + TENSOR + 12 || any_of(0, 15) == 0) {
        return room >= 1024 ? new_model(bytes, (uint32_t)room) : LLVMFuzzerMutate(bytes, n_bytes, room);
    }
    uint32_t n = (uint32_t)n_bytes;
    switch (any_of(0, 9)) {
    case 0:
        n = (uint32_t)LLVMFuzzerMutate(bytes, n_bytes, room);
        break;
    case 1:
        n = change_length(bytes, n, (uint32_t)room);
        break;
    case 2:
        n = add_entry(bytes, n, (uint32_t)room);
        break;
    default:
        for (int i = any_of(1, 3); i > 0; i--) {
            change_field(bytes, n);
        }
    }
    if (n >= HEADER && any_of(0, 9) > 0) {
        mend(bytes, n);
    }
    return n;
}
