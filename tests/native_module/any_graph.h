// Random graphs for tests: branches, reshapes, sums, several inputs and outputs, with places by a rule of their own.
#ifndef ANNE_ANY_GRAPH_H
#define ANNE_ANY_GRAPH_H

#include "graph_files.h"

#define FOREVER (MOST_NODES + 1)

// Lives of the tensors of a graph: a storage is the root and its reshapes.
typedef struct {
    uint32_t root[MOST_NODES + 1];
    uint32_t made[MOST_NODES + 1];   // by which node, from 1; 0: an input of the network
    uint32_t needed[MOST_NODES + 1]; // of a root: the last node that needs the storage
} graph_lives_t;

static inline graph_lives_t lives_of(const graph_t *graph) {
    graph_lives_t lives = {0};
    for (uint32_t t = 0; t < graph->n_tensors; t++) {
        lives.root[t] = t;
    }
    for (uint32_t i = 1; i <= graph->n_nodes; i++) {
        const node_t *node = &graph->nodes[i - 1];
        uint32_t y = node->tensors[node->n_inputs];
        lives.made[y] = i;
        lives.root[y] = node->kind == ANNE_KIND_reshape ? lives.root[node->tensors[0]] : y;
        for (uint32_t k = 0; k <= node->n_inputs; k++) {
            lives.needed[lives.root[node->tensors[k]]] = i;
        }
    }
    for (uint32_t t = 0; t < graph->n_tensors; t++) {
        if (graph->tensors[t].role & ANNE_ROLE_OUTPUT) {
            lives.needed[lives.root[t]] = FOREVER;
        }
    }
    return lives;
}

static inline bool reads(const node_t *node, const graph_lives_t *lives, uint32_t root) {
    for (uint32_t k = 0; k < node->n_inputs; k++) {
        if (lives->root[node->tensors[k]] == root) {
            return true;
        }
    }
    return false;
}

// Whether roots a and b, made no earlier, share bytes that a is still needed for when b is made; but for a node that
// works in place.
static inline bool clash(const graph_t *graph, const graph_lives_t *lives, uint32_t a, uint32_t b) {
    const anne_tensor_t *one = &graph->tensors[a], *other = &graph->tensors[b];
    uint32_t made = lives->made[b];
    if (lives->made[a] > made || (made > lives->needed[a] && made > 0)
        || one->arena_offset >= other->arena_offset + anne_tensor_bytes(other)
        || other->arena_offset >= one->arena_offset + anne_tensor_bytes(one)) {
        return false;
    }
    const node_t *node = made > 0 ? &graph->nodes[made - 1] : NULL;
    bool turned = node != NULL && (node->kind == ANNE_KIND_activation || node->kind == ANNE_KIND_add)
                  && reads(node, lives, a) && lives->needed[a] == made && one->arena_offset == other->arena_offset;
    return !turned;
}

// What anne_model_open must say of the places.
static inline bool places_good(const graph_t *graph) {
    graph_lives_t lives = lives_of(graph);
    for (uint32_t a = 0; a < graph->n_tensors; a++) {
        for (uint32_t b = 0; b < graph->n_tensors; b++) {
            if (a != b && lives.root[a] == a && lives.root[b] == b && clash(graph, &lives, a, b)) {
                return false;
            }
        }
    }
    return true;
}

// --- Tensors and nodes ----------------------------------------------------------------------------------------------

static inline anne_tensor_t any_tensor(anne_dtype_t dtype, uint32_t n) {
    anne_tensor_t tensor = {.dtype = dtype, .rank = 1, .shape = {n}, .scale = 1};
    if (dtype != ANNE_FLOAT32) {
        tensor.scale = 0.05f;
        tensor.zero_point = dtype == ANNE_INT8 ? any_of(-128, 127) : 0;
    }
    return tensor;
}

static inline bool same_values(const anne_tensor_t *a, const anne_tensor_t *b) {
    return a->dtype == b->dtype && a->rank == b->rank && memcmp(a->shape, b->shape, sizeof a->shape) == 0;
}

// A node that reads what is there, `n_made` tensors, and the tensor that it makes.
static inline node_t any_node(const graph_t *graph, const uint16_t *made, uint32_t n_made, anne_tensor_t *y) {
    uint16_t a = made[any_of(0, 1) ? n_made - 1 : (uint32_t)any_of(0, (int32_t)n_made - 1)], b = a;
    for (uint32_t tries = 0; tries < 10 && (b == a || !same_values(&graph->tensors[a], &graph->tensors[b])); tries++) {
        b = made[any_of(0, (int32_t)n_made - 1)];
    }
    b = same_values(&graph->tensors[a], &graph->tensors[b]) ? b : a;
    *y = graph->tensors[a];
    y->role = 0;
    bool is_float = y->dtype == ANNE_FLOAT32;
    switch (any_of(0, 4)) {
    case 0:
        return (node_t){ANNE_KIND_activation, 1, 1, {a}, any_of(0, ANNE_ACTIVATION_softmax - 1)};
    case 1:
        if (is_float) {
            *y = any_tensor(any_of(ANNE_FLOAT32, ANNE_INT16), 1);
            memcpy(y->shape, graph->tensors[a].shape, sizeof y->shape);
            y->rank = graph->tensors[a].rank;
            return (node_t){ANNE_KIND_scaling, 1, 1, {a}, ANNE_ACTIVATION_linear};
        } // fall through
    case 2:
        y->rank = y->rank % ANNE_MAX_RANK + 1;
        memset(y->shape, 0, sizeof y->shape);
        for (uint32_t i = 1; i < y->rank; i++) {
            y->shape[i - 1] = 1;
        }
        y->shape[y->rank - 1] = anne_tensor_elements(&graph->tensors[a]);
        return (node_t){ANNE_KIND_reshape, 1, 1, {a}, ANNE_ACTIVATION_linear};
    default:
        return (node_t){ANNE_KIND_add, 2, 1, {a, b}, any_of(0, ANNE_ACTIVATION_relu6)};
    }
}

static inline void shuffle(uint16_t *numbers, uint32_t n) {
    for (uint32_t i = 0; i < n; i++) {
        uint32_t k = (uint32_t)any_of((int32_t)i, (int32_t)n - 1);
        uint16_t number = numbers[i];
        numbers[i] = numbers[k], numbers[k] = number;
    }
}

// --- Numbers --------------------------------------------------------------------------------------------------------

// Fills what the tensor holds, and returns where it ends.
static inline uint8_t *any_data(const anne_tensor_t *tensor, uint8_t *data) {
    uint32_t n_bytes = anne_tensor_bytes(tensor);
    for (uint32_t i = 0; i < n_bytes; i++) {
        data[i] = (uint8_t)any_of(0, 255);
    }
    for (uint32_t i = 0; tensor->dtype == ANNE_FLOAT32 && i < n_bytes / 4; i++) {
        float value = (float)any_of(-1000, 1000) / 128;
        memcpy(data + 4 * i, &value, sizeof value);
    }
    return data + n_bytes;
}

// Fills the data of a file of write_graph: finite floats, or bytes of tables.
static inline void any_constants(uint8_t *bytes, uint32_t n_bytes) {
    anne_tensor_t floats = {.dtype = ANNE_FLOAT32, .rank = 1, .shape = {word_at(bytes, 36) / 4}};
    any_data(&floats, bytes + n_bytes - word_at(bytes, 36));
    make_good(bytes, n_bytes);
}

// --- Places ---------------------------------------------------------------------------------------------------------

static inline void set_place(graph_t *graph, const graph_lives_t *lives, uint32_t root, uint32_t words) {
    for (uint32_t t = 0; t < graph->n_tensors; t++) {
        if (lives->root[t] == root) {
            graph->tensors[t].arena_offset = 4 * words;
        }
    }
}

// Each storage behind the one before.
static inline void place_apart(graph_t *graph) {
    graph_lives_t lives = lives_of(graph);
    uint32_t words = 0;
    for (uint32_t t = 0; t < graph->n_tensors; t++) {
        if (lives.root[t] == t) {
            set_place(graph, &lives, t, words);
            words += (anne_tensor_bytes(&graph->tensors[t]) + 3) / 4;
        }
    }
}

// Where it clashes with nothing made before, if a few tries find such a place, often that of an input of its node; or,
// one in `careless` times, anywhere.
static inline void place_close(graph_t *graph, const uint16_t *made, uint32_t room, uint32_t careless) {
    graph_lives_t lives = lives_of(graph);
    for (uint32_t i = 0; i < graph->n_tensors; i++) {
        uint32_t t = made[i];
        const node_t *node = lives.made[t] > 0 ? &graph->nodes[lives.made[t] - 1] : NULL;
        bool good = lives.root[t] != t;
        for (uint32_t tries = 0; !good && tries < 50; tries++) {
            uint32_t words = (anne_tensor_bytes(&graph->tensors[t]) + 3) / 4;
            uint32_t at = (uint32_t)any_of(0, (int32_t)(room - words));
            if (node != NULL && any_of(0, 1)) {
                at = graph->tensors[node->tensors[any_of(0, node->n_inputs - 1)]].arena_offset / 4;
            }
            set_place(graph, &lives, t, at);
            good = true;
            for (uint32_t k = 0; k < i; k++) {
                good = good && (lives.root[made[k]] != made[k] || !clash(graph, &lives, made[k], t));
            }
            good = good || (careless > 0 && any_of(1, (int32_t)careless) == 1);
        }
    }
}

// Of one to three inputs and up to MOST_NODES - 2 nodes, its tensors in any order in the file. Places are good where
// there is room and `careless` is 0.
static inline graph_t any_graph(uint32_t careless) {
    graph_t graph = {0};
    uint32_t n_inputs = (uint32_t)any_of(1, 3), n_nodes = (uint32_t)any_of(1, MOST_NODES - 2),
             n = (uint32_t)any_of(1, 9);
    uint16_t made[MOST_NODES + 1];
    graph.n_tensors = n_inputs + n_nodes;
    for (uint32_t i = 0; i < graph.n_tensors; i++) {
        made[i] = (uint16_t)i;
    }
    shuffle(made, graph.n_tensors);
    anne_dtype_t dtype = any_of(ANNE_FLOAT32, ANNE_INT16);
    for (uint32_t i = 0; i < n_inputs; i++) {
        graph.tensors[made[i]] =
            any_tensor(any_of(0, 3) ? dtype : ANNE_FLOAT32, any_of(0, 3) ? n : (uint32_t)any_of(1, 9));
        graph.tensors[made[i]].role = ANNE_ROLE_INPUT;
    }
    bool has_output = false;
    for (uint32_t i = n_inputs; i < graph.n_tensors; i++) {
        node_t node = any_node(&graph, made, i, &graph.tensors[made[i]]);
        node.tensors[node.n_inputs] = made[i];
        add_node(&graph, node);
        bool is_output = any_of(0, 3) == 0 || (i + 1 == graph.n_tensors && !has_output);
        graph.tensors[made[i]].role = is_output ? ANNE_ROLE_OUTPUT : 0;
        has_output = has_output || is_output;
    }
    place_close(&graph, made, (uint32_t)any_of(9, 120), careless);
    return graph;
}

#endif // ANNE_ANY_GRAPH_H
