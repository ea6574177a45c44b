// Weights in rows: the checks of each layout's constants, one after another; a table of them at the end.
#include "layers/layouts.h"

#include "kernels/dense_f32_aligned.h"
#include "kernels/dense_s16.h"
#include "kernels/dense_s4.h"
#include "kernels/dense_s8.h"
#include "layers/checks.h"
#include "layers/rows.h"

// Rows of weights, of `groups` groups: each n_out rows of n_in, packed for itself.
typedef struct {
    uint32_t n_in;
    uint32_t n_out;
    uint32_t groups;
} rows_t;

static uint64_t words_f32(uint32_t n_in, uint32_t n_out) {
    return (uint64_t)n_in * n_out;
}

static anne_status_t check_f32(const anne_record_t *record, const rows_t *rows) {
    if (anne_check_floats(record, 0, words_f32(rows->n_in, rows->n_out) * rows->groups) != ANNE_OK) {
        return ANNE_ERROR_CONSTANT;
    }
    return anne_check_floats(record, 1, (uint64_t)rows->n_out * rows->groups);
}

// --- Aligned floats. Constants: weights, bias (float32), exponents (int32).

static anne_status_t check_f32_aligned(const anne_record_t *record, const rows_t *rows) {
    uint32_t n_out = rows->n_out * rows->groups;
    if (anne_check_floats(record, 1, n_out) != ANNE_OK
        || anne_check_constant(record, 2, (uint64_t)n_out * sizeof(int32_t)) != ANNE_OK) {
        return ANNE_ERROR_CONSTANT;
    }
    const uint32_t *weights = record->constants[0];
    for (uint32_t i = 0; i < record->constant_bytes[0] / sizeof *weights; i++) {
        if (!anne_dense_f32_aligned_word_good(weights[i])) {
            return ANNE_ERROR_CONSTANT;
        }
    }
    const int32_t *exponents = record->constants[2];
    for (uint32_t r = 0; r < n_out; r++) {
        if (exponents[r] < ANNE_DENSE_F32_ALIGNED_MIN_EXPONENT || exponents[r] > ANNE_DENSE_F32_ALIGNED_MAX_EXPONENT) {
            return ANNE_ERROR_CONSTANT;
        }
    }
    return ANNE_OK;
}

// --- Integers. Constants: weights, bias (int32), factors (anne_rescale_t).

static anne_status_t check_s8_quad(const anne_record_t *record, const rows_t *rows) {
    return anne_check_rows(record, rows->n_out * rows->groups);
}

// The magnitudes of each row in each panel: see ANNE_DENSE_S4_HEAVIEST. Without a division for each weight, as a Pico
// divides for longer than it adds up eight.
static bool s4_rows_good(const uint32_t *weights, uint32_t n_in, uint32_t n_out, uint32_t panel) {
    for (uint32_t first = 0; first < n_in; first += panel) {
        uint32_t columns = n_in - first < panel ? n_in - first : panel;
        for (uint32_t r = 0; r < n_out; r++) {
            uint32_t sum = 0;
            for (uint32_t j = 0; j < columns; j++) {
                int32_t w = (int32_t)(weights[j] >> r % 8 * 4 & 15) - 8;
                sum += (uint32_t)(w < 0 ? -w : w);
            }
            if (sum > ANNE_DENSE_S4_HEAVIEST) {
                return false;
            }
            if (r % 8 == 7 || r + 1 == n_out) {
                weights += anne_dense_s4_columns(columns);
            }
        }
    }
    return true;
}

// A fourth constant: columns of a panel.
static anne_status_t check_s4(const anne_record_t *record, const rows_t *rows) {
    if (anne_check_constant(record, 3, sizeof(int32_t)) != ANNE_OK) {
        return ANNE_ERROR_CONSTANT;
    }
    uint32_t panel = *(const uint32_t *)record->constants[3];
    if (panel == 0 || panel % 4 != 0 || panel > ANNE_DENSE_S4_MAX_IN) {
        return ANNE_ERROR_CONSTANT;
    }
    const uint32_t *weights = record->constants[0];
    for (uint32_t group = 0; group < rows->groups; group++) {
        if (!s4_rows_good(weights, rows->n_in, rows->n_out, panel)) {
            return ANNE_ERROR_CONSTANT;
        }
        weights += anne_dense_s4_words(rows->n_in, rows->n_out);
    }
    return anne_check_rows(record, rows->n_out * rows->groups);
}

// 32768 sum |w| + |bias| < 2^31 for each row. A sum of up to 2^20 times 2^15 fits 64 bits.
static bool s16_rows_good(const uint32_t *weights, const int32_t *bias, uint32_t n_in, uint32_t n_out) {
    for (uint32_t r = 0; r < n_out; r++) {
        int64_t sum = bias[r] < 0 ? -(int64_t)bias[r] : bias[r];
        for (uint32_t pair = 0; pair < anne_dense_s16_pairs(n_in); pair++) {
            uint32_t word = weights[anne_dense_s16_index(n_in, n_out, r, pair)];
            int32_t even = (int32_t)(word & 0xffff) - 32768, odd = (int16_t)(word >> 16);
            sum += (int64_t)((even < 0 ? -even : even) + (odd < 0 ? -odd : odd)) << 15;
        }
        if (sum > INT32_MAX) {
            return false;
        }
    }
    return true;
}

static anne_status_t check_s16(const anne_record_t *record, const rows_t *rows) {
    if (anne_check_rows(record, rows->n_out * rows->groups) != ANNE_OK) {
        return ANNE_ERROR_CONSTANT;
    }
    const uint32_t *weights = record->constants[0];
    const int32_t *bias = record->constants[1];
    for (uint32_t group = 0; group < rows->groups; group++) {
        if (!s16_rows_good(weights, bias, rows->n_in, rows->n_out)) {
            return ANNE_ERROR_CONSTANT;
        }
        weights += anne_dense_s16_words(rows->n_in, rows->n_out);
        bias += rows->n_out;
    }
    return ANNE_OK;
}

// --- int8 weights on floats. Constants: weights, bias (float32), scale (float32).

static anne_status_t check_s8_f32(const anne_record_t *record, const rows_t *rows) {
    uint32_t n_out = rows->n_out * rows->groups;
    return anne_check_floats(record, 1, n_out) == ANNE_OK ? anne_check_floats(record, 2, n_out) : ANNE_ERROR_CONSTANT;
}

// The numbers of FORMAT.md. `words` of weights, of at most `max_in` columns, are there when `check` begins, which
// proves what is in them and in the other constants.
typedef struct {
    uint8_t x_dtype;
    uint8_t y_dtype;
    uint8_t n_constants;
    anne_status_t (*check)(const anne_record_t *record, const rows_t *rows);
    uint64_t (*words)(uint32_t n_in, uint32_t n_out);
    uint32_t max_in;
} layout_t;

static const layout_t layouts[ANNE_LAYOUT_COUNT] = {
    [1] = {ANNE_FLOAT32, ANNE_FLOAT32, 2, check_f32, words_f32, UINT32_MAX},
    [2] = {ANNE_INT8, ANNE_INT8, 3, check_s8_quad, anne_dense_s8_words, ANNE_DENSE_S8_MAX_IN},
    [3] = {ANNE_INT8, ANNE_INT8, 4, check_s4, anne_dense_s4_words, ANNE_DENSE_S4_MAX_IN},
    [4] = {ANNE_FLOAT32, ANNE_FLOAT32, 3, check_s8_f32, anne_dense_s8_words, ANNE_DENSE_S8_MAX_IN},
    [5] = {ANNE_INT16, ANNE_INT16, 3, check_s16, anne_dense_s16_words, UINT32_MAX},
    [6] = {ANNE_FLOAT32, ANNE_FLOAT32, 3, check_f32_aligned, anne_dense_f32_aligned_words,
           ANNE_DENSE_F32_ALIGNED_MAX_IN},
};

uint64_t anne_layout_words(uint32_t layout, uint32_t n_in, uint32_t n_out) {
    return layouts[layout].words(n_in, n_out);
}

anne_status_t anne_check_layout(const anne_record_t *record, uint32_t at, uint32_t n_parameters) {
    if (record->n_inputs != 1 || record->n_outputs != 1 || record->n_parameters != n_parameters) {
        return ANNE_ERROR_LAYER;
    }
    const int32_t *parameters = record->parameters + at;
    uint32_t number = (uint32_t)parameters[0];
    if (number == ANNE_LAYOUT_none || number >= ANNE_LAYOUT_COUNT
        || record->n_constants != layouts[number].n_constants) {
        return ANNE_ERROR_LAYER;
    }
    if (record->input->dtype != layouts[number].x_dtype || record->output->dtype != layouts[number].y_dtype) {
        return ANNE_ERROR_SHAPE;
    }
    return anne_activation_good(record) && anne_limits_good(record->output->dtype, parameters[1], parameters[2])
               ? ANNE_OK
               : ANNE_ERROR_PARAMETER;
}

anne_status_t anne_check_weights(const anne_record_t *record, uint32_t layout, uint32_t n_in, uint32_t n_out,
                                 uint32_t groups) {
    const rows_t rows = {n_in, n_out, groups};
    if (n_in > layouts[layout].max_in
        || anne_check_constant(record, 0, layouts[layout].words(n_in, n_out) * groups * sizeof(uint32_t)) != ANNE_OK) {
        return ANNE_ERROR_CONSTANT;
    }
    return layouts[layout].check(record, &rows);
}

#ifdef ANNE_REPACKS
void anne_layout_repack(const anne_record_t *record, uint32_t layout, uint32_t n_in, uint32_t n_out, uint32_t groups,
                        bool back) {
    uint32_t *weights = (uint32_t *)(uintptr_t)record->constants[0]; // in RAM, and the model's own
    for (; groups > 0; groups--, weights += layouts[layout].words(n_in, n_out)) {
        if (layout == ANNE_LAYOUT_s16) {
            anne_dense_s16_repack(weights, n_in, n_out);
        } else {
            anne_dense_s8_repack(weights, n_in, n_out, back);
        }
    }
}
#endif
