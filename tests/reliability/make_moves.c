// Model files of one layer that moves elements: any number of inputs, parameters by the kind.
#include "make_moves.h"

#include "model_files.h"

// --- The file -------------------------------------------------------------------------------------------------------

uint32_t write_move(uint8_t *bytes, uint32_t room, const move_t *move, uint32_t gap) {
    uint32_t head = 48 + move->n_tensors * sizeof(anne_tensor_t), tensor_bytes = (move->n_tensors + 1) / 2 * 4;
    uint32_t layers_bytes = 12 + tensor_bytes + 8 * move->n_constants + 4 * move->n_parameters, data_bytes = 0;
    for (uint32_t i = 0; i < move->n_constants; i++) {
        data_bytes += (move->constant_bytes[i] + 3) / 4 * 4;
    }
    uint32_t total = head + layers_bytes + data_bytes, n_outputs = move->n_outputs > 0 ? move->n_outputs : 1;
    if (total > room) {
        return 0;
    }
    memset(bytes, 0, total);
    memcpy(bytes, "ANNE\1\0\60\0", 8); // version 1, a header of 48 bytes
    uint32_t arena = gap, at = head + 12, data = head + layers_bytes;
    for (uint32_t i = 0; i < move->n_tensors; i++) {
        anne_tensor_t tensor = move->tensors[i];
        tensor.role = i + n_outputs < move->n_tensors ? ANNE_ROLE_INPUT : ANNE_ROLE_OUTPUT;
        tensor.arena_offset = arena;
        memcpy(bytes + 48 + i * sizeof tensor, &tensor, sizeof tensor);
        arena += (anne_tensor_bytes(&tensor) + 3) / 4 * 4 + gap;
        bytes[at + 2 * i] = (uint8_t)i;
    }
    at += tensor_bytes;
    put_word(bytes, head, (uint32_t)move->kind | layers_bytes << 16);
    put_word(bytes, head + 4, (move->n_tensors - n_outputs) | n_outputs << 8 | move->n_constants << 16);
    for (uint32_t i = 0; i < move->n_constants; i++, at += 8) {
        put_word(bytes, at, data - head - layers_bytes);
        put_word(bytes, at + 4, move->constant_bytes[i]);
        memcpy(bytes + data, move->constants[i], move->constant_bytes[i]);
        data += (move->constant_bytes[i] + 3) / 4 * 4;
    }
    memcpy(bytes + at, move->parameters, 4 * move->n_parameters);
    const uint32_t fields[] = {arena, move->n_tensors, 1, layers_bytes, 0, data_bytes, 0, 0};
    memcpy(bytes + 16, fields, sizeof fields);
    put_word(bytes, 8, total);
    put_word(bytes, 12, crc32(bytes + 16, total - 16));
    return total;
}

// --- The kinds ------------------------------------------------------------------------------------------------------

static anne_tensor_t like(anne_dtype_t dtype, uint32_t rank, const uint32_t *shape) {
    anne_tensor_t tensor = {.dtype = dtype, .rank = (uint8_t)rank, .scale = 1};
    memcpy(tensor.shape, shape, rank * sizeof *shape);
    if (dtype != ANNE_FLOAT32) {
        tensor.scale = 0.05f;
        tensor.zero_point = dtype == ANNE_INT8 ? 7 : 0;
    }
    return tensor;
}

static void set_parameters(move_t *move, uint32_t n, const int32_t *words) {
    move->n_parameters = n;
    memcpy(move->parameters, words, n * sizeof *words);
}

static void concatenate(move_t *move, const anne_tensor_t *x) {
    int32_t axis = any_of(0, x->rank - 1), n_inputs = any_of(1, MOST_MOVED - 1);
    anne_tensor_t y = *x;
    for (int32_t i = 1; i < n_inputs; i++) {
        anne_tensor_t other = *x;
        other.shape[axis] = (uint32_t)any_of(1, 5);
        y.shape[axis] += other.shape[axis];
        move->tensors[i] = other;
    }
    move->tensors[n_inputs] = y;
    move->n_tensors = (uint32_t)n_inputs + 1;
    set_parameters(move, 1, &axis);
}

static void delay(move_t *move, const anne_tensor_t *x) {
    move->tensors[1] = *x;
    move->tensors[1].shape[0] += (uint32_t)any_of(0, 3);
}

static void slice(move_t *move, const anne_tensor_t *x) {
    move->tensors[1] = *x;
    move->n_parameters = 2u * x->rank;
    for (uint32_t a = 0; a < x->rank; a++) {
        int32_t n = (int32_t)x->shape[a], begin = any_of(0, n - 1), step = any_of(-3, 3);
        step = step == 0 ? 1 : step;
        int32_t most = (step > 0 ? n - 1 - begin : begin) / (step > 0 ? step : -step) + 1;
        move->tensors[1].shape[a] = (uint32_t)any_of(1, most);
        move->parameters[a] = begin;
        move->parameters[x->rank + a] = move->tensors[1].shape[a] == 1 ? any_of(1, INT32_MAX) : step;
    }
}

static void transpose(move_t *move, const anne_tensor_t *x) {
    move->tensors[1] = *x;
    move->n_parameters = x->rank;
    for (int32_t a = 0; a < x->rank; a++) {
        move->parameters[a] = a;
    }
    for (int32_t a = x->rank - 1; a > 0; a--) {
        int32_t other = any_of(0, a), axis = move->parameters[a];
        move->parameters[a] = move->parameters[other];
        move->parameters[other] = axis;
    }
    for (uint32_t a = 0; a < x->rank; a++) {
        move->tensors[1].shape[a] = x->shape[move->parameters[a]];
    }
}

static void pad_border(move_t *move, const anne_tensor_t *x) {
    int32_t mode = any_of(1, 3); // reflect, symmetric, edge
    move->tensors[1] = *x;
    move->n_parameters = 2u + x->rank;
    for (uint32_t a = 0; a < x->rank; a++) {
        int32_t most = mode == 3 ? 3 : (int32_t)x->shape[a] - (mode == 1 ? 1 : 0);
        most = most < 3 ? most : 3;
        move->parameters[1 + a] = any_of(0, most);
        move->tensors[1].shape[a] += (uint32_t)(move->parameters[1 + a] + any_of(0, most));
    }
    move->parameters[1 + x->rank] = mode;
}

// Constants of any move: as many words as an image has rows and columns, or a table's rows.
static uint32_t words[ANNE_MAX_CONSTANTS][1 << 13];

static void set_constant(move_t *move, uint32_t n_bytes) {
    move->constants[move->n_constants] = words[move->n_constants];
    move->constant_bytes[move->n_constants++] = n_bytes;
}

// For each of `n` places along an axis of `in` elements which of them it is, and the weight of the next one.
static void any_places(uint32_t *indices, uint32_t *weights, uint32_t n, uint32_t in, bool is_float, bool nearest) {
    for (uint32_t i = 0; i < n; i++) {
        indices[i] = (uint32_t)any_of(0, (int32_t)in - 1);
        bool between = !nearest && indices[i] + 1 < in && any_of(0, 3) > 0;
        float weight = (float)any_of(1, 16777215) / 16777216;
        memcpy(&weights[i], &weight, sizeof weight);
        weights[i] = !between ? 0 : is_float ? weights[i] : (uint32_t)any_of(1, 1023);
    }
}

static void resize(move_t *move, anne_tensor_t *x) {
    bool is_float = x->dtype == ANNE_FLOAT32, nearest = any_of(0, 2) == 0;
    if (x->rank != 3) { // what it is made of becomes a signal
        uint32_t n = anne_tensor_elements(x), channels = n % 3 == 0 ? 3 : 1;
        *x = (anne_tensor_t){x->dtype, 0, 2, 0, {n / channels, channels}, x->scale, x->zero_point, 0};
    }
    anne_tensor_t *y = &move->tensors[1];
    *y = *x;
    uint32_t columns = x->rank - 2u, out_h = 1;
    if (x->rank == 3) {
        y->shape[0] = out_h = (uint32_t)any_of(1, 9);
    }
    y->shape[columns] = (uint32_t)any_of(1, 9);
    any_places(words[0], words[2], out_h, x->rank == 3 ? x->shape[0] : 1, is_float, nearest);
    any_places(words[1], words[3], y->shape[columns], x->shape[columns], is_float, nearest);
    for (uint32_t i = 0; i < (nearest ? 2 : 4); i++) {
        set_constant(move, 4 * (i % 2 == 0 ? out_h : y->shape[columns]));
    }
    set_parameters(move, 1, &(int32_t){nearest ? 0 : 1});
}

static void embedding(move_t *move, anne_tensor_t *x) {
    if (x->rank == ANNE_MAX_RANK) {
        x->rank--;
        x->shape[ANNE_MAX_RANK - 1] = 0;
    }
    anne_tensor_t *y = &move->tensors[1];
    *y = *x;
    y->dtype = (uint8_t)any_of(ANNE_FLOAT32, ANNE_INT16);
    y->scale = y->dtype == ANNE_FLOAT32 ? 1 : 0.05f;
    y->zero_point = 0;
    y->shape[y->rank++] = (uint32_t)any_of(1, 5);
    x->scale = 1;
    x->zero_point = 0;
    uint32_t n_bytes = anne_tensor_bytes(y) / anne_tensor_elements(x) * (uint32_t)any_of(1, 200);
    for (uint32_t i = 0; i < n_bytes / 4 + 1; i++) {
        float value = (float)any_of(-1000, 1000) / 64;
        memcpy(&words[0][i], &value, sizeof value);
    }
    set_constant(move, n_bytes);
}

move_t any_move(anne_kind_t kind, anne_dtype_t dtype, uint32_t rank, const uint32_t *shape) {
    move_t move = {.kind = kind, .n_tensors = 2};
    move.tensors[0] = like(dtype, rank, shape);
    switch (kind) {
    case ANNE_KIND_concatenate:
        concatenate(&move, &move.tensors[0]);
        break;
    case ANNE_KIND_pad:
        pad_border(&move, &move.tensors[0]);
        break;
    case ANNE_KIND_slice:
        slice(&move, &move.tensors[0]);
        break;
    case ANNE_KIND_transpose:
        transpose(&move, &move.tensors[0]);
        break;
    case ANNE_KIND_resize:
        resize(&move, &move.tensors[0]);
        break;
    case ANNE_KIND_embedding:
        embedding(&move, &move.tensors[0]);
        break;
    case ANNE_KIND_delay:
        delay(&move, &move.tensors[0]);
        break;
    default:
        CHECK(false, "kind %u", kind);
    }
    return move;
}
