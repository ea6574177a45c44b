// Every reason for which the loader refuses a file, one at a time: a whole file of one layer, one thing changed, and
// the status that FORMAT.md and anne.h have for it.
#include "graph_files.h"
#include "make_model.h"
#include "metadata.h"
#include "model.h"
#include "model_files.h"
#include "refusals_depthwise.h"
#include "refusals_moves.h"

#define ROOM ((1u << 24) + (1u << 20))

// Where things stand in a file of two tensors and one layer that reads tensor 0 and makes tensor 1.
enum {
    MAGIC = 0,
    VERSION = 4,
    TOTAL_BYTES = 8,
    ARENA_BYTES = 16,
    N_TENSORS = 20,
    N_LAYERS = 24,
    LAYERS_BYTES = 28,
    METADATA_BYTES = 32,
    DATA_BYTES = 36,
    RESERVED = 40,
    X = 48, // a tensor: types and rank, shape, scale, zero_point, arena_offset
    Y = 80,
    SHAPE = 4,
    SCALE = 20,
    ZERO_POINT = 24,
    ARENA_OFFSET = 28,
    RECORD = 112, // kind and bytes; counts and activation; alpha; tensors; constants; parameters
    COUNTS = 116,
    ALPHA = 120,
    TENSORS = 124,
    CONSTANTS = 128,
    B = 112, // of an add: the other input, tensor 2, behind which the record is 32 bytes further
    ADD_RECORD = 144,
    ADD_COUNTS = 148,
    ADD_FACTORS = 164, // of a, of b and of the sum, each a multiplier and a shift; then the limits
    ADD_LIMITS = 188,
    WINDOW = CONSTANTS + 16, // of a convolution of floats: kernel, stride, dilation, pad
    GROUPS = WINDOW + 32,    // then the layout and limits
};

static uint8_t *bytes; // of the file at hand
static uint32_t n_bytes;

// Of kinds with a window: 4 rows and 5 columns of 6 channels, of which a window of 2 by 3 makes 4 by 3 of 8, in two
// groups.
static const shape_t image = {
    .rank = 3, .shape = {4, 5, 6}, .n_out = 8, .output = {4, 3}, .window = {2, 3, 1, 2, 1, 1, 1, 1}, .groups = 2};

static void new_file(variant_t variant, uint32_t n_in, uint32_t n_out) {
    shape_t shape = {.rank = 1, .shape = {n_in}, .n_out = n_out};
    if (VARIANT_max_pool_f32 <= variant && variant <= VARIANT_average_pool_s16) { // a signal of `n_in` steps
        shape = (shape_t){.rank = 2, .shape = {n_in, 3}};
    } else if (VARIANT_conv_f32 <= variant && variant <= VARIANT_conv_f32_aligned) {
        shape = image;
    }
    shape.variant = variant;
    make_model_seed(1);
    n_bytes = make_model(bytes, ROOM, &shape);
    CHECK(n_bytes > 0, "%u, %u x %u", variant, n_in, n_out);
}

static anne_status_t status_now(void) {
    put_word(bytes, 12, crc32(bytes + 16, n_bytes - 16));
    return open_status(bytes, n_bytes);
}

#define EXPECT(expected)                                                              \
    do {                                                                              \
        anne_status_t status = status_now();                                          \
        CHECK(status == (expected), "status %d, expected %d", status, (int)expected); \
    } while (0)

// --- One word changed -----------------------------------------------------------------------------------------------

typedef struct {
    const char *what;
    variant_t variant; // 5 inputs; dense: 3 outputs
    uint32_t at;
    uint32_t word;
    anne_status_t expected;
} fault_t;

#define TYPES(dtype, role, rank, reserved)      ((dtype) | (role) << 8 | (rank) << 16 | (uint32_t)(reserved) << 24)
#define COUNTS_OF(in, out, constants, function) ((in) | (out) << 8 | (constants) << 16 | (uint32_t)(function) << 24)

static const fault_t faults[] = {
    {"another kind of file", VARIANT_reshape, MAGIC, 0x334c4654, ANNE_ERROR_MAGIC},
    {"version 2", VARIANT_reshape, VERSION, 2 | 48 << 16, ANNE_ERROR_VERSION},
    {"a longer header", VARIANT_reshape, VERSION, 1 | 52 << 16, ANNE_ERROR_VERSION},
    {"another length", VARIANT_reshape, TOTAL_BYTES, 132, ANNE_ERROR_SIZE},
    {"an odd arena", VARIANT_reshape, ARENA_BYTES, 1002, ANNE_ERROR_HEADER},
    {"a huge arena", VARIANT_reshape, ARENA_BYTES, (1u << 30) + 4, ANNE_ERROR_HEADER},
    {"no tensors", VARIANT_reshape, N_TENSORS, 0, ANNE_ERROR_HEADER},
    {"too many tensors", VARIANT_reshape, N_TENSORS, 258, ANNE_ERROR_HEADER},
    {"no layers", VARIANT_reshape, N_LAYERS, 0, ANNE_ERROR_HEADER},
    {"too many layers", VARIANT_reshape, N_LAYERS, 257, ANNE_ERROR_HEADER},
    {"a reserved word", VARIANT_reshape, RESERVED, 1, ANNE_ERROR_HEADER},
    {"the other reserved word", VARIANT_reshape, RESERVED + 4, 1, ANNE_ERROR_HEADER},
    {"sections too long together", VARIANT_reshape, LAYERS_BYTES, 20, ANNE_ERROR_SIZE},

    {"type 0", VARIANT_reshape, X, TYPES(0, 1, 1, 0), ANNE_ERROR_TENSOR},
    {"type 4", VARIANT_reshape, X, TYPES(4, 1, 1, 0), ANNE_ERROR_TENSOR},
    {"role 4", VARIANT_reshape, X, TYPES(2, 4, 1, 0), ANNE_ERROR_TENSOR},
    {"rank 0", VARIANT_reshape, X, TYPES(2, 1, 0, 0), ANNE_ERROR_TENSOR},
    {"rank 5", VARIANT_reshape, X, TYPES(2, 1, 5, 0), ANNE_ERROR_TENSOR},
    {"a reserved byte", VARIANT_reshape, X, TYPES(2, 1, 1, 1), ANNE_ERROR_TENSOR},
    {"no input", VARIANT_reshape, X, TYPES(2, 0, 1, 0), ANNE_ERROR_TENSOR},
    {"no output", VARIANT_reshape, Y, TYPES(2, 0, 1, 0), ANNE_ERROR_TENSOR},
    {"a dimension too many", VARIANT_reshape, X + SHAPE + 4, 1, ANNE_ERROR_TENSOR},
    {"an empty dimension", VARIANT_reshape, X + SHAPE, 0, ANNE_ERROR_TENSOR},
    {"too many elements", VARIANT_reshape, X + SHAPE, (1u << 20) + 1, ANNE_ERROR_TENSOR},
    {"scale 0", VARIANT_reshape, X + SCALE, 0, ANNE_ERROR_TENSOR},
    {"a scale below 2^-125", VARIANT_reshape, X + SCALE, 0x00ffffff, ANNE_ERROR_TENSOR},
    {"scale -1", VARIANT_reshape, X + SCALE, 0xbf800000, ANNE_ERROR_TENSOR},
    {"scale NaN", VARIANT_reshape, X + SCALE, 0x7fc00000, ANNE_ERROR_TENSOR},
    {"an infinite scale", VARIANT_reshape, X + SCALE, 0x7f800000, ANNE_ERROR_TENSOR},
    {"a float's scale", VARIANT_dense_f32, X + SCALE, 0x40000000, ANNE_ERROR_TENSOR},
    {"a float's zero_point", VARIANT_dense_f32, X + ZERO_POINT, 1, ANNE_ERROR_TENSOR},
    {"a negative zero_point of int16", VARIANT_dense_s16, X + ZERO_POINT, (uint32_t)-1, ANNE_ERROR_TENSOR},
    {"zero_point 128", VARIANT_reshape, X + ZERO_POINT, 128, ANNE_ERROR_TENSOR},
    {"zero_point -129", VARIANT_reshape, X + ZERO_POINT, (uint32_t)-129, ANNE_ERROR_TENSOR},
    {"an odd place", VARIANT_reshape, X + ARENA_OFFSET, GAP + 2, ANNE_ERROR_TENSOR},
    {"a place beyond the arena", VARIANT_reshape, X + ARENA_OFFSET, 1u << 20, ANNE_ERROR_TENSOR},
    {"an end beyond the arena", VARIANT_reshape, X + ARENA_OFFSET, 2 * GAP + 4, ANNE_ERROR_TENSOR},

    {"a record too long", VARIANT_reshape, RECORD, 4 | 20 << 16, ANNE_ERROR_LAYER},
    {"a record of 14 bytes", VARIANT_reshape, RECORD, 4 | 14 << 16, ANNE_ERROR_LAYER},
    {"a record without its tensors", VARIANT_reshape, RECORD, 4 | 12 << 16, ANNE_ERROR_LAYER},
    {"kind 0", VARIANT_reshape, RECORD, 0 | 16 << 16, ANNE_ERROR_LAYER},
    {"a kind that there is not", VARIANT_reshape, RECORD, 63 | 16 << 16, ANNE_ERROR_LAYER},
    {"a convolution without anything", VARIANT_reshape, RECORD, 7 | 16 << 16, ANNE_ERROR_LAYER},
    {"no tensors read", VARIANT_reshape, COUNTS, COUNTS_OF(0, 1, 0, 0), ANNE_ERROR_LAYER},
    {"no tensors written", VARIANT_reshape, COUNTS, COUNTS_OF(1, 0, 0, 0), ANNE_ERROR_LAYER},
    {"too many constants", VARIANT_reshape, COUNTS, COUNTS_OF(1, 1, 7, 0), ANNE_ERROR_LAYER},
    {"activation 99", VARIANT_reshape, COUNTS, COUNTS_OF(1, 1, 0, 99), ANNE_ERROR_PARAMETER},
    {"log_softmax of int16", VARIANT_table_s16, COUNTS, COUNTS_OF(1, 1, 1, 13), ANNE_ERROR_PARAMETER},
    {"log_softmax with a table of 256", VARIANT_softmax_s8, COUNTS, COUNTS_OF(1, 1, 1, 13), ANNE_ERROR_SHAPE},
    {"log_softmax in an add", VARIANT_add_f32, ADD_COUNTS, COUNTS_OF(2, 1, 0, 13), ANNE_ERROR_PARAMETER},
    {"an infinite alpha", VARIANT_reshape, ALPHA, 0x7f800000, ANNE_ERROR_PARAMETER},
    {"tensor 2 of 2", VARIANT_reshape, TENSORS, 2 << 16, ANNE_ERROR_LAYER},
    {"a tensor read before it is made", VARIANT_reshape, TENSORS, 1 | 1 << 16, ANNE_ERROR_GRAPH},
    {"a tensor made that is there", VARIANT_reshape, TENSORS, 0, ANNE_ERROR_GRAPH},
    {"an odd constant", VARIANT_table_s8, CONSTANTS, 2, ANNE_ERROR_CONSTANT},
    {"a constant beyond the data", VARIANT_table_s8, CONSTANTS, 1024, ANNE_ERROR_CONSTANT},
    {"a constant longer than the data", VARIANT_table_s8, CONSTANTS + 4, 260, ANNE_ERROR_CONSTANT},

    {"a dense layer without weights", VARIANT_dense_f32, COUNTS, COUNTS_OF(1, 1, 1, 0), ANNE_ERROR_LAYER},
    {"layout 0", VARIANT_dense_f32, CONSTANTS + 16, 0, ANNE_ERROR_LAYER},
    {"layout 7", VARIANT_dense_f32, CONSTANTS + 16, 7, ANNE_ERROR_LAYER},
    {"softmax in a dense layer", VARIANT_dense_f32, COUNTS, COUNTS_OF(1, 1, 2, 12), ANNE_ERROR_PARAMETER},
    {"tanh in a dense layer of integers", VARIANT_dense_s16, COUNTS, COUNTS_OF(1, 1, 3, 7), ANNE_ERROR_PARAMETER},
    {"limits of floats", VARIANT_dense_f32, CONSTANTS + 24, 1, ANNE_ERROR_PARAMETER},
    {"a limit beyond int8", VARIANT_dense_s4, CONSTANTS + 40, 128, ANNE_ERROR_PARAMETER},
    {"limits the wrong way round", VARIANT_dense_s16, CONSTANTS + 32, (uint32_t)-32769, ANNE_ERROR_PARAMETER},
    {"float from int8", VARIANT_dense_f32, X, TYPES(2, 1, 1, 0), ANNE_ERROR_SHAPE},
    {"int8 from float", VARIANT_dense_f32, Y, TYPES(2, 2, 1, 0), ANNE_ERROR_SHAPE},
    {"an activation from float to int8", VARIANT_activation_f32, Y, TYPES(2, 2, 1, 0), ANNE_ERROR_SHAPE},
    {"another scale of int8 shares", VARIANT_softmax_s8, Y + SCALE, 0x3b000000, ANNE_ERROR_SHAPE},
    {"another zero_point of int8 shares", VARIANT_softmax_s8, Y + ZERO_POINT, 0, ANNE_ERROR_SHAPE},
    {"another scale of int8 logarithms", VARIANT_log_softmax_s8, Y + SCALE, 0x3d800001, ANNE_ERROR_SHAPE},
    {"another zero_point of int8 logarithms", VARIANT_log_softmax_s8, Y + ZERO_POINT, 126, ANNE_ERROR_SHAPE},
    {"a table too short", VARIANT_softmax_s8, CONSTANTS + 4, 1020, ANNE_ERROR_CONSTANT},
    {"a table of logarithms too short", VARIANT_log_softmax_s8, CONSTANTS + 4, 2044, ANNE_ERROR_CONSTANT},
    {"a table of int16 shares too short", VARIANT_softmax_s16, CONSTANTS + 4, 1024, ANNE_ERROR_CONSTANT},
    {"another scale of int16 shares", VARIANT_softmax_s16, Y + SCALE, 0x38800000, ANNE_ERROR_SHAPE},
    {"a scaling from int8", VARIANT_scaling_f32, X, TYPES(2, 1, 1, 0), ANNE_ERROR_SHAPE},

    {"an add of one", VARIANT_reshape, RECORD, 5 | 16 << 16, ANNE_ERROR_LAYER},
    {"an add of float and int8", VARIANT_add_f32, B, TYPES(2, 1, 1, 0), ANNE_ERROR_SHAPE},
    {"an add of another length", VARIANT_add_f32, B + SHAPE, 4, ANNE_ERROR_SHAPE},
    {"an add to int8", VARIANT_add_f32, Y, TYPES(2, 2, 1, 0), ANNE_ERROR_SHAPE},
    {"an add to another length", VARIANT_add_s16, Y + SHAPE, 4, ANNE_ERROR_SHAPE},
    {"softmax in an add", VARIANT_add_f32, ADD_COUNTS, COUNTS_OF(2, 1, 0, 12), ANNE_ERROR_PARAMETER},
    {"tanh in an add of integers", VARIANT_add_s8, ADD_COUNTS, COUNTS_OF(2, 1, 0, 7), ANNE_ERROR_PARAMETER},
    {"a negative multiplier of a", VARIANT_add_s8, ADD_FACTORS, (uint32_t)-1, ANNE_ERROR_PARAMETER},
    {"a shift of a to the left", VARIANT_add_s8, ADD_FACTORS + 4, 1, ANNE_ERROR_PARAMETER},
    {"a shift of b by 32", VARIANT_add_s16, ADD_FACTORS + 12, (uint32_t)-32, ANNE_ERROR_PARAMETER},
    {"a negative multiplier of the sum", VARIANT_add_s8, ADD_FACTORS + 16, 0x80000000, ANNE_ERROR_PARAMETER},
    {"a shift of the sum to the left", VARIANT_add_s16, ADD_FACTORS + 20, 1, ANNE_ERROR_PARAMETER},
    {"a limit of an add beyond int8", VARIANT_add_s8, ADD_LIMITS + 4, 128, ANNE_ERROR_PARAMETER},
    {"limits of an add the wrong way round", VARIANT_add_s16, ADD_LIMITS + 4, (uint32_t)-32769, ANNE_ERROR_PARAMETER},

    {"a subtract to int8", VARIANT_subtract_f32, Y, TYPES(2, 2, 1, 0), ANNE_ERROR_SHAPE},
    {"a shift of a difference to the left", VARIANT_subtract_s16, ADD_FACTORS + 20, 1, ANNE_ERROR_PARAMETER},
    {"softmax in a multiply", VARIANT_multiply_f32, ADD_COUNTS, COUNTS_OF(2, 1, 0, 12), ANNE_ERROR_PARAMETER},
    {"a negative multiplier of a product", VARIANT_multiply_s8, ADD_FACTORS, (uint32_t)-1, ANNE_ERROR_PARAMETER},
    {"a product shifted by 13", VARIANT_multiply_s8, ADD_FACTORS + 4, 13, ANNE_OK},
    {"a product shifted by 14", VARIANT_multiply_s8, ADD_FACTORS + 4, 14, ANNE_ERROR_PARAMETER},
    {"a product of int16 shifted", VARIANT_multiply_s16, ADD_FACTORS + 4, 1, ANNE_ERROR_PARAMETER},
    {"a product shifted back by 30", VARIANT_multiply_s16, ADD_FACTORS + 4, (uint32_t)-30, ANNE_OK},
    {"a product shifted back by 31", VARIANT_multiply_s16, ADD_FACTORS + 4, (uint32_t)-31, ANNE_ERROR_PARAMETER},
    {"a limit of a product beyond int8", VARIANT_multiply_s8, ADD_FACTORS + 12, 128, ANNE_ERROR_PARAMETER},
    {"operand 2 of two", VARIANT_constant_f32, CONSTANTS + 8, 2, ANNE_ERROR_PARAMETER},
    {"the other operand", VARIANT_constant_s8, CONSTANTS + 24, 0, ANNE_OK},
    {"that one, too", VARIANT_constant_s8, CONSTANTS + 24, 1, ANNE_OK},
    {"zero_point -128 of a constant", VARIANT_constant_s8, CONSTANTS + 28, (uint32_t)-128, ANNE_OK},
    {"zero_point -129 of a constant", VARIANT_constant_s8, CONSTANTS + 28, (uint32_t)-129, ANNE_ERROR_PARAMETER},
    {"a zero_point of an int16 constant", VARIANT_constant_s16, CONSTANTS + 28, 1, ANNE_ERROR_PARAMETER},
    {"a zero_point of a float constant", VARIANT_constant_f32, CONSTANTS + 12, 1, ANNE_ERROR_PARAMETER},
    {"an empty constant", VARIANT_constant_f32, CONSTANTS + 16, 0, ANNE_ERROR_PARAMETER},
    {"a huge constant", VARIANT_constant_f32, CONSTANTS + 28, (1 << 20) + 1, ANNE_ERROR_PARAMETER},
    {"a constant that is huge by two axes", VARIANT_constant_f32, CONSTANTS + 24, 1 << 18, ANNE_ERROR_PARAMETER},
    {"a constant of another length", VARIANT_constant_f32, CONSTANTS + 28, 4, ANNE_ERROR_SHAPE},
    {"a constant of more rows", VARIANT_constant_f32, CONSTANTS + 24, 2, ANNE_ERROR_SHAPE},
    {"a constant of one, in five", VARIANT_constant_f32, CONSTANTS + 28, 1, ANNE_ERROR_CONSTANT},
    {"a constant of one, in five bytes", VARIANT_constant_s8, CONSTANTS + 44, 1, ANNE_ERROR_CONSTANT},

    {"a negative factor above", VARIANT_prelu_s8, CONSTANTS + 8, (uint32_t)-1, ANNE_ERROR_PARAMETER},
    {"a shift above by 16", VARIANT_prelu_s16, CONSTANTS + 12, 16, ANNE_ERROR_PARAMETER},
    {"a shift above by -32", VARIANT_prelu_s16, CONSTANTS + 12, (uint32_t)-32, ANNE_ERROR_PARAMETER},
    {"a negative factor below", VARIANT_prelu_s8, CONSTANTS + 16, (uint32_t)-1, ANNE_ERROR_PARAMETER},
    {"a shift below by 16", VARIANT_prelu_s8, CONSTANTS + 20, 16, ANNE_ERROR_PARAMETER},
    {"a limit of a prelu beyond int8", VARIANT_prelu_s8, CONSTANTS + 28, 128, ANNE_ERROR_PARAMETER},
    {"a slope that is infinite by its shape", VARIANT_prelu_f32, CONSTANTS + 16, 0, ANNE_ERROR_PARAMETER},
    {"a clip with a constant", VARIANT_clip_s8, COUNTS, COUNTS_OF(1, 1, 1, 0), ANNE_ERROR_CONSTANT},
    {"a clip of two", VARIANT_clip_s8, RECORD, 16 | 20 << 16, ANNE_ERROR_LAYER},
    {"a clip to another type", VARIANT_clip_f32, Y, TYPES(2, 2, 1, 0), ANNE_ERROR_SHAPE},
    {"a clip to another scale", VARIANT_clip_s8, Y + SCALE, 0x3b000000, ANNE_ERROR_SHAPE},
    {"a clip to another zero_point", VARIANT_clip_s8, Y + ZERO_POINT, 0, ANNE_ERROR_SHAPE},
    {"a clip to another length", VARIANT_clip_s8, Y + SHAPE, 4, ANNE_ERROR_SHAPE},
    {"a clip beyond int8", VARIANT_clip_s8, CONSTANTS + 4, 128, ANNE_ERROR_PARAMETER},
    {"a clip to NaN", VARIANT_clip_f32, CONSTANTS + 4, 0x7fc00000, ANNE_ERROR_PARAMETER},
    {"a clip from NaN", VARIANT_clip_f32, CONSTANTS, 0x7fc00000, ANNE_ERROR_PARAMETER},
    {"a clip from infinity", VARIANT_clip_f32, CONSTANTS, 0x7f800000, ANNE_ERROR_PARAMETER},
    {"a quantize to another length", VARIANT_quantize_s8, Y + SHAPE, 4, ANNE_ERROR_SHAPE},
    {"a quantize from float to float", VARIANT_quantize_s8, X, TYPES(2, 1, 1, 0), ANNE_ERROR_LAYER},
    {"a quantize shifted by 16", VARIANT_quantize_s8_s16, CONSTANTS + 4, 16, ANNE_ERROR_PARAMETER},
    {"a quantize shifted by -32", VARIANT_quantize_s8_s16, CONSTANTS + 4, (uint32_t)-32, ANNE_ERROR_PARAMETER},
    {"a quantize by less than nothing", VARIANT_quantize_s8_s16, CONSTANTS, 0x80000000, ANNE_ERROR_PARAMETER},

    {"a pad with a constant", VARIANT_pad_f32, COUNTS, COUNTS_OF(1, 1, 1, 0), ANNE_ERROR_CONSTANT},
    {"a pad to int8", VARIANT_pad_f32, Y, TYPES(2, 2, 1, 0), ANNE_ERROR_SHAPE},
    {"a pad to another scale", VARIANT_pad_s8, Y + SCALE, 0x3b000000, ANNE_ERROR_SHAPE},
    {"a pad to another zero_point", VARIANT_pad_s8, Y + ZERO_POINT, 0, ANNE_ERROR_SHAPE},
    {"a pad that makes shorter", VARIANT_pad_f32, Y + SHAPE, 4, ANNE_ERROR_SHAPE},
    {"less than nothing in front", VARIANT_pad_s16, CONSTANTS + 4, (uint32_t)-1, ANNE_ERROR_SHAPE},
    {"more in front than there is", VARIANT_pad_s16, CONSTANTS + 4, 1 << 20, ANNE_ERROR_SHAPE},
    {"more in front than is left", VARIANT_pad_s16, CONSTANTS + 4, 56, ANNE_ERROR_SHAPE},
    {"an infinite pad", VARIANT_pad_f32, CONSTANTS, 0x7f800000, ANNE_ERROR_PARAMETER},
    {"a pad beyond int8", VARIANT_pad_s8, CONSTANTS, 128, ANNE_ERROR_PARAMETER},
    {"a pad below int16", VARIANT_pad_s16, CONSTANTS, (uint32_t)-32769, ANNE_ERROR_PARAMETER},

    {"a convolution without weights", VARIANT_conv_f32, COUNTS, COUNTS_OF(1, 1, 1, 0), ANNE_ERROR_LAYER},
    {"a convolution in layout 0", VARIANT_conv_f32, GROUPS + 4, 0, ANNE_ERROR_LAYER},
    {"a convolution in layout 7", VARIANT_conv_f32, GROUPS + 4, 7, ANNE_ERROR_LAYER},
    {"a convolution to int8", VARIANT_conv_f32, Y, TYPES(2, 2, 3, 0), ANNE_ERROR_SHAPE},
    {"limits of a convolution of floats", VARIANT_conv_f32, GROUPS + 12, 1, ANNE_ERROR_PARAMETER},
    {"softmax in a convolution", VARIANT_conv_f32, COUNTS, COUNTS_OF(1, 1, 2, 12), ANNE_ERROR_PARAMETER},
    {"no groups", VARIANT_conv_f32, GROUPS, 0, ANNE_ERROR_SHAPE},
    {"groups that do not divide the input's channels", VARIANT_conv_f32, GROUPS, 4, ANNE_ERROR_SHAPE},
    {"groups that do not divide the output's channels", VARIANT_conv_f32, GROUPS, 3, ANNE_ERROR_SHAPE},
    {"other groups, of more weights", VARIANT_conv_f32, GROUPS, 1, ANNE_ERROR_CONSTANT},
    {"a window of no rows", VARIANT_conv_f32, WINDOW, 0, ANNE_ERROR_PARAMETER},
    {"a window of 2^15 + 1 columns", VARIANT_conv_f32, WINDOW + 4, (1 << 15) + 1, ANNE_ERROR_PARAMETER},
    {"no stride", VARIANT_conv_f32, WINDOW + 8, 0, ANNE_ERROR_PARAMETER},
    {"a dilation of 0", VARIANT_conv_f32, WINDOW + 20, 0, ANNE_ERROR_PARAMETER},
    {"padding below 0", VARIANT_conv_f32, WINDOW + 24, (uint32_t)-1, ANNE_ERROR_PARAMETER},
    {"a window above the image", VARIANT_conv_f32, WINDOW + 24, 2, ANNE_ERROR_SHAPE},
    {"a window left of the image", VARIANT_conv_f32, WINDOW + 28, 3, ANNE_ERROR_SHAPE},
    {"a window below the image", VARIANT_conv_f32, WINDOW + 8, 2, ANNE_ERROR_SHAPE},
    {"a window right of the image", VARIANT_conv_f32, WINDOW + 12, 3, ANNE_ERROR_SHAPE},
    {"a convolution of rank 2 and 3", VARIANT_conv_f32, Y, TYPES(1, 2, 4, 0), ANNE_ERROR_TENSOR},
    {"another window, of fewer weights", VARIANT_conv_s8_quad, CONSTANTS + 28, 2, ANNE_ERROR_CONSTANT},
};

static void check_faults(void) {
    for (uint32_t i = 0; i < sizeof faults / sizeof faults[0]; i++) {
        const fault_t *fault = &faults[i];
        new_file(fault->variant, 5, 3);
        CHECK(status_now() == ANNE_OK, "%s: before", fault->what);
        put_word(bytes, fault->at, fault->word);
        anne_status_t status = status_now();
        CHECK(status == fault->expected, "%s: status %d, expected %d", fault->what, status, fault->expected);
    }
}

// --- More than a word -----------------------------------------------------------------------------------------------

static void check_short_files(void) {
    anne_model_t model;
    uint8_t *magic = exactly(20);
    memcpy(magic, "ANNE", 4);
    CHECK(anne_model_open(&model, magic, 3) == ANNE_ERROR_MAGIC, "3 bytes");
    CHECK(anne_model_open(&model, magic, 20) == ANNE_ERROR_SIZE, "20 bytes");
    magic[0] = 'B';
    CHECK(anne_model_open(&model, magic, 20) == ANNE_ERROR_MAGIC, "20 other bytes");
    free(magic);
}

static void check_crc(void) {
    new_file(VARIANT_reshape, 5, 3);
    CHECK(status_now() == ANNE_OK, "before");
    bytes[12] ^= 1;
    anne_model_t model;
    CHECK(anne_model_open(&model, bytes, n_bytes) == ANNE_ERROR_CRC, "one bit of the CRC");
}

static void check_odd_sections(void) { // which add up
    new_file(VARIANT_table_s8, 5, 3);
    put_word(bytes, METADATA_BYTES, 2);
    put_word(bytes, DATA_BYTES, 254);
    EXPECT(ANNE_ERROR_SIZE);
}

// The constants, whose own sizes are not looked at before these limits are.
static void check_too_wide(void) {
    static const struct {
        variant_t variant;
        uint32_t most;
    } limits[] = {{VARIANT_dense_s8_quad, 16383},
                  {VARIANT_dense_s4, 16383},
                  {VARIANT_dense_s8_f32, 16383},
                  {VARIANT_dense_f32_aligned, 65535}};
    for (uint32_t i = 0; i < 4; i++) {
        new_file(limits[i].variant, limits[i].most, 1);
        EXPECT(ANNE_OK);
        new_file(limits[i].variant, limits[i].most + 1, 1);
        EXPECT(ANNE_ERROR_CONSTANT);
    }
    new_file(VARIANT_dense_f32, 1000, 1); // 2^20 weights, and 1000 more than those
    put_word(bytes, ARENA_BYTES, 1 << 20);
    put_word(bytes, Y + SHAPE, (1 << 20) / 1000 + 1);
    EXPECT(ANNE_ERROR_CONSTANT);
    new_file(VARIANT_softmax_s8, 511, 0);
    EXPECT(ANNE_OK);
    new_file(VARIANT_softmax_s8, 512, 0);
    EXPECT(ANNE_ERROR_SHAPE);
    new_file(VARIANT_log_softmax_s8, 4095, 0);
    EXPECT(ANNE_OK);
    new_file(VARIANT_log_softmax_s8, 4096, 0);
    EXPECT(ANNE_ERROR_SHAPE);
    new_file(VARIANT_softmax_s16, 65536, 0);
    EXPECT(ANNE_OK);
    new_file(VARIANT_softmax_s16, 65537, 0);
    EXPECT(ANNE_ERROR_SHAPE);
}

static uint8_t *constant(uint32_t index) {
    return bytes + n_bytes - word_at(bytes, DATA_BYTES) + word_at(bytes, CONSTANTS + 8 * index);
}

static void check_constants(void) {
    new_file(VARIANT_dense_s4, 40, 1); // 32 weights of -8 in a panel of 32: 256
    memset(constant(0), 0, 4 * 40);
    put_word(constant(3), 0, 28);
    EXPECT(ANNE_OK);
    put_word(constant(3), 0, 32);
    EXPECT(ANNE_ERROR_CONSTANT);
    for (uint32_t i = 0; i < 3; i++) {
        static const uint32_t panels[] = {0, 30, 16384};
        put_word(constant(3), 0, panels[i]);
        EXPECT(ANNE_ERROR_CONSTANT);
    }
    new_file(VARIANT_dense_s16, 2, 1); // 2^15 (32768 + 32767) + 2^15 is 2^31
    put_word(constant(0), 0, 32767u << 16);
    put_word(constant(1), 0, 32767);
    EXPECT(ANNE_OK);
    put_word(constant(1), 0, 32768);
    EXPECT(ANNE_ERROR_CONSTANT);
    // f32_aligned: limbs of 2^24, the greatest weight, and of one more; of the least; a low limb of 4096
    static const struct {
        uint32_t word;
        anne_status_t expected;
    } weights[] = {{0x10000800, ANNE_OK},
                   {0x10000801, ANNE_ERROR_CONSTANT},
                   {0xf0000800, ANNE_OK},
                   {0xf00007ff, ANNE_ERROR_CONSTANT},
                   {0x00001000, ANNE_ERROR_CONSTANT}};
    for (uint32_t i = 0; i < sizeof weights / sizeof weights[0]; i++) {
        new_file(VARIANT_dense_f32_aligned, 5, 3);
        put_word(constant(0), 4 * 19, weights[i].word); // the last: of the row that is missing
        EXPECT(weights[i].expected);
    }
    new_file(VARIANT_scaling_s8, 5, 0);
    put_word(constant(1), 16, 0x7fc00000); // NaN
    EXPECT(ANNE_ERROR_CONSTANT);
    static const struct {
        uint32_t at, word;
        anne_status_t expected;
    } logarithms[] = {{0, (1 << 19) - 1, ANNE_ERROR_CONSTANT},
                      {255, 1 << 19, ANNE_OK},
                      {255, (1 << 19) + 1, ANNE_ERROR_CONSTANT},
                      {1, (uint32_t)-1, ANNE_ERROR_CONSTANT},
                      {256, 1, ANNE_ERROR_CONSTANT},
                      {511, (uint32_t)-(1 << 30), ANNE_OK},
                      {511, (uint32_t)-(1 << 30) - 1, ANNE_ERROR_CONSTANT}};
    for (uint32_t i = 0; i < sizeof logarithms / sizeof logarithms[0]; i++) {
        new_file(VARIANT_log_softmax_s8, 3, 0);
        put_word(constant(0), 4 * logarithms[i].at, logarithms[i].word);
        EXPECT(logarithms[i].expected);
    }
}

static void check_ranks(void) { // of dense layers: 1
    for (uint32_t tensor = X; tensor <= Y; tensor += Y - X) {
        new_file(VARIANT_dense_f32, 5, 3);
        bytes[tensor + 2] = 2;
        put_word(bytes, tensor + SHAPE + 4, 1);
        EXPECT(ANNE_ERROR_SHAPE);
    }
}

// Another tensor after the two that there are, inside the same arena.
static void add_tensor(uint8_t role, uint32_t arena_offset) {
    memmove(bytes + RECORD + 32, bytes + RECORD, n_bytes - RECORD);
    memcpy(bytes + RECORD, bytes + X, 32);
    bytes[RECORD + 1] = role;
    put_word(bytes, RECORD + ARENA_OFFSET, arena_offset);
    put_word(bytes, N_TENSORS, 3);
    n_bytes += 32;
    put_word(bytes, TOTAL_BYTES, n_bytes);
}

static void check_graphs(void) {
    static const anne_status_t with_role[] = {ANNE_ERROR_GRAPH, ANNE_OK, ANNE_ERROR_GRAPH, ANNE_OK};
    for (uint8_t role = 0; role <= 3; role++) { // another tensor that no layer makes; an input need not be made
        new_file(VARIANT_reshape, 5, 0);
        add_tensor(role, 0);
        EXPECT(with_role[role]);
    }
    new_file(VARIANT_scaling_f32, 5, 0);
    put_word(bytes, Y + ARENA_OFFSET, GAP);
    EXPECT(ANNE_ERROR_GRAPH); // a scaling does not work in place
    new_file(VARIANT_activation_f32, 5, 0);
    put_word(bytes, Y + ARENA_OFFSET, GAP);
    EXPECT(ANNE_OK);
    put_word(bytes, Y + ARENA_OFFSET, GAP + 4);
    EXPECT(ANNE_ERROR_GRAPH); // an activation does, but not beside itself
    bytes[X + 1] = 3;         // nor over the output of the network
    bytes[Y + 1] = 0;
    put_word(bytes, Y + ARENA_OFFSET, GAP);
    EXPECT(ANNE_ERROR_GRAPH);
}

// The greatest factors of an add: 1/2 of a and b, what 31 bits hold of the sum.
static void check_factors(void) {
    static const struct {
        uint32_t at, multiplier, shift;
        anne_status_t expected;
    } factors[] = {
        {ADD_FACTORS, 1 << 30, 0, ANNE_OK},         {ADD_FACTORS, (1 << 30) + 1, 0, ANNE_ERROR_PARAMETER},
        {ADD_FACTORS, INT32_MAX, -1u, ANNE_OK},     {ADD_FACTORS, 0, -31u, ANNE_OK},
        {ADD_FACTORS + 8, 1 << 30, 0, ANNE_OK},     {ADD_FACTORS + 8, (1 << 30) + 1, 0, ANNE_ERROR_PARAMETER},
        {ADD_FACTORS + 8, INT32_MAX, -1u, ANNE_OK}, {ADD_FACTORS + 8, 0, -32u, ANNE_ERROR_PARAMETER},
        {ADD_FACTORS + 16, INT32_MAX, 0, ANNE_OK},  {ADD_FACTORS + 16, INT32_MAX, -31u, ANNE_OK},
    };
    for (uint32_t i = 0; i < sizeof factors / sizeof factors[0]; i++) {
        new_file(VARIANT_add_s8, 5, 0);
        put_word(bytes, factors[i].at, factors[i].multiplier);
        put_word(bytes, factors[i].at + 4, factors[i].shift);
        EXPECT(factors[i].expected);
    }
}

// Counts of an add that are wrong, in records and sections that are whole.
static void check_add_counts(void) {
    for (uint32_t n_inputs = 1; n_inputs <= 3; n_inputs++) { // of 4 tensors, the others of which it makes
        graph_t graph = {0};
        for (uint32_t t = 0; t < 4; t++) {
            add_vector(&graph, t < n_inputs ? ANNE_ROLE_INPUT : ANNE_ROLE_OUTPUT, 5, 5 * t);
        }
        add_node(&graph, (node_t){ANNE_KIND_add, n_inputs, 4 - n_inputs, {0, 1, 2, 3}, ANNE_ACTIVATION_linear});
        n_bytes = write_graph(bytes, &graph);
        EXPECT(ANNE_ERROR_LAYER);
    }
    new_file(VARIANT_add_s8, 5, 0);
    put_word(bytes, ADD_FACTORS, 0); // a constant: nothing of the data
    put_word(bytes, ADD_FACTORS + 4, 0);
    put_word(bytes, ADD_COUNTS, COUNTS_OF(2, 1, 1, 0));
    EXPECT(ANNE_ERROR_LAYER);
    new_file(VARIANT_add_s8, 5, 0); // 7 parameters; what was the last is data
    put_word(bytes, ADD_RECORD, 5 | 48 << 16);
    put_word(bytes, LAYERS_BYTES, 48);
    put_word(bytes, DATA_BYTES, 4);
    EXPECT(ANNE_ERROR_LAYER);
}

// A convolution between images of those shapes, up to rank 4, as far as the rank says; windows of floats.
static anne_status_t with_window(const uint32_t x[5], const uint32_t y[5], const uint32_t window[9]) {
    new_file(VARIANT_conv_f32, 0, 0);
    put_word(bytes, ARENA_BYTES, 1 << 28);
    put_word(bytes, Y + ARENA_OFFSET, 1 << 24);
    const uint32_t *shapes[] = {x, y};
    for (uint32_t i = 0; i < 2; i++) {
        uint32_t at = X + i * (Y - X);
        bytes[at + 2] = (uint8_t)shapes[i][0];
        memcpy(bytes + at + SHAPE, shapes[i] + 1, 4 * sizeof *x);
    }
    memcpy(bytes + WINDOW, window, 9 * sizeof *window);
    return status_now();
}

#define EXPECT_WINDOW(x, y, window, expected)                                                                         \
    CHECK(with_window((uint32_t[5])x, (uint32_t[5])y, (uint32_t[9])window) == (expected), "window %s of %s", #window, \
          #x)
#define LIST(...) {__VA_ARGS__}

// Windows that are taken, but that the weights are not theirs, and what is just beyond them.
static void check_windows(void) {
    const anne_status_t taken = ANNE_ERROR_CONSTANT;
    EXPECT_WINDOW(LIST(2, 5, 1), LIST(2, 5, 1), LIST(1, 1, 1, 1, 1, 1, 0, 0, 1), taken);
    EXPECT_WINDOW(LIST(1, 5), LIST(1, 5), LIST(1, 1, 1, 1, 1, 1, 0, 0, 1), ANNE_ERROR_SHAPE);
    EXPECT_WINDOW(LIST(4, 5, 1, 1, 1), LIST(4, 5, 1, 1, 1), LIST(1, 1, 1, 1, 1, 1, 0, 0, 1), ANNE_ERROR_SHAPE);
    EXPECT_WINDOW(LIST(3, 5, 1, 1), LIST(2, 5, 1), LIST(1, 1, 1, 1, 1, 1, 0, 0, 1), ANNE_ERROR_SHAPE);
    // (kernel - 1) dilation is 2^20 - 2^5, and 2^20; in rows likewise
    EXPECT_WINDOW(LIST(2, 5, 1), LIST(2, 5, 1), LIST(1, 1 << 15, 1, 1, 1, 32, 0, 0, 1), taken);
    EXPECT_WINDOW(LIST(2, 5, 1), LIST(2, 5, 1), LIST(1, (1 << 5) + 1, 1, 1, 1, 1 << 15, 0, 0, 1), ANNE_ERROR_SHAPE);
    EXPECT_WINDOW(LIST(3, 5, 1, 1), LIST(3, 5, 1, 1), LIST((1 << 5) + 1, 1, 1, 1, 1 << 15, 1, 0, 0, 1),
                  ANNE_ERROR_SHAPE);
    // 2^28 steps, and more: in taps, in channels, in both
    EXPECT_WINDOW(LIST(3, 512, 1024, 1), LIST(3, 512, 1024, 1), LIST(16, 32, 1, 1, 1, 1, 0, 0, 1), taken);
    EXPECT_WINDOW(LIST(3, 512, 1024, 1), LIST(3, 512, 1024, 1), LIST(16, 33, 1, 1, 1, 1, 0, 0, 1), ANNE_ERROR_SHAPE);
    EXPECT_WINDOW(LIST(3, 1, 1, 1 << 14), LIST(3, 1, 1, 1 << 14), LIST(1, 1, 1, 1, 1, 1, 0, 0, 1), taken);
    EXPECT_WINDOW(LIST(3, 1, 1, 1 << 15), LIST(3, 1, 1, 1 << 14), LIST(1, 1, 1, 1, 1, 1, 0, 0, 1), ANNE_ERROR_SHAPE);
    EXPECT_WINDOW(LIST(3, 512, 512, 4), LIST(3, 512, 512, 1), LIST(16, 16, 1, 1, 1, 1, 0, 0, 1), taken);
    EXPECT_WINDOW(LIST(3, 512, 512, 4), LIST(3, 512, 512, 1), LIST(16, 17, 1, 1, 1, 1, 0, 0, 1), ANNE_ERROR_SHAPE);
}

// Of the second group, which the first says nothing about.
static void check_groups(void) {
    new_file(VARIANT_conv_s16, 0, 0); // 18 weights in 9 words a row, 4 rows a group
    EXPECT(ANNE_OK);
    for (uint32_t i = 4 * 9; i < 5 * 9; i++) {
        put_word(constant(0), 4 * i, 32767u << 16 | 65535);
    }
    EXPECT(ANNE_ERROR_CONSTANT);
    new_file(VARIANT_conv_s4, 0, 0); // 18 columns as 20 in a panel of at least 28: 18 weights of -8 are 144
    put_word(constant(3), 0, 20);
    memset(constant(0), 0, 4 * 40);
    EXPECT(ANNE_OK);
    shape_t wide = image;
    wide.variant = VARIANT_conv_s4, wide.window[1] = 6, wide.output[1] = 3; // 36 columns: 32 of -8 are 256
    n_bytes = make_model(bytes, ROOM, &wide);
    put_word(constant(3), 0, 32);
    memset(constant(0), 0x88, 4 * 36);
    memset(constant(0) + 4 * 36, 0x77, 4 * 36);
    EXPECT(ANNE_OK);
    memset(constant(0) + 4 * 36, 0, 4 * 36);
}

// Shapes of two operands and of what is made of them; b is a vector, y has two axes.
static void check_broadcasts(void) {
    static const struct {
        uint32_t a_rank, a_rows, a_columns, b, y_rank, y_rows, y_columns;
        anne_status_t expected;
    } shapes[] = {
        {2, 3, 5, 5, 2, 3, 5, ANNE_OK},          {2, 3, 5, 1, 2, 3, 5, ANNE_OK},
        {2, 3, 1, 5, 2, 3, 5, ANNE_OK},          {2, 1, 5, 1, 2, 1, 5, ANNE_OK},
        {1, 5, 0, 5, 2, 1, 5, ANNE_ERROR_SHAPE}, {2, 1, 5, 5, 1, 5, 0, ANNE_ERROR_SHAPE},
        {2, 3, 5, 3, 2, 3, 5, ANNE_ERROR_SHAPE}, {2, 3, 5, 5, 2, 1, 5, ANNE_ERROR_SHAPE},
        {2, 3, 1, 5, 2, 3, 1, ANNE_ERROR_SHAPE}, {2, 3, 5, 5, 2, 3, 1, ANNE_ERROR_SHAPE},
    };
    for (uint32_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++) {
        graph_t graph = {0};
        add_vector(&graph, ANNE_ROLE_INPUT, 1, 0), add_vector(&graph, ANNE_ROLE_INPUT, shapes[i].b, 20);
        add_vector(&graph, ANNE_ROLE_OUTPUT, 1, 40);
        anne_tensor_t *a = &graph.tensors[0], *y = &graph.tensors[2];
        a->rank = shapes[i].a_rank, a->shape[0] = shapes[i].a_rows, a->shape[1] = shapes[i].a_columns;
        y->rank = shapes[i].y_rank, y->shape[0] = shapes[i].y_rows, y->shape[1] = shapes[i].y_columns;
        for (uint32_t swapped = 0; swapped < 2; swapped++) {
            uint16_t first = (uint16_t)swapped, second = (uint16_t)(1 - swapped);
            graph.n_nodes = 0;
            add_node(&graph, (node_t){ANNE_KIND_multiply, 2, 1, {first, second, 2}, ANNE_ACTIVATION_linear});
            n_bytes = write_graph(bytes, &graph);
            EXPECT(shapes[i].expected);
        }
    }
}

// An operand smaller than the output may not give way to it.
static void check_smaller_in_place(void) {
    for (uint32_t which = 0; which < 2; which++) {
        graph_t graph = {0};
        add_vector(&graph, ANNE_ROLE_INPUT, 1, 0), add_vector(&graph, ANNE_ROLE_INPUT, 5, 8);
        add_vector(&graph, ANNE_ROLE_OUTPUT, 5, 8 * which);
        add_node(&graph, (node_t){ANNE_KIND_multiply, 2, 1, {0, 1, 2}, ANNE_ACTIVATION_linear});
        n_bytes = write_graph(bytes, &graph);
        EXPECT(which == 0 ? ANNE_ERROR_GRAPH : ANNE_OK);
    }
}

static void check_floats_to_floats(void) { // between tensors of float32 nothing is quantised
    graph_t graph = {0};
    add_vector(&graph, ANNE_ROLE_INPUT, 5, 0), add_vector(&graph, ANNE_ROLE_OUTPUT, 5, 8);
    add_node(&graph, (node_t){ANNE_KIND_quantize, 1, 1, {0, 1}, ANNE_ACTIVATION_linear});
    n_bytes = write_graph(bytes, &graph);
    EXPECT(ANNE_ERROR_SHAPE);
}

// The first of a constant's floats is the first of the data.
static void check_infinite_constant(void) {
    new_file(VARIANT_constant_f32, 5, 0);
    put_word(bytes, n_bytes - word_at(bytes, DATA_BYTES), 0x7f800000);
    EXPECT(ANNE_ERROR_CONSTANT);
}

// A layer that reads two tensors, which these kinds do not, or makes two.
static void check_counts(void) {
    static const variant_t variants[] = {VARIANT_dense_f32, VARIANT_table_s8, VARIANT_scaling_f32, VARIANT_reshape,
                                         VARIANT_conv_f32};
    for (uint32_t i = 0; i < 5; i++) {
        for (uint32_t n_inputs = 1; n_inputs <= 2; n_inputs++) {
            new_file(variants[i], 5, 3);
            uint32_t counts = word_at(bytes, COUNTS), record_bytes = word_at(bytes, RECORD) >> 16;
            add_tensor(0, 0); // that the layer makes, too; or it reads tensor 0 twice
            memmove(bytes + TENSORS + 36, bytes + TENSORS + 32, n_bytes - TENSORS - 32);
            n_bytes += 4;
            put_word(bytes, TOTAL_BYTES, n_bytes);
            put_word(bytes, LAYERS_BYTES, record_bytes + 4);
            put_word(bytes, RECORD + 32, word_at(bytes, RECORD + 32) + (4 << 16));
            put_word(bytes, COUNTS + 32, (counts & 0xffff0000) | n_inputs | (3 - n_inputs) << 8);
            put_word(bytes, TENSORS + 32, n_inputs == 2 ? 0 : 0 | 1 << 16);
            put_word(bytes, TENSORS + 36, n_inputs == 2 ? 1 : 2);
            EXPECT(ANNE_ERROR_LAYER);
            put_word(bytes, TENSORS + 36, 1 << 16 | 1); // the padding
            EXPECT(ANNE_ERROR_LAYER);
        }
    }
}

// A window of 3 on 5 steps of 3 channels, in steps of 2, with a pad of 1: 3 positions.
static void new_pool(variant_t variant) {
    static const uint32_t words[] = {1, 3, 1, 2, 1, 1, 0, 1, 0, 0, 1, 4, 4};
    bool is_average = variant >= VARIANT_average_pool_f32;
    new_file(variant, 5, 0);
    put_word(bytes, Y + SHAPE, 3);
    put_word(bytes, ARENA_BYTES, 1 << 10);
    for (uint32_t i = 0; i < (is_average ? 13u : 10u); i++) {
        put_word(bytes, CONSTANTS + 4 * i, words[i]);
    }
    put_word(bytes, COUNTS, COUNTS_OF(1, 1, 0, 0));
}

static void check_pools(void) {
    enum {
        KERNEL_W = CONSTANTS + 4,
        STRIDE_W = CONSTANTS + 12,
        DILATION_W = CONSTANTS + 20,
        PAD_LEFT = CONSTANTS + 28
    };
    enum { LIMITS = CONSTANTS + 32, COUNTS_PADDING = CONSTANTS + 40, PAD_BOTTOM = CONSTANTS + 44 };
    static const fault_t pools[] = {
        {"a pool with a constant", VARIANT_max_pool_s8, COUNTS, COUNTS_OF(1, 1, 1, 0), ANNE_ERROR_CONSTANT},
        {"an average pool with too few words", VARIANT_max_pool_s8, RECORD, 10 | 56 << 16, ANNE_ERROR_LAYER},
        {"a pool of int16 to int8", VARIANT_max_pool_s16, Y, TYPES(2, 2, 2, 0), ANNE_ERROR_SHAPE},
        {"a pool to another scale", VARIANT_max_pool_s16, Y + SCALE, 0x3b000000, ANNE_ERROR_SHAPE},
        {"a pool to another zero_point", VARIANT_max_pool_s8, Y + ZERO_POINT, 8, ANNE_ERROR_SHAPE},
        {"a pool to other channels", VARIANT_max_pool_f32, Y + SHAPE + 4, 2, ANNE_ERROR_SHAPE},
        {"a pool to a vector", VARIANT_max_pool_f32, Y, TYPES(1, 2, 3, 0), ANNE_ERROR_TENSOR},
        {"a window of none", VARIANT_max_pool_f32, KERNEL_W, 0, ANNE_ERROR_PARAMETER},
        {"a wide window", VARIANT_max_pool_f32, KERNEL_W, (1 << 15) + 1, ANNE_ERROR_PARAMETER},
        {"padding below 0", VARIANT_max_pool_f32, PAD_LEFT, (uint32_t)-1, ANNE_ERROR_PARAMETER},
        {"a window that begins outside", VARIANT_max_pool_f32, PAD_LEFT, 3, ANNE_ERROR_SHAPE},
        {"a window that ends outside", VARIANT_max_pool_f32, STRIDE_W, 3, ANNE_ERROR_SHAPE},
        {"a window that sees nothing", VARIANT_max_pool_f32, DILATION_W, 6, ANNE_ERROR_SHAPE},
        {"tanh in a pool of integers", VARIANT_max_pool_s8, COUNTS, COUNTS_OF(1, 1, 0, 7), ANNE_ERROR_PARAMETER},
        {"softmax in a pool", VARIANT_max_pool_f32, COUNTS, COUNTS_OF(1, 1, 0, 12), ANNE_ERROR_PARAMETER},
        {"a limit of a pool of floats", VARIANT_average_pool_f32, LIMITS + 4, 1, ANNE_ERROR_PARAMETER},
        {"padding that counts twice", VARIANT_average_pool_f32, COUNTS_PADDING, 2, ANNE_ERROR_PARAMETER},
        {"padding that counts less than 0", VARIANT_average_pool_s8, COUNTS_PADDING, -1u, ANNE_ERROR_PARAMETER},
        {"padding that does not count", VARIANT_average_pool_s8, COUNTS_PADDING, 0, ANNE_ERROR_PARAMETER},
        {"less than no rows below", VARIANT_average_pool_s8, PAD_BOTTOM, -1u, ANNE_ERROR_PARAMETER},
        {"many rows below", VARIANT_average_pool_s8, PAD_BOTTOM, (1 << 15) + 1, ANNE_ERROR_PARAMETER},
        {"less than no columns behind", VARIANT_average_pool_s8, PAD_BOTTOM + 4, -1u, ANNE_ERROR_PARAMETER},
        {"many columns behind", VARIANT_average_pool_s8, PAD_BOTTOM + 4, (1 << 15) + 1, ANNE_ERROR_PARAMETER},
    };
    for (uint32_t i = 0; i < sizeof pools / sizeof pools[0]; i++) {
        new_pool(pools[i].variant);
        anne_status_t before = status_now();
        put_word(bytes, pools[i].at, pools[i].word);
        anne_status_t status = status_now();
        CHECK(before == ANNE_OK && status == pools[i].expected, "%s: status %d, expected %d", pools[i].what, status,
              pools[i].expected);
    }
}

// Windows with more taps than a sum of int16 has room for, than may be, and rows of an image that do not fit.
static void check_large_windows(void) {
    new_pool(VARIANT_average_pool_s16);
    put_word(bytes, CONSTANTS, 1 << 14); // rows, on a signal: as many above
    put_word(bytes, CONSTANTS + 24, 1 << 13);
    put_word(bytes, CONSTANTS + 4, 2); // columns
    EXPECT(ANNE_OK);
    put_word(bytes, CONSTANTS + 4, 3);
    EXPECT(ANNE_ERROR_PARAMETER);
    new_pool(VARIANT_max_pool_f32);
    put_word(bytes, CONSTANTS, 1 << 15);
    put_word(bytes, CONSTANTS + 16, 33); // dilation: beyond 2^20
    EXPECT(ANNE_ERROR_SHAPE);
    put_word(bytes, CONSTANTS + 16, 1);
    put_word(bytes, CONSTANTS + 24, 1 << 15); // the first window ends before the image
    EXPECT(ANNE_ERROR_SHAPE);
    put_word(bytes, CONSTANTS + 24, (1 << 15) - 1);
    EXPECT(ANNE_OK);
    put_word(bytes, CONSTANTS + 16, 2); // of two rows each, of which the image has one
    EXPECT(ANNE_ERROR_SHAPE);
    put_word(bytes, CONSTANTS + 16, 1);
    put_word(bytes, CONSTANTS + 4, 1000); // 3 2^15 1000 taps of 3 channels, more than 2^28
    put_word(bytes, CONSTANTS + 28, 999);
    EXPECT(ANNE_ERROR_SHAPE);
    put_word(bytes, CONSTANTS + 4, 1 << 15); // taps alone are more
    EXPECT(ANNE_ERROR_SHAPE);
}

// 2 by 3 without its rows; the record's words are from CONSTANTS on.
static void new_reduce(variant_t variant, uint32_t operation, uint32_t axes) {
    shape_t shape = {.variant = variant, .rank = 2, .shape = {2, 3}};
    make_model_seed(1);
    n_bytes = make_model(bytes, ROOM, &shape);
    put_word(bytes, ARENA_BYTES, 1 << 10);
    bytes[Y + 2] = 1;
    put_word(bytes, Y + SHAPE, axes == 1 ? 3 : axes == 2 ? 2 : 1);
    put_word(bytes, Y + SHAPE + 4, 0);
    put_word(bytes, CONSTANTS, operation);
    put_word(bytes, CONSTANTS + 4, axes);
    bool has_factor = operation < 2 && variant != VARIANT_reduce_f32;
    put_word(bytes, CONSTANTS + 8, has_factor ? INT32_MAX : 0);
    put_word(bytes, CONSTANTS + 12, 0);
}

static void check_reduces(void) {
    enum { OPERATION = CONSTANTS, AXES = CONSTANTS + 4, MULTIPLIER = CONSTANTS + 8, SHIFT = CONSTANTS + 12 };
    enum { MEAN, SUM, MAX, MIN };
    static const struct {
        const char *what;
        variant_t variant;
        uint32_t operation, at, word;
        anne_status_t expected;
    } cases[] = {
        {"a reduce of 5 words", VARIANT_reduce_f32, MAX, RECORD, 11 | 28 << 16, ANNE_ERROR_LAYER},
        {"operation -1", VARIANT_reduce_f32, MAX, OPERATION, -1u, ANNE_ERROR_PARAMETER},
        {"operation 4", VARIANT_reduce_f32, MAX, OPERATION, 4, ANNE_ERROR_PARAMETER},
        {"no axes", VARIANT_reduce_f32, MAX, AXES, 0, ANNE_ERROR_PARAMETER},
        {"axes of three", VARIANT_reduce_f32, MAX, AXES, 4, ANNE_ERROR_PARAMETER},
        {"the other axis", VARIANT_reduce_f32, MAX, AXES, 2, ANNE_ERROR_SHAPE},
        {"both axes", VARIANT_reduce_f32, MAX, AXES, 3, ANNE_ERROR_SHAPE},
        {"an element too many", VARIANT_reduce_f32, MAX, Y + SHAPE, 4, ANNE_ERROR_SHAPE},
        {"another scale of the greatest", VARIANT_reduce_s16, MAX, Y + SCALE, 0x3b000000, ANNE_ERROR_SHAPE},
        {"another zero_point of the least", VARIANT_reduce_s8, MIN, Y + ZERO_POINT, 8, ANNE_ERROR_SHAPE},
        {"another scale of a mean", VARIANT_reduce_s8, MEAN, Y + SCALE, 0x3b000000, ANNE_OK},
        {"another zero_point of a sum", VARIANT_reduce_s8, SUM, Y + ZERO_POINT, 8, ANNE_OK},
        {"the least factor", VARIANT_reduce_s8, MEAN, SHIFT, -31u, ANNE_OK},
        {"the greatest factor", VARIANT_reduce_s8, MEAN, SHIFT, 15, ANNE_OK},
        {"a factor below 0", VARIANT_reduce_s8, MEAN, MULTIPLIER, -1u, ANNE_ERROR_PARAMETER},
        {"a shift of 16", VARIANT_reduce_s16, SUM, SHIFT, 16, ANNE_ERROR_PARAMETER},
        {"a shift of -32", VARIANT_reduce_s16, SUM, SHIFT, -32u, ANNE_ERROR_PARAMETER},
        {"a factor of a sum of floats", VARIANT_reduce_f32, SUM, MULTIPLIER, 1, ANNE_ERROR_PARAMETER},
        {"a factor of the greatest", VARIANT_reduce_s8, MAX, MULTIPLIER, 1, ANNE_ERROR_PARAMETER},
        {"a shift of the greatest", VARIANT_reduce_s8, MAX, SHIFT, 1, ANNE_ERROR_PARAMETER},
        {"a shift below 0 of the greatest", VARIANT_reduce_s8, MAX, SHIFT, -1u, ANNE_ERROR_PARAMETER},
    };
    for (uint32_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        new_reduce(cases[i].variant, cases[i].operation, 1);
        anne_status_t before = status_now();
        put_word(bytes, cases[i].at, cases[i].word);
        anne_status_t status = status_now();
        CHECK(before == ANNE_OK && status == cases[i].expected, "%s: status %d, expected %d", cases[i].what, status,
              cases[i].expected);
    }
    new_reduce(VARIANT_reduce_f32, MAX, 3);
    EXPECT(ANNE_OK);
    new_reduce(VARIANT_reduce_f32, MAX, 1);
    bytes[Y + 2] = 2; // 3 by 1
    put_word(bytes, Y + SHAPE + 4, 1);
    EXPECT(ANNE_ERROR_SHAPE);
    new_reduce(VARIANT_reduce_f32, MAX, 1);
    bytes[Y] = ANNE_INT8;
    EXPECT(ANNE_ERROR_SHAPE);
}

// Sums of int16: one element more would not fit.
static void check_long_sums(void) {
    for (uint32_t n = 65535; n <= 65536; n++) {
        new_reduce(VARIANT_reduce_s16, 1, 3);
        put_word(bytes, ARENA_BYTES, 1 << 18);
        put_word(bytes, X + SHAPE, 1);
        put_word(bytes, X + SHAPE + 4, n);
        put_word(bytes, Y + ARENA_OFFSET, 1 << 17 | 1 << 10);
        EXPECT(n == 65535 ? ANNE_OK : ANNE_ERROR_SHAPE);
        put_word(bytes, CONSTANTS, 2); // the greatest of them
        put_word(bytes, CONSTANTS + 8, 0);
        EXPECT(ANNE_OK);
    }
}

static void check_norms(void) {
    enum { EPSILON = CONSTANTS + 16 };
    static const fault_t norms[] = {
        {"a norm with one constant", VARIANT_layer_norm, COUNTS, COUNTS_OF(1, 1, 1, 0), ANNE_ERROR_LAYER},
        {"a norm to int8", VARIANT_layer_norm, Y, TYPES(2, 2, 1, 0), ANNE_ERROR_SHAPE},
        {"a norm of int8", VARIANT_layer_norm, X, TYPES(2, 1, 1, 0), ANNE_ERROR_SHAPE},
        {"a norm to another length", VARIANT_layer_norm, Y + SHAPE, 4, ANNE_ERROR_SHAPE},
        {"epsilon 0", VARIANT_layer_norm, EPSILON, 0, ANNE_ERROR_PARAMETER},
        {"a denormal epsilon", VARIANT_layer_norm, EPSILON, 0x007fffff, ANNE_ERROR_PARAMETER},
        {"an infinite epsilon", VARIANT_layer_norm, EPSILON, 0x7f800000, ANNE_ERROR_PARAMETER},
        {"epsilon NaN", VARIANT_layer_norm, EPSILON, 0x7fc00000, ANNE_ERROR_PARAMETER},
        {"gamma of four", VARIANT_layer_norm, CONSTANTS + 4, 16, ANNE_ERROR_CONSTANT},
        {"beta of four", VARIANT_layer_norm, CONSTANTS + 12, 16, ANNE_ERROR_CONSTANT},
        {"an arg_max with a constant", VARIANT_arg_max_f32, COUNTS, COUNTS_OF(1, 1, 1, 0), ANNE_ERROR_LAYER},
        {"where in floats as int16", VARIANT_arg_max_f32, Y, TYPES(3, 2, 1, 0), ANNE_ERROR_SHAPE},
        {"where in int8 as int8", VARIANT_arg_max_s8, Y, TYPES(2, 2, 1, 0), ANNE_ERROR_SHAPE},
        {"where in units of 2", VARIANT_arg_max_s16, Y + SCALE, 0x40000000, ANNE_ERROR_SHAPE},
        {"two places in a row", VARIANT_arg_max_s8, Y + SHAPE, 2, ANNE_ERROR_SHAPE},
    };
    for (uint32_t i = 0; i < sizeof norms / sizeof norms[0]; i++) {
        new_file(norms[i].variant, 5, 0);
        anne_status_t before = status_now();
        put_word(bytes, norms[i].at, norms[i].word);
        anne_status_t status = status_now();
        CHECK(before == ANNE_OK && status == norms[i].expected, "%s: status %d, expected %d", norms[i].what, status,
              norms[i].expected);
    }
}

// Rows of a norm, whose squares are summed; of an arg_max, whose numbers an int16 holds; and shapes of those.
static void check_long_rows(void) {
    for (uint32_t n = 65536; n <= 65537; n++) {
        new_file(VARIANT_layer_norm, n, 0);
        EXPECT(n == 65536 ? ANNE_OK : ANNE_ERROR_SHAPE);
    }
    for (uint32_t n = 32768; n <= 32769; n++) {
        new_file(VARIANT_arg_max_f32, n, 0);
        EXPECT(ANNE_OK);
        new_file(VARIANT_arg_max_s16, n, 0);
        EXPECT(n == 32768 ? ANNE_OK : ANNE_ERROR_SHAPE);
    }
    new_file(VARIANT_arg_max_f32, 5, 0); // a word of parameters
    put_word(bytes, RECORD, 25 | 20 << 16);
    put_word(bytes, LAYERS_BYTES, 20);
    put_word(bytes, n_bytes, 0);
    n_bytes += 4;
    put_word(bytes, TOTAL_BYTES, n_bytes);
    EXPECT(ANNE_ERROR_LAYER);
    shape_t shape = {.variant = VARIANT_arg_max_s8, .rank = 3, .shape = {2, 3, 4}};
    make_model_seed(1);
    n_bytes = make_model(bytes, ROOM, &shape);
    EXPECT(ANNE_OK);
    put_word(bytes, Y + SHAPE + 4, 2); // 2 by 2
    EXPECT(ANNE_ERROR_SHAPE);
    put_word(bytes, Y + SHAPE + 4, 0); // 2
    bytes[Y + 2] = 1;
    EXPECT(ANNE_ERROR_SHAPE);
    new_file(VARIANT_arg_max_s8, 5, 0);
    bytes[Y + 2] = 2; // 1 by 1
    put_word(bytes, Y + SHAPE + 4, 1);
    EXPECT(ANNE_ERROR_SHAPE);
}

static void check_many_constants(void) { // more than 2^24 bytes, all of them in the file
    new_file(VARIANT_table_s8, 5, 0);
    uint32_t more = (1u << 24) + 4 - word_at(bytes, DATA_BYTES);
    memset(bytes + n_bytes, 0, more);
    n_bytes += more;
    put_word(bytes, TOTAL_BYTES, n_bytes);
    put_word(bytes, DATA_BYTES, (1u << 24) + 4);
    EXPECT(ANNE_OK);
    put_word(bytes, CONSTANTS + 4, (1u << 24) + 4);
    EXPECT(ANNE_ERROR_CONSTANT);
}

// --- Metadata -------------------------------------------------------------------------------------------------------

// Puts an entry before all others.
static void add_entry(uint32_t tag, const void *content, uint32_t content_bytes) {
    uint32_t at = X + 32 * word_at(bytes, N_TENSORS) + word_at(bytes, LAYERS_BYTES),
             more = 8 + (content_bytes + 3) / 4 * 4;
    memmove(bytes + at + more, bytes + at, n_bytes - at);
    memset(bytes + at, 0, more);
    put_word(bytes, at, tag);
    put_word(bytes, at + 4, content_bytes);
    memcpy(bytes + at + 8, content, content_bytes);
    n_bytes += more;
    put_word(bytes, TOTAL_BYTES, n_bytes);
    put_word(bytes, METADATA_BYTES, word_at(bytes, METADATA_BYTES) + more);
}

typedef struct {
    const char *what;
    anne_tag_t tag;
    uint32_t n_bytes;
    const char *content;
    anne_status_t expected;
} metadata_t;

#define BAD     ANNE_ERROR_METADATA
#define TEXT(t) sizeof t - 1, t

// of a scaling from 5 float32 to 5 int8
static const metadata_t entries[] = {
    {"a name", ANNE_TAG_name, TEXT("x"), ANNE_OK},
    {"an empty name", ANNE_TAG_name, TEXT(""), BAD},
    {"a name of bytes", ANNE_TAG_name, TEXT("\xff"), BAD},
    {"5 labels", ANNE_TAG_labels, TEXT("a\nb\nc\nd\ne"), ANNE_OK},
    {"4 labels", ANNE_TAG_labels, TEXT("a\nb\nc\nd"), BAD},
    {"6 labels", ANNE_TAG_labels, TEXT("a\nb\nc\nd\ne\n"), BAD},
    {"labels of bytes", ANNE_TAG_labels, TEXT("a\nb\nc\nd\n\xff"), BAD},
    {"5 features", ANNE_TAG_feature_names, TEXT("\n\n\n\n"), ANNE_OK},
    {"1 feature", ANNE_TAG_feature_names, TEXT("a"), BAD},
    {"1 layer", ANNE_TAG_layer_names, TEXT("a"), ANNE_OK},
    {"2 layers", ANNE_TAG_layer_names, TEXT("a\nb"), BAD},
    {"1 input", ANNE_TAG_input_names, TEXT("a"), ANNE_OK},
    {"2 inputs", ANNE_TAG_input_names, TEXT("a\nb"), BAD},
    {"1 output", ANNE_TAG_output_names, TEXT("a"), ANNE_OK},
    {"2 outputs", ANNE_TAG_output_names, TEXT("a\nb"), BAD},
    {"threshold 1", ANNE_TAG_threshold, TEXT("\0\0\x80\x3f"), ANNE_OK},
    {"an infinite threshold", ANNE_TAG_threshold, TEXT("\0\0\x80\x7f"), BAD},
    {"a threshold of 3 bytes", ANNE_TAG_threshold, TEXT("\0\0\x80"), BAD},
    {"golden inputs alone", ANNE_TAG_golden_inputs, TEXT("12345678901234567890"), BAD},
    {"half an input", ANNE_TAG_golden_inputs, TEXT("1234567890"), BAD},
    {"golden outputs alone", ANNE_TAG_golden_outputs, TEXT("12345"), BAD},
    {"half an output", ANNE_TAG_golden_outputs, TEXT("123"), BAD},
    {"an unknown tag", ANNE_TAG_END, TEXT(""), ANNE_OK},
    {"tag 0", ANNE_TAG_none, TEXT(""), ANNE_OK},

    {"the first of each length", ANNE_TAG_provenance, TEXT("\x01\xc2\x80\xe0\xa0\x80\xf0\x90\x80\x80"), ANNE_OK},
    {"the last of each length", ANNE_TAG_provenance, TEXT("\x7f\xdf\xbf\xef\xbf\xbf\xf4\x8f\xbf\xbf"), ANNE_OK},
    {"beside the surrogates", ANNE_TAG_provenance, TEXT("\xed\x9f\xbf\xee\x80\x80"), ANNE_OK},
    {"a byte that continues nothing", ANNE_TAG_provenance, TEXT("\x80"), BAD},
    {"one that is never used", ANNE_TAG_provenance, TEXT("\xf8\x88\x80\x80\x80"), BAD},
    {"two bytes cut off", ANNE_TAG_provenance, TEXT("a\xc3"), BAD},
    {"four bytes cut off", ANNE_TAG_provenance, TEXT("\xf0\x9f\x98"), BAD},
    {"no continuation", ANNE_TAG_provenance, TEXT("\xe2\x82\n"), BAD},
    {"two bytes for one", ANNE_TAG_provenance, TEXT("\xc1\xbf"), BAD},
    {"three bytes for two", ANNE_TAG_provenance, TEXT("\xe0\x9f\xbf"), BAD},
    {"four bytes for three", ANNE_TAG_provenance, TEXT("\xf0\x8f\xbf\xbf"), BAD},
    {"the first surrogate", ANNE_TAG_provenance, TEXT("\xed\xa0\x80"), BAD},
    {"the last surrogate", ANNE_TAG_provenance, TEXT("\xed\xbf\xbf"), BAD},
    {"beyond U+10FFFF", ANNE_TAG_provenance, TEXT("\xf4\x90\x80\x80"), BAD},
};

static void check_entries(void) {
    for (uint32_t i = 0; i < sizeof entries / sizeof entries[0]; i++) {
        const metadata_t *entry = &entries[i];
        new_file(VARIANT_scaling_s8, 5, 0);
        add_entry(entry->tag, entry->content, entry->n_bytes);
        anne_status_t status = status_now();
        CHECK(status == entry->expected, "%s: status %d, expected %d", entry->what, status, (int)entry->expected);
    }
}

// Inputs of 1 and 2 floats, outputs of 2, 1 and 1.
static void new_file_of_several(void) {
    graph_t graph = {0};
    uint32_t a = add_vector(&graph, ANNE_ROLE_INPUT, 1, 0), b = add_vector(&graph, ANNE_ROLE_INPUT, 2, 1);
    uint32_t c = add_vector(&graph, ANNE_ROLE_OUTPUT, 2, 3), d = add_vector(&graph, ANNE_ROLE_OUTPUT, 1, 5);
    add_node(&graph, (node_t){ANNE_KIND_activation, 1, 1, {b, c}, ANNE_ACTIVATION_relu});
    uint32_t e = add_vector(&graph, ANNE_ROLE_OUTPUT, 1, 6);
    add_node(&graph, (node_t){ANNE_KIND_activation, 1, 1, {a, d}, ANNE_ACTIVATION_relu});
    add_node(&graph, (node_t){ANNE_KIND_add, 2, 1, {a, d, e}, ANNE_ACTIVATION_linear});
    n_bytes = write_graph(bytes, &graph);
}

static const metadata_t entries_of_several[] = {
    {"2 input names", ANNE_TAG_input_names, TEXT("a\nb"), ANNE_OK},
    {"1 input name", ANNE_TAG_input_names, TEXT("a"), BAD},
    {"3 input names", ANNE_TAG_input_names, TEXT("a\nb\nc"), BAD},
    {"3 output names", ANNE_TAG_output_names, TEXT("a\nb\nc"), ANNE_OK},
    {"2 output names", ANNE_TAG_output_names, TEXT("a\nb"), BAD},
    {"features of both inputs", ANNE_TAG_feature_names, TEXT("a\nb\nc"), ANNE_OK},
    {"features of one input", ANNE_TAG_feature_names, TEXT("a"), BAD},
    {"labels of the first output", ANNE_TAG_labels, TEXT("a\nb"), BAD},
    {"labels of all outputs", ANNE_TAG_labels, TEXT("a\nb\nc\nd"), BAD},
    {"a threshold, as if one output were meant", ANNE_TAG_threshold, TEXT("\0\0\x80\x3f"), BAD},
    {"half an input", ANNE_TAG_golden_inputs, TEXT("1234"), BAD},
    {"half an output", ANNE_TAG_golden_outputs, TEXT("12345678"), BAD},
};

static void check_entries_of_several(void) {
    static const char samples[32] = {0};
    for (uint32_t i = 0; i < sizeof entries_of_several / sizeof entries_of_several[0]; i++) {
        const metadata_t *entry = &entries_of_several[i];
        new_file_of_several();
        EXPECT(ANNE_OK);
        add_entry(entry->tag, entry->content, entry->n_bytes);
        anne_status_t status = status_now();
        CHECK(status == entry->expected, "%s: status %d, expected %d", entry->what, status, (int)entry->expected);
    }
    new_file_of_several();
    add_entry(ANNE_TAG_golden_inputs, samples, 2 * 12);
    add_entry(ANNE_TAG_golden_outputs, samples, 2 * 16);
    EXPECT(ANNE_OK);
    new_file_of_several();
    add_entry(ANNE_TAG_golden_inputs, samples, 2 * 12);
    add_entry(ANNE_TAG_golden_outputs, samples, 16);
    EXPECT(ANNE_ERROR_METADATA);
}

static void check_metadata(void) {
    static const char samples[40] = {0};
    new_file(VARIANT_scaling_s8, 5, 0);
    add_entry(ANNE_TAG_golden_inputs, samples, 2 * 20);
    add_entry(ANNE_TAG_golden_outputs, samples, 2 * 5);
    EXPECT(ANNE_OK);
    add_entry(ANNE_TAG_golden_outputs, samples, 2 * 5); // again
    EXPECT(ANNE_ERROR_METADATA);

    new_file(VARIANT_scaling_s8, 5, 0);
    add_entry(ANNE_TAG_provenance, "1234", 4);
    uint32_t at = RECORD + word_at(bytes, LAYERS_BYTES);
    put_word(bytes, at + 4, 5); // more than there is
    EXPECT(ANNE_ERROR_METADATA);
    memmove(bytes + at + 4, bytes + at + 12, n_bytes - at - 12); // a word, which is no entry
    n_bytes -= 8;
    put_word(bytes, TOTAL_BYTES, n_bytes);
    put_word(bytes, METADATA_BYTES, 4);
    EXPECT(ANNE_ERROR_METADATA);

    char name[ANNE_MAX_NAME_BYTES + 1];
    memset(name, 'x', sizeof name);
    new_file(VARIANT_scaling_s8, 5, 0);
    add_entry(ANNE_TAG_name, name, ANNE_MAX_NAME_BYTES);
    EXPECT(ANNE_OK);
    new_file(VARIANT_scaling_s8, 5, 0);
    add_entry(ANNE_TAG_name, name, ANNE_MAX_NAME_BYTES + 1);
    EXPECT(ANNE_ERROR_METADATA);

    new_file(VARIANT_dense_f32, 5, 1); // one output has two labels
    add_entry(ANNE_TAG_labels, "no\nyes", 6);
    EXPECT(ANNE_OK);
    new_file(VARIANT_dense_f32, 5, 1);
    add_entry(ANNE_TAG_labels, "no", 2);
    EXPECT(ANNE_ERROR_METADATA);
}

int main(void) {
    bytes = exactly(ROOM);
    check_entries();
    check_entries_of_several();
    check_metadata();
    check_faults();
    check_short_files();
    check_crc();
    check_odd_sections();
    check_too_wide();
    check_constants();
    check_ranks();
    check_graphs();
    check_factors();
    check_windows();
    check_groups();
    check_add_counts();
    check_broadcasts();
    check_smaller_in_place();
    check_infinite_constant();
    check_floats_to_floats();
    check_counts();
    check_pools();
    check_large_windows();
    check_reduces();
    check_long_sums();
    check_norms();
    check_long_rows();
    check_many_constants();
    check_moves();
    check_depthwise();
    free(bytes);
    return 0;
}
