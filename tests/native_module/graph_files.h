// Model files of any graph, for tests of the loader: tensors and layers as they are given, good or not.
#ifndef ANNE_GRAPH_FILES_H
#define ANNE_GRAPH_FILES_H

#include "layers/layers.h"
#include "model_files.h"

#define MOST_NODES     16
#define MOST_IN_RECORD 4 // inputs and outputs of a layer

typedef struct {
    anne_kind_t kind;
    uint8_t n_inputs;
    uint8_t n_outputs;
    uint16_t tensors[MOST_IN_RECORD]; // inputs, then outputs
    anne_activation_t activation;
} node_t;

typedef struct {
    uint32_t n_tensors;
    uint32_t n_nodes;
    anne_tensor_t tensors[MOST_NODES + 1];
    node_t nodes[MOST_NODES];
} graph_t;

// Adds a vector of `n` float32; `at` is its place, in words.
static inline uint32_t add_vector(graph_t *graph, uint8_t role, uint32_t n, uint32_t at) {
    graph->tensors[graph->n_tensors] = (anne_tensor_t){
        .dtype = ANNE_FLOAT32, .role = role, .rank = 1, .shape = {n}, .scale = 1, .arena_offset = 4 * at};
    return graph->n_tensors++;
}

static inline void add_node(graph_t *graph, node_t node) {
    graph->nodes[graph->n_nodes++] = node;
}

static inline uint32_t last_axis(const graph_t *graph, const node_t *node) {
    const anne_tensor_t *x = &graph->tensors[node->tensors[0]];
    return x->shape[x->rank - 1];
}

// Bytes of each constant, of which a layer has n; all of them begin where the data does.
static inline uint32_t constants_of(const graph_t *graph, const node_t *node, uint32_t *bytes) {
    static const uint32_t table_bytes[] = {[ANNE_INT8] = 256, [ANNE_INT16] = 1026};
    uint32_t dtype = graph->tensors[node->tensors[0]].dtype;
    switch (node->kind) {
    case ANNE_KIND_activation:
        *bytes = table_bytes[dtype];
        return dtype == ANNE_FLOAT32 ? 0 : 1;
    case ANNE_KIND_scaling:
        *bytes = 4 * last_axis(graph, node);
        return 2;
    default:
        return 0;
    }
}

// Returns the bytes of the record: of integers, an add sums values of one scale, and has that itself.
static inline uint32_t write_node(uint8_t *record, const graph_t *graph, const node_t *node) {
    uint32_t bytes = 0, n_constants = constants_of(graph, node, &bytes), n = node->n_inputs + node->n_outputs;
    uint32_t at = 12 + (n + 1) / 2 * 4;
    memset(record, 0, at);
    memcpy(record + 12, node->tensors, n * sizeof node->tensors[0]);
    for (uint32_t i = 0; i < n_constants; i++, at += 8) {
        put_word(record, at, 0);
        put_word(record, at + 4, bytes);
    }
    const anne_tensor_t *x = &graph->tensors[node->tensors[0]];
    if (node->kind == ANNE_KIND_add && x->dtype != ANNE_FLOAT32) {
        bool s8 = x->dtype == ANNE_INT8;
        const int32_t parameters[] = {
            1 << 30, 0, 1 << 30, 0, 1 << 30, s8 ? -18 : -13, s8 ? INT8_MIN : INT16_MIN, s8 ? INT8_MAX : INT16_MAX};
        memcpy(record + at, parameters, sizeof parameters);
        at += sizeof parameters;
    }
    put_word(record, 0, node->kind | at << 16);
    put_word(record, 4, node->n_inputs | node->n_outputs << 8 | n_constants << 16 | (uint32_t)node->activation << 24);
    return at;
}

static inline void make_good(uint8_t *bytes, uint32_t n_bytes) {
    put_word(bytes, 8, n_bytes);
    put_word(bytes, 12, crc32(bytes + 16, n_bytes - 16));
}

// Writes the file and returns its length. Constants are zeros.
static inline uint32_t write_graph(uint8_t *bytes, const graph_t *graph) {
    uint32_t at = 48 + graph->n_tensors * sizeof(anne_tensor_t), arena = 0, data = 0;
    memset(bytes, 0, 48);
    memcpy(bytes + 48, graph->tensors, at - 48);
    for (uint32_t t = 0; t < graph->n_tensors; t++) {
        uint32_t end = graph->tensors[t].arena_offset + (anne_tensor_bytes(&graph->tensors[t]) + 3) / 4 * 4;
        arena = end > arena ? end : arena;
    }
    uint32_t layers = at;
    for (uint32_t i = 0; i < graph->n_nodes; i++) {
        uint32_t constant_bytes = 0;
        constants_of(graph, &graph->nodes[i], &constant_bytes);
        constant_bytes = (constant_bytes + 3) / 4 * 4;
        data = constant_bytes > data ? constant_bytes : data;
        at += write_node(bytes + at, graph, &graph->nodes[i]);
    }
    memset(bytes + at, 0, data);
    memcpy(bytes, "ANNE\1\0\60\0", 8); // version 1, a header of 48 bytes
    const uint32_t fields[] = {arena, graph->n_tensors, graph->n_nodes, at - layers, 0, data};
    memcpy(bytes + 16, fields, sizeof fields);
    make_good(bytes, at + data);
    return at + data;
}

#endif // ANNE_GRAPH_FILES_H
