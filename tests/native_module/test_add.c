// Sums of two vectors: integers against TensorFlow Lite Micro's arithmetic in its own words, and worked by hand.
#include <math.h>

#include "graph_files.h"
#include "kernels/binary.h"
#include "model.h"

// gemmlowp's SaturatingRoundingDoublingHighMul and RoundingDivideByPOT, which TensorFlow Lite Micro adds with.
static int64_t high_mul(int64_t a, int64_t b) {
    int64_t nudge = a * b >= 0 ? 1 << 30 : 1 - (1 << 30);
    return (a * b + nudge) / ((int64_t)1 << 31);
}

static int64_t divide_by_pot(int64_t x, int32_t exponent) {
    int64_t mask = ((int64_t)1 << exponent) - 1, remainder = x & mask, threshold = (mask >> 1) + (x < 0);
    return (x >> exponent) + (remainder > threshold);
}

static int64_t scaled(int64_t x, anne_rescale_t factor) {
    return divide_by_pot(high_mul(x, factor.multiplier), -factor.shift);
}

static int64_t expected_of(const anne_binary_t *add, int32_t a, int32_t b, int32_t bits) {
    int64_t one = (int64_t)1 << bits;
    int64_t sum =
        scaled((a - add->a_zero_point) * one, add->a) + add->sign * scaled((b - add->b_zero_point) * one, add->b);
    CHECK(-(1 << 30) <= sum && sum < 1 << 30, "%d + %d leaves 31 bits", a, b);
    int64_t y = scaled(sum, add->whole) + add->output.zero_point;
    return y < add->output.least ? add->output.least : y > add->output.most ? add->output.most : y;
}

static void add_all(anne_binary_kernel_t *kernel, const anne_binary_t *how, const void *a, const void *b, uint32_t n,
                    void *y) {
    const anne_row_t row = {a, b, y, n, 1, 1};
    kernel(how, &row);
}

static anne_rescale_t any_factor(int32_t most_shift) {
    anne_rescale_t factor = {any_of(0, 9) > 0 ? any_of(1 << 30, INT32_MAX) : any_of(0, INT32_MAX),
                             any_of(any_of(0, 3) > 0 ? -4 : -31, most_shift)};
    if (any_of(0, 9) == 0) { // the greatest
        factor = most_shift < 0 ? (anne_rescale_t){1 << 30, 0} : (anne_rescale_t){INT32_MAX, 0};
    }
    return factor;
}

// The sum's shift is such that results fill their type, most of the time.
static anne_binary_t any_add(int32_t least, int32_t most, int32_t bits) {
    bool s8 = bits == ANNE_ADD_BITS_S8;
    anne_binary_t add = {
        .sign = any_of(0, 1) ? 1 : -1,
        .a_zero_point = s8 ? any_of(-128, 127) : 0,
        .b_zero_point = s8 ? any_of(-128, 127) : 0,
        .a = any_factor(-1),
        .b = any_factor(-1),
        .whole = any_factor(0),
        .output = {s8 ? any_of(-128, 127) : 0, any_of(least, 0), any_of(0, most)},
    };
    if (any_of(0, 4) > 0) {
        add.whole.shift = 1 - bits + any_of(-1, 2);
        add.output.least = least, add.output.most = most;
    }
    return add;
}

// All pairs there are.
static void check_s8(void) {
    anne_binary_t add = any_add(-128, 127, ANNE_ADD_BITS_S8);
    int8_t *a = exactly(65536), *b = exactly(65536), *y = exactly(65536);
    for (int32_t i = 0; i < 65536; i++) {
        a[i] = (int8_t)(i >> 8), b[i] = (int8_t)i;
    }
    add_all(anne_add_s8, &add, a, b, 65536, y);
    for (int32_t i = 0; i < 65536; i++) {
        int64_t expected = expected_of(&add, a[i], b[i], ANNE_ADD_BITS_S8);
        CHECK(y[i] == expected, "%d + %d: %d, expected %lld", a[i], b[i], y[i], (long long)expected);
    }
    add_all(anne_add_s8, &add, a, b, 65536, b);
    CHECK(memcmp(b, y, 65536) == 0, "in place");
    free(a), free(b), free(y);
}

static void check_s16(void) {
    static const int16_t special[] = {-32768, -32767, -1, 0, 1, 32767};
    enum { N = 2000 };
    anne_binary_t add = any_add(-32768, 32767, ANNE_ADD_BITS_S16);
    int16_t *a = exactly(N * 2), *b = exactly(N * 2), *y = exactly(N * 2);
    for (int32_t i = 0; i < N; i++) {
        a[i] = (int16_t)(i < 36 ? special[i / 6] : any_of(-32768, 32767));
        b[i] = (int16_t)(i < 36 ? special[i % 6] : any_of(-32768, 32767));
    }
    add_all(anne_add_s16, &add, a, b, N, y);
    for (int32_t i = 0; i < N; i++) {
        int64_t expected = expected_of(&add, a[i], b[i], ANNE_ADD_BITS_S16);
        CHECK(y[i] == expected, "%d + %d: %d, expected %lld", a[i], b[i], y[i], (long long)expected);
    }
    add_all(anne_add_s16, &add, a, b, N, a);
    CHECK(memcmp(a, y, N * 2) == 0, "in place");
    free(a), free(b), free(y);
}

// The least and the greatest sums and factors there can be.
static void check_extremes(void) {
    static const anne_rescale_t factors[] = {{1 << 30, 0},     {INT32_MAX, -1}, {INT32_MAX - 0xffff, -1},
                                             {INT32_MAX, -31}, {0xffff, -1},    {0, 0}};
    static const anne_rescale_t sums[] = {{INT32_MAX, 0}, {INT32_MAX, -1}, {INT32_MAX, -15}, {INT32_MAX, -31},
                                          {1 << 30, -14}, {0xffff, 0},     {0, -31}};
    static const int16_t values[] = {-32768, -32767, -16385, -1, 0, 1, 16383, 32766, 32767};
    for (uint32_t i = 0; i < 2 * 6 * 6 * 7 * 9 * 9; i++) {
        int32_t sign = i & 1 ? 1 : -1;
        anne_binary_t add = {
            sign, 0, 0, 1, factors[i / 2 % 6], factors[i / 12 % 6], sums[i / 72 % 7], {0, -32768, 32767}};
        int16_t a = values[i / 504 % 9], b = values[i / 504 / 9], y;
        add_all(anne_add_s16, &add, &a, &b, 1, &y);
        int64_t expected = expected_of(&add, a, b, ANNE_ADD_BITS_S16);
        CHECK(y == expected, "%u: %d + %d: %d, expected %lld", i, a, b, y, (long long)expected);
    }
}

// Scales of 1/2 and 1/4 to one of 1. Twice the greater is 1, so the factors are 1/2 = 2^30 2^(0 - 31),
// 1/4 = 2^30 2^(-1 - 31) and 2^-20 = 2^30 2^(-19 - 31).
static void check_by_hand(void) {
    anne_binary_t add = {1, 10, -3, 1, {1 << 30, 0}, {1 << 30, -1}, {1 << 30, -19}, {-5, -60, 50}};
    static const struct {
        int8_t a, b, y;
    } sums[] = {
        {10, -3, -5},      // 0 + 0
        {13, 0, -3},       // 1.5 + 0.75 = 2.25
        {15, -3, -2},      // 2.5, half a step, away from zero
        {5, -3, -8},       // -2.5
        {14, 3, -1},       // 2 + 1.5 = 3.5
        {127, 127, 50},    // 58.5 + 32.5 is cut
        {-128, -128, -60}, // -69 - 31.25 too
    };
    for (uint32_t i = 0; i < sizeof sums / sizeof sums[0]; i++) {
        int8_t y;
        add_all(anne_add_s8, &add, &sums[i].a, &sums[i].b, 1, &y);
        CHECK(y == sums[i].y, "%d + %d: %d, expected %d", sums[i].a, sums[i].b, y, sums[i].y);
    }
    // the same with 15 bits behind the point: 2^-15 = 2^30 2^(-14 - 31); 1000 / 2 + 3 / 4
    anne_binary_t wide = {1, 0, 0, 1, {1 << 30, 0}, {1 << 30, -1}, {1 << 30, -14}, {0, -32768, 32767}};
    int16_t a = 1000, b = 3, y;
    add_all(anne_add_s16, &wide, &a, &b, 1, &y);
    CHECK(y == 501, "%d", y);
}

static void check_f32(void) {
    static const struct {
        float a, b, y;
    } sums[] = {
        {1, 2, 3},
        {0x1p24f, 1, 0x1p24f}, // halfway, to even
        {0x1.000002p24f, 1, 0x1.000004p24f},
        {0x1p127f, 0x1p127f, INFINITY},
        {INFINITY, -INFINITY, NAN},
        {NAN, 1, NAN},
        {0x1p-127f, 0x1p-127f, 0}, // denormals count as 0
        {0x1p-126f, 0x1p-127f, 0x1p-126f},
        {0x1.8p-126f, -0x1p-126f, 0}, // and a sum that is one becomes 0
        {-0.0f, -0.0f, -0.0f},
    };
    static const anne_binary_t plus = {.sign = 1}, minus = {.sign = -1};
    for (uint32_t i = 0; i < sizeof sums / sizeof sums[0]; i++) {
        float a = sums[i].a, b = sums[i].b, y = sums[i].y;
        add_all(anne_add_f32, &plus, &a, &b, 1, &a); // in place
        bool same = isnan(y) ? isnan(a) : memcmp(&a, &y, sizeof y) == 0;
        CHECK(same, "%a + %a: %a, expected %a", sums[i].a, b, a, y);
        a = sums[i].a, b = -b;
        add_all(anne_add_f32, &minus, &a, &b, 1, &b);
        same = isnan(y) ? isnan(b) : memcmp(&b, &y, sizeof y) == 0;
        CHECK(same, "%a - %a: %a, expected %a", a, -sums[i].b, b, y);
    }
}

// The layer takes zero points from its tensors, and factors and limits in the order of FORMAT.md: half of a, a quarter
// of b, and 2^-18 of the sum, so that y = a - 10 + (b + 3) / 2 - 5.
static void check_layer(void) {
    graph_t graph = {0};
    static const int32_t zero_points[] = {10, -3, -5};
    for (uint32_t t = 0; t < 3; t++) {
        add_vector(&graph, t < 2 ? ANNE_ROLE_INPUT : ANNE_ROLE_OUTPUT, 4, t);
        graph.tensors[t].dtype = ANNE_INT8;
        graph.tensors[t].zero_point = zero_points[t];
    }
    add_node(&graph, (node_t){ANNE_KIND_add, 2, 1, {0, 1, 2}, ANNE_ACTIVATION_linear});
    uint8_t bytes[512];
    uint32_t n_bytes = write_graph(bytes, &graph), factors = 48 + 3 * 32 + 20;
    put_word(bytes, factors + 12, (uint32_t)-1); // the shift of b
    put_word(bytes, factors + 24, (uint32_t)-60);
    put_word(bytes, factors + 28, 50);
    make_good(bytes, n_bytes);
    anne_model_t model;
    anne_status_t status = anne_model_open(&model, bytes, n_bytes);
    CHECK(status == ANNE_OK, "status %d", status);
    model.workspace = exactly(model.workspace_bytes);
    anne_model_prepare(&model);
    static const int8_t sample[] = {10, 30, 127, -128, -3, 5, 127, -128}, expected[] = {-5, 19, 50, -60};
    int8_t y[4];
    anne_model_put_inputs(&model, sample);
    anne_model_run(&model);
    anne_model_get_outputs(&model, y);
    for (uint32_t i = 0; i < 4; i++) {
        CHECK(y[i] == expected[i], "%u: %d, expected %d", i, y[i], expected[i]);
    }
    free(model.workspace);
}

int main(void) {
    check_by_hand();
    check_layer();
    check_extremes();
    check_f32();
    for (uint32_t i = 0; i < 60; i++) {
        check_s8();
        check_s16();
    }
    return 0;
}
