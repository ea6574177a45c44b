// Two operands: an element of either goes with one of the other, or with several where it has but one on an axis.
#include "layers/binary.h"

#include "kernels/activations_f32.h"
#include "layers/checks.h"

// What is said of a constant, behind the kind's own parameters: which operand it is, its zero point, its shape.
enum { CONSTANT_SIDE, CONSTANT_ZERO_POINT, CONSTANT_SHAPE };

enum { A, B, Y, TENSORS };
typedef struct {
    uint32_t shapes[TENSORS][ANNE_MAX_RANK]; // with 1 in front of fewer axes
    uint32_t ranks[TENSORS];
    int32_t zero_points[TENSORS];
} operands_t;

// Begins layer->derived, behind the addresses of a, b and y. Axes on which the same operands are repeated are one; the
// last of them is a row. Steps from one element of an axis to the next are in bytes.
typedef struct {
    uint32_t sizes[ANNE_MAX_RANK];
    uint32_t steps[Y][ANNE_MAX_RANK];
    uint32_t element_bytes;
    anne_binary_t how;
} rows_t;

static rows_t *rows_of(const anne_layer_t *layer) {
    return (void *)((void **)layer->derived + TENSORS);
}

// --- Checks ---------------------------------------------------------------------------------------------------------

static bool has_constant(const anne_record_t *record) {
    return record->n_inputs == 1 && record->n_constants == 1;
}

static void take_tensor(operands_t *operands, uint32_t which, const anne_tensor_t *tensor) {
    uint32_t *shape = operands->shapes[which], first = ANNE_MAX_RANK - tensor->rank;
    for (uint32_t i = 0; i < ANNE_MAX_RANK; i++) {
        shape[i] = i < first ? 1 : tensor->shape[i - first];
    }
    operands->ranks[which] = tensor->rank;
    operands->zero_points[which] = tensor->zero_point;
}

// Its leading axes of 1 are none.
static void take_constant(operands_t *operands, uint32_t which, const int32_t *words) {
    uint32_t *shape = operands->shapes[which], rank = ANNE_MAX_RANK;
    for (uint32_t i = 0; i < ANNE_MAX_RANK; i++) {
        shape[i] = (uint32_t)words[CONSTANT_SHAPE + i];
    }
    while (rank > 1 && shape[ANNE_MAX_RANK - rank] == 1) {
        rank--;
    }
    operands->ranks[which] = rank;
    operands->zero_points[which] = words[CONSTANT_ZERO_POINT];
}

static operands_t operands_of(const anne_record_t *record, uint32_t n_parameters) {
    operands_t operands;
    uint32_t constant = TENSORS; // none
    if (has_constant(record)) {
        const int32_t *words = record->parameters + n_parameters;
        constant = (uint32_t)words[CONSTANT_SIDE];
        take_constant(&operands, constant, words);
    }
    for (uint32_t i = 0, position = 0; i < TENSORS; i++) {
        if (i != constant) {
            take_tensor(&operands, i, anne_record_tensor(record, position++));
        }
    }
    return operands;
}

static bool words_good(const int32_t *words, uint8_t dtype) {
    uint32_t room = ANNE_MAX_ELEMENTS;
    for (uint32_t i = 0; i < ANNE_MAX_RANK; i++) {
        uint32_t n = (uint32_t)words[CONSTANT_SHAPE + i];
        if (n < 1 || n > room) {
            return false;
        }
        room /= n;
    }
    int32_t zero_point = words[CONSTANT_ZERO_POINT];
    bool zero_good = dtype == ANNE_INT8 ? anne_limits_good(dtype, zero_point, zero_point) : zero_point == 0;
    return (words[CONSTANT_SIDE] == A || words[CONSTANT_SIDE] == B) && zero_good;
}

static anne_status_t check_constant(const anne_record_t *record, const int32_t *words) {
    uint32_t n = 1;
    for (uint32_t i = 0; i < ANNE_MAX_RANK; i++) {
        n *= (uint32_t)words[CONSTANT_SHAPE + i]; // at most 2^20
    }
    return record->input->dtype == ANNE_FLOAT32 ? anne_check_floats(record, 0, n)
                                                : anne_check_constant(record, 0, n * anne_item_bytes(record->input));
}

// Whether the output's shape is that of a and b, of which one may have 1 where the other has more.
static bool shapes_good(const operands_t *operands) {
    for (uint32_t i = 0; i < ANNE_MAX_RANK; i++) {
        uint32_t a = operands->shapes[A][i], b = operands->shapes[B][i];
        if ((a != b && a != 1 && b != 1) || operands->shapes[Y][i] != (a == 1 ? b : a)) {
            return false;
        }
    }
    uint32_t a = operands->ranks[A], b = operands->ranks[B];
    return operands->ranks[Y] == (a < b ? b : a);
}

anne_status_t anne_binary_check(const anne_record_t *record, uint32_t n_parameters, anne_needs_t *needs) {
    bool constant = has_constant(record);
    uint8_t dtype = record->input->dtype;
    n_parameters = dtype == ANNE_FLOAT32 ? 0 : n_parameters;
    if (record->n_inputs != (constant ? 1 : 2) || record->n_outputs != 1 || record->n_constants != constant
        || record->n_parameters != n_parameters + (constant ? ANNE_BINARY_CONSTANT_WORDS : 0)) {
        return ANNE_ERROR_LAYER;
    }
    const int32_t *words = record->parameters + n_parameters;
    if (anne_record_tensor(record, 1)->dtype != dtype || record->output->dtype != dtype) {
        return ANNE_ERROR_SHAPE;
    }
    if (constant && !words_good(words, dtype)) {
        return ANNE_ERROR_PARAMETER;
    }
    const operands_t operands = operands_of(record, n_parameters);
    if (!shapes_good(&operands)) {
        return ANNE_ERROR_SHAPE;
    }
    if (constant && check_constant(record, words) != ANNE_OK) {
        return ANNE_ERROR_CONSTANT;
    }
    needs->derived = (constant ? TENSORS : 0) + sizeof(rows_t) / sizeof(uint32_t);
    return anne_activation_good(record) ? ANNE_OK : ANNE_ERROR_PARAMETER;
}

// --- Rows -----------------------------------------------------------------------------------------------------------

static bool is_repeated(const operands_t *operands, uint32_t which, uint32_t axis) {
    return operands->shapes[which][axis] != operands->shapes[Y][axis];
}

// From the last axis to the first: one on which the same operands are repeated as on that behind makes it longer.
static void find_rows(const operands_t *operands, rows_t *rows) {
    uint32_t last = ANNE_MAX_RANK, steps[Y] = {rows->element_bytes, rows->element_bytes};
    bool repeated[Y] = {false, false};
    for (uint32_t i = 0; i < ANNE_MAX_RANK; i++) {
        rows->sizes[i] = 1;
        rows->steps[A][i] = rows->steps[B][i] = 0;
    }
    for (uint32_t axis = ANNE_MAX_RANK; axis-- > 0;) {
        uint32_t n = operands->shapes[Y][axis];
        if (n == 1) {
            continue;
        }
        bool as_behind = last < ANNE_MAX_RANK;
        for (uint32_t which = A; which <= B; which++) {
            as_behind = as_behind && repeated[which] == is_repeated(operands, which, axis);
            repeated[which] = is_repeated(operands, which, axis);
        }
        last -= as_behind ? 0 : 1;
        rows->sizes[last] *= n;
        for (uint32_t which = A; which <= B; which++) {
            rows->steps[which][last] = repeated[which] ? 0 : as_behind ? rows->steps[which][last] : steps[which];
            steps[which] *= operands->shapes[which][axis];
        }
    }
}

uint32_t anne_binary_prepare(const anne_layer_t *layer, const anne_record_t *record, uint32_t n_parameters,
                             anne_binary_t how) {
    bool is_float = layer->input->dtype == ANNE_FLOAT32, constant = has_constant(record);
    n_parameters = is_float ? 0 : n_parameters;
    const operands_t operands = operands_of(record, n_parameters);
    if (constant) { // with two inputs the addresses are there
        const void **addresses = layer->derived;
        bool first = record->parameters[n_parameters + CONSTANT_SIDE] == A;
        addresses[A] = first ? layer->constants[0] : layer->x;
        addresses[B] = first ? layer->x : layer->constants[0];
        addresses[Y] = layer->y;
    }
    if (!is_float) {
        const int32_t *limits = record->parameters + n_parameters - 2;
        how.output = (anne_output_t){operands.zero_points[Y], limits[0], limits[1]};
    }
    how.a_zero_point = operands.zero_points[A];
    how.b_zero_point = operands.zero_points[B];
    rows_t *rows = rows_of(layer);
    rows->element_bytes = anne_item_bytes(layer->output);
    rows->how = how;
    find_rows(&operands, rows);
    return (constant ? TENSORS : 0) + sizeof(rows_t) / sizeof(uint32_t);
}

void anne_binary_run(const anne_layer_t *layer, anne_binary_kernel_t *kernel) {
    const rows_t *rows = rows_of(layer);
    const uint8_t *const *addresses = layer->derived;
    const uint32_t *sizes = rows->sizes, *a_steps = rows->steps[A], *b_steps = rows->steps[B];
    anne_row_t row = {.y = layer->y, .n = sizes[3], .a_step = a_steps[3] > 0, .b_step = b_steps[3] > 0};
    for (uint32_t i = 0; i < sizes[0]; i++) {
        for (uint32_t j = 0; j < sizes[1]; j++) {
            const uint8_t *a = addresses[A] + i * a_steps[0] + j * a_steps[1];
            const uint8_t *b = addresses[B] + i * b_steps[0] + j * b_steps[1];
            for (uint32_t k = 0; k < sizes[2]; k++, a += a_steps[2], b += b_steps[2]) {
                row.a = a, row.b = b;
                kernel(&rows->how, &row);
                row.y = (uint8_t *)row.y + sizes[3] * rows->element_bytes;
            }
        }
    }
    if (layer->output->dtype == ANNE_FLOAT32) {
        anne_activate_f32(layer->activation, layer->alpha, layer->y, layer->n_out);
    }
}
