// Every reason for which the loader refuses a layer that only moves elements: one that is whole, one thing changed.
#include "refusals_moves.h"

#include <math.h>

#include "make_moves.h"
#include "model.h"
#include "model_files.h"

static uint8_t bytes[4096];

static anne_status_t status_of(const move_t *move) {
    uint32_t n_bytes = write_move(bytes, sizeof bytes, move, 8);
    CHECK(n_bytes > 0, "too long");
    return open_status(bytes, n_bytes);
}

static anne_tensor_t tensor(anne_dtype_t dtype, uint32_t rank, uint32_t a, uint32_t b, uint32_t c) {
    return (anne_tensor_t){.dtype = dtype,
                           .rank = (uint8_t)rank,
                           .shape = {a, rank > 1 ? b : 0, rank > 2 ? c : 0},
                           .scale = dtype == ANNE_FLOAT32 ? 1 : 0.5f};
}

// One thing changed of `move`, which is whole again afterwards: `expected` is the verdict.
#define REFUSED(place, value, expected)                                                                \
    do {                                                                                               \
        const move_t whole = move;                                                                     \
        (place) = (value);                                                                             \
        anne_status_t status = status_of(&move);                                                       \
        CHECK(status == (expected), #place " = " #value ": %d, expected %d", status, (int)(expected)); \
        move = whole;                                                                                  \
        CHECK(status_of(&move) == ANNE_OK, "not whole");                                               \
    } while (0)

// Type, scale, zero_point and rank of tensor `t` are those of others, and are all there is of constants.
#define REFUSED_UNLIKE(t)                                             \
    do {                                                              \
        REFUSED(move.tensors[t].dtype, ANNE_INT16, ANNE_ERROR_SHAPE); \
        REFUSED(move.tensors[t].scale, 0.25f, ANNE_ERROR_SHAPE);      \
        REFUSED(move.tensors[t].zero_point, 1, ANNE_ERROR_SHAPE);     \
    } while (0)

// Counts of one input and one output, and of what else a record has.
static void check_counts(move_t move) {
    const move_t whole = move;
    uint32_t n_bytes = write_move(bytes, sizeof bytes, &move, 8);
    uint32_t record = 48 + move.n_tensors * (uint32_t)sizeof(anne_tensor_t);
    CHECK(n_bytes > 0 && bytes[record + 4] == move.n_tensors - 1, "not whole");
    move.n_parameters++;
    CHECK(status_of(&move) == ANNE_ERROR_LAYER, "more parameters");
    move = whole;
    if (move.n_constants == 0) {
        move.n_constants = 1;
        move.constants[0] = "";
        CHECK(status_of(&move) == ANNE_ERROR_LAYER, "a constant");
    }
}

static void check_concatenate(void) {
    move_t move = {.kind = ANNE_KIND_concatenate, .n_tensors = 3, .n_parameters = 1, .parameters = {1}};
    move.tensors[0] = tensor(ANNE_INT8, 3, 2, 3, 4);
    move.tensors[1] = tensor(ANNE_INT8, 3, 2, 1, 4);
    move.tensors[2] = tensor(ANNE_INT8, 3, 2, 4, 4);
    check_counts(move);
    for (uint32_t t = 0; t < 2; t++) {
        REFUSED_UNLIKE(t);
        REFUSED(move.tensors[t].shape[0], 1, ANNE_ERROR_SHAPE);
        REFUSED(move.tensors[t].shape[2], 3, ANNE_ERROR_SHAPE);
        REFUSED(move.tensors[t].shape[1], 2, ANNE_ERROR_SHAPE);
    }
    REFUSED(move.tensors[1], tensor(ANNE_INT8, 2, 2, 4, 0), ANNE_ERROR_SHAPE);
    REFUSED(move.parameters[0], 3, ANNE_ERROR_PARAMETER);
    REFUSED(move.parameters[0], -1, ANNE_ERROR_PARAMETER);
    move.n_outputs = 2; // the last input is an output, too
    CHECK(status_of(&move) == ANNE_ERROR_LAYER, "two outputs");
}

static void check_delay(void) {
    move_t move = {.kind = ANNE_KIND_delay, .n_tensors = 2};
    move.tensors[0] = tensor(ANNE_INT8, 3, 2, 3, 4);
    move.tensors[1] = tensor(ANNE_INT8, 3, 5, 3, 4);
    check_counts(move);
    REFUSED_UNLIKE(1);
    REFUSED(move.tensors[1].shape[0], 1, ANNE_ERROR_SHAPE);
    REFUSED(move.tensors[1].shape[2], 3, ANNE_ERROR_SHAPE);
    REFUSED(move.tensors[1], tensor(ANNE_INT8, 2, 5, 3, 0), ANNE_ERROR_SHAPE);
    REFUSED(move.tensors[1].shape[0], 2 + (1 << 18) / 12 + 1, ANNE_ERROR_SHAPE); // more than 2^18 bytes
    REFUSED(move.tensors[1].shape[0], 2 + (1 << 18) / 12, ANNE_OK);
}

static void check_slice(void) {
    move_t move = {.kind = ANNE_KIND_slice, .n_tensors = 2, .n_parameters = 4, .parameters = {1, 5, 1, -2}};
    move.tensors[0] = tensor(ANNE_INT8, 2, 3, 6, 0);
    move.tensors[1] = tensor(ANNE_INT8, 2, 2, 3, 0); // rows 1 and 2, columns 5, 3, 1
    check_counts(move);
    REFUSED_UNLIKE(1);
    REFUSED(move.tensors[0], tensor(ANNE_INT8, 1, 6, 0, 0), ANNE_ERROR_LAYER);
    REFUSED(move.tensors[1], tensor(ANNE_INT8, 1, 2, 0, 0), ANNE_ERROR_SHAPE);
    REFUSED(move.tensors[1].shape[0], 3, ANNE_ERROR_PARAMETER);
    REFUSED(move.tensors[1].shape[1], 4, ANNE_ERROR_PARAMETER);
    REFUSED(move.parameters[0], 2, ANNE_ERROR_PARAMETER);
    REFUSED(move.parameters[0], -1, ANNE_ERROR_PARAMETER);
    REFUSED(move.parameters[1], 6, ANNE_ERROR_PARAMETER);
    REFUSED(move.parameters[1], 3, ANNE_ERROR_PARAMETER);
    REFUSED(move.parameters[2], 0, ANNE_ERROR_PARAMETER);
    REFUSED(move.parameters[2], INT32_MAX, ANNE_ERROR_PARAMETER);
    REFUSED(move.parameters[3], INT32_MIN, ANNE_ERROR_PARAMETER);
}

static void check_transpose(void) {
    move_t move = {.kind = ANNE_KIND_transpose, .n_tensors = 2, .n_parameters = 3, .parameters = {2, 0, 1}};
    move.tensors[0] = tensor(ANNE_INT8, 3, 3, 6, 4);
    move.tensors[1] = tensor(ANNE_INT8, 3, 4, 3, 6);
    check_counts(move);
    REFUSED_UNLIKE(1);
    REFUSED(move.tensors[1], tensor(ANNE_INT8, 2, 4, 3, 0), ANNE_ERROR_SHAPE);
    REFUSED(move.tensors[1].shape[0], 3, ANNE_ERROR_SHAPE);
    REFUSED(move.tensors[1].shape[2], 7, ANNE_ERROR_SHAPE);
    REFUSED(move.parameters[0], 3, ANNE_ERROR_PARAMETER);
    REFUSED(move.parameters[0], -1, ANNE_ERROR_PARAMETER);
    REFUSED(move.parameters[2], 2, ANNE_ERROR_PARAMETER);
}

static void check_pad(void) {
    move_t move = {.kind = ANNE_KIND_pad, .n_tensors = 2, .n_parameters = 4, .parameters = {0, 2, 0, 1}};
    move.tensors[0] = tensor(ANNE_INT8, 2, 3, 2, 0);
    move.tensors[1] = tensor(ANNE_INT8, 2, 7, 3, 0); // 2 + 3 + 2 by 0 + 2 + 1
    check_counts(move);
    REFUSED(move.parameters[3], 0, ANNE_ERROR_PARAMETER);
    REFUSED(move.parameters[3], 4, ANNE_ERROR_PARAMETER);
    REFUSED(move.parameters[0], 1, ANNE_ERROR_PARAMETER);
    REFUSED(move.parameters[1], 1, ANNE_ERROR_PARAMETER); // 3 behind
    REFUSED(move.parameters[1], 3, ANNE_ERROR_PARAMETER);
    REFUSED(move.tensors[1].shape[1], 4, ANNE_ERROR_PARAMETER);
    move.parameters[3] = 2; // symmetric: one more
    REFUSED(move.parameters[1], 1, ANNE_OK);
    REFUSED(move.parameters[1], 3, ANNE_OK);
    REFUSED(move.parameters[1], 0, ANNE_ERROR_PARAMETER);
    REFUSED(move.parameters[1], 4, ANNE_ERROR_PARAMETER);
    move.parameters[3] = 3; // the edge: any
    REFUSED(move.parameters[1], 0, ANNE_OK);
    REFUSED(move.parameters[1], 4, ANNE_OK);
}

static void check_resize(void) {
    // columns 0, between 0 and 1, 2 of 3; rows 1, between 0 and 1 of 2
    uint32_t rows[] = {1, 0}, columns[] = {0, 0, 2}, row_weights[] = {0, 512}, column_weights[] = {0, 1023, 0};
    move_t move = {.kind = ANNE_KIND_resize, .n_tensors = 2, .n_parameters = 1, .parameters = {1}};
    move.tensors[0] = tensor(ANNE_INT8, 3, 2, 3, 4);
    move.tensors[1] = tensor(ANNE_INT8, 3, 2, 3, 4);
    const void *constants[] = {rows, columns, row_weights, column_weights};
    const uint32_t constant_bytes[] = {sizeof rows, sizeof columns, sizeof row_weights, sizeof column_weights};
    move.n_constants = 4;
    memcpy(move.constants, constants, sizeof constants);
    memcpy(move.constant_bytes, constant_bytes, sizeof constant_bytes);
    check_counts(move);
    REFUSED_UNLIKE(1);
    REFUSED(move.tensors[1], tensor(ANNE_INT8, 2, 2, 4, 0), ANNE_ERROR_SHAPE);
    REFUSED(move.tensors[1].shape[2], 3, ANNE_ERROR_SHAPE);
    REFUSED(move.tensors[1].shape[0], 3, ANNE_ERROR_CONSTANT);
    REFUSED(move.tensors[1].shape[1], 2, ANNE_ERROR_CONSTANT);
    REFUSED(move.tensors[0].shape[0], 1, ANNE_ERROR_CONSTANT);
    REFUSED(move.tensors[0].shape[1], 2, ANNE_ERROR_CONSTANT);
    REFUSED(move.parameters[0], 2, ANNE_ERROR_PARAMETER);
    REFUSED(move.parameters[0], 0, ANNE_ERROR_LAYER);
    REFUSED(move.n_constants, 2, ANNE_ERROR_LAYER);
    REFUSED(move.constant_bytes[2], 4, ANNE_ERROR_CONSTANT);
    REFUSED(move.constant_bytes[3], 8, ANNE_ERROR_CONSTANT);
    const move_t whole = move;
    for (uint32_t n = 512; n <= 513; n++) { // rows that are each made of 2^19 elements
        move.tensors[0] = tensor(ANNE_INT8, 3, 2, 1u << 19, 1);
        move.tensors[1] = tensor(ANNE_INT8, 3, n, 1, 1);
        CHECK(status_of(&move) == (n == 512 ? ANNE_ERROR_CONSTANT : ANNE_ERROR_SHAPE), "%u rows", n);
    }
    move = whole;
    rows[0] = 2;
    CHECK(status_of(&move) == ANNE_ERROR_CONSTANT, "a row that is not there");
    rows[0] = 1;
    row_weights[1] = 1024;
    CHECK(status_of(&move) == ANNE_ERROR_CONSTANT, "a weight of 1");
    row_weights[1] = 512;
    row_weights[0] = 1; // of a row that is not there
    CHECK(status_of(&move) == ANNE_ERROR_CONSTANT, "a row behind the last");
    row_weights[0] = 0;
    move.tensors[0].rank = move.tensors[1].rank = 1;
    for (uint32_t t = 0; t < 2; t++) {
        move.tensors[t] = tensor(ANNE_INT8, 1, 4, 0, 0);
    }
    CHECK(status_of(&move) == ANNE_ERROR_SHAPE, "rank 1");
    for (uint32_t t = 0; t < 2; t++) {
        move.tensors[t] = tensor(ANNE_INT8, 3, 1, 2, 3);
        move.tensors[t].rank = 4;
        move.tensors[t].shape[3] = 1;
    }
    CHECK(status_of(&move) == ANNE_ERROR_SHAPE, "rank 4");
    for (uint32_t t = 0; t < 2; t++) {
        move.tensors[t] = tensor(ANNE_FLOAT32, 3, 2, 3, 4);
    }
    static const struct {
        uint32_t bits;
        anne_status_t expected;
    } weights[] = {{0, ANNE_OK},
                   {1, ANNE_ERROR_CONSTANT}, // denormal
                   {0x00800000, ANNE_OK},
                   {0x3f7fffff, ANNE_OK},
                   {0x3f800000, ANNE_ERROR_CONSTANT}, // 1
                   {0x80000000, ANNE_ERROR_CONSTANT}, // -0
                   {0x7fc00000, ANNE_ERROR_CONSTANT}};
    for (uint32_t i = 0; i < sizeof weights / sizeof weights[0]; i++) {
        row_weights[1] = column_weights[1] = weights[i].bits;
        CHECK(status_of(&move) == weights[i].expected, "0x%x", weights[i].bits);
    }
    row_weights[1] = column_weights[1] = 0;
    move.parameters[0] = 0;
    move.n_constants = 2;
    CHECK(status_of(&move) == ANNE_OK, "nearest");
    move.n_tensors = 3; // two inputs; then two outputs
    move.tensors[2] = move.tensors[1];
    CHECK(status_of(&move) == ANNE_ERROR_LAYER, "two inputs");
    move.n_outputs = 2;
    CHECK(status_of(&move) == ANNE_ERROR_LAYER, "two outputs");
}

static void check_embedding(void) {
    float table[] = {1, 2, 3, 4, 5, 6};
    move_t move = {.kind = ANNE_KIND_embedding, .n_tensors = 2, .n_constants = 1};
    move.constants[0] = table;
    move.constant_bytes[0] = sizeof table;
    move.tensors[0] = tensor(ANNE_INT8, 1, 4, 0, 0);
    move.tensors[0].scale = 1;
    move.tensors[1] = tensor(ANNE_FLOAT32, 2, 4, 2, 0); // three rows of two
    check_counts(move);
    REFUSED(move.tensors[0].scale, 0.5f, ANNE_ERROR_SHAPE);
    REFUSED(move.tensors[0].zero_point, 1, ANNE_ERROR_SHAPE);
    REFUSED(move.tensors[1], tensor(ANNE_FLOAT32, 1, 4, 0, 0), ANNE_ERROR_SHAPE);
    REFUSED(move.tensors[1], tensor(ANNE_FLOAT32, 2, 3, 2, 0), ANNE_ERROR_SHAPE);
    REFUSED(move.constant_bytes[0], 0, ANNE_ERROR_CONSTANT);
    REFUSED(move.constant_bytes[0], 20, ANNE_ERROR_CONSTANT);
    REFUSED(move.n_constants, 0, ANNE_ERROR_LAYER);
    table[5] = INFINITY;
    CHECK(status_of(&move) == ANNE_ERROR_CONSTANT, "an infinite table");
    move.tensors[1] = tensor(ANNE_INT16, 2, 4, 2, 0); // of integers any bits will do
    CHECK(status_of(&move) == ANNE_OK, "integers");
}

void check_moves(void) {
    check_resize();
    check_embedding();
    check_pad();
    check_slice();
    check_transpose();
    check_concatenate();
    check_delay();
}
