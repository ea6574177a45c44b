// Which places of tensors the loader takes, on graphs of a few vectors of 4 floats: each lies in a slot of its own in
// the arena, unless its slot is given to another.
#include "any_graph.h"
#include "model.h"

#define N 4 // floats of a vector

enum { IN = ANNE_ROLE_INPUT, OUT = ANNE_ROLE_OUTPUT, INNER = 0 };

typedef struct {
    uint8_t role;
    uint8_t slot;
} vector_t;

typedef struct {
    const char *what;
    vector_t vectors[7]; // up to the first in slot 0, which is given to none
    node_t nodes[5];
    anne_status_t expected;
} case_t;

#define RELU(x, y)    {ANNE_KIND_activation, 1, 1, {x, y}, ANNE_ACTIVATION_relu}
#define SCALE(x, y)   {ANNE_KIND_scaling, 1, 1, {x, y}, ANNE_ACTIVATION_linear}
#define RESHAPE(x, y) {ANNE_KIND_reshape, 1, 1, {x, y}, ANNE_ACTIVATION_linear}
#define ADD(a, b, y)  {ANNE_KIND_add, 2, 1, {a, b, y}, ANNE_ACTIVATION_linear}

#define GOOD ANNE_OK
#define BAD  ANNE_ERROR_GRAPH

static const case_t cases[] = {
    // a branch: x goes through a layer, and is added to what comes out
    {"a branch", {{IN, 1}, {INNER, 2}, {OUT, 3}}, {SCALE(0, 1), ADD(0, 1, 2)}, GOOD},
    {"the sum over a", {{IN, 1}, {INNER, 2}, {OUT, 1}}, {SCALE(0, 1), ADD(0, 1, 2)}, GOOD},
    {"the sum over b", {{IN, 1}, {INNER, 2}, {OUT, 2}}, {SCALE(0, 1), ADD(0, 1, 2)}, GOOD},
    {"a layer over x, which the sum needs", {{IN, 1}, {INNER, 1}, {OUT, 2}}, {RELU(0, 1), ADD(0, 1, 2)}, BAD},
    {"the sum over a, which a layer needs",
     {{IN, 1}, {INNER, 2}, {INNER, 1}, {OUT, 3}},
     {SCALE(0, 1), ADD(0, 1, 2), ADD(0, 2, 3)},
     BAD},
    {"the sum over b, which a layer needs",
     {{IN, 1}, {INNER, 2}, {INNER, 2}, {OUT, 3}},
     {SCALE(0, 1), ADD(0, 1, 2), ADD(1, 2, 3)},
     BAD},
    {"the sum over a third that a layer needs",
     {{IN, 1}, {INNER, 2}, {INNER, 3}, {INNER, 2}, {OUT, 4}},
     {SCALE(0, 1), SCALE(0, 2), ADD(0, 2, 3), ADD(1, 3, 4)},
     BAD},
    {"a scaling over its input", {{IN, 1}, {OUT, 1}}, {SCALE(0, 1)}, BAD},
    {"twice the same, over it", {{IN, 1}, {OUT, 1}}, {ADD(0, 0, 1)}, GOOD},
    {"twice the same, needed", {{IN, 1}, {INNER, 1}, {OUT, 2}}, {ADD(0, 0, 1), ADD(0, 1, 2)}, BAD},

    // other shapes of the same bytes
    {"a reshape", {{IN, 1}, {OUT, 1}}, {RESHAPE(0, 1)}, GOOD},
    {"a reshape elsewhere", {{IN, 1}, {OUT, 2}}, {RESHAPE(0, 1)}, ANNE_ERROR_SHAPE},
    {"x and its reshape both needed",
     {{IN, 1}, {INNER, 1}, {INNER, 2}, {OUT, 3}},
     {RESHAPE(0, 1), SCALE(0, 2), ADD(1, 2, 3)},
     GOOD},
    {"over x, whose reshape is needed",
     {{IN, 1}, {INNER, 1}, {INNER, 1}, {OUT, 3}},
     {RESHAPE(0, 1), RELU(0, 2), ADD(1, 2, 3)},
     BAD},
    {"over a reshape, whose x is needed",
     {{IN, 1}, {INNER, 1}, {INNER, 1}, {OUT, 3}},
     {RESHAPE(0, 1), RELU(1, 2), ADD(0, 2, 3)},
     BAD},
    {"over a reshape of a reshape, whose x is needed",
     {{IN, 1}, {INNER, 1}, {INNER, 1}, {INNER, 1}, {OUT, 3}},
     {RESHAPE(0, 1), RESHAPE(1, 2), RELU(2, 3), ADD(0, 3, 4)},
     BAD},
    {"over a reshape, nothing else needed",
     {{IN, 1}, {INNER, 1}, {INNER, 1}, {OUT, 3}},
     {RESHAPE(0, 1), RELU(1, 2), SCALE(2, 3)},
     GOOD},
    {"x and its reshape added over both", {{IN, 1}, {INNER, 1}, {OUT, 1}}, {RESHAPE(0, 1), ADD(0, 1, 2)}, GOOD},
    {"over x, whose reshape is an output",
     {{IN, 1}, {OUT, 1}, {INNER, 1}, {OUT, 2}},
     {RESHAPE(0, 1), RELU(0, 2), SCALE(2, 3)},
     BAD},
    {"over a reshape, whose x is an output",
     {{IN, 1}, {OUT, 2}, {INNER, 2}, {OUT, 2}},
     {SCALE(0, 1), RESHAPE(1, 2), RELU(2, 3)},
     BAD},
    {"another shape of what an output is, as an output too",
     {{IN, 1}, {OUT, 2}, {OUT, 2}},
     {SCALE(0, 1), RESHAPE(1, 2)},
     GOOD},
    {"over what a reshape that none reads was",
     {{IN, 1}, {INNER, 1}, {INNER, 2}, {OUT, 1}},
     {RESHAPE(0, 1), SCALE(0, 2), SCALE(2, 3)},
     GOOD},

    // several inputs
    {"two inputs", {{IN, 1}, {IN, 2}, {OUT, 3}}, {ADD(0, 1, 2)}, GOOD},
    {"two inputs, the sum over one", {{IN, 1}, {IN, 2}, {OUT, 2}}, {ADD(0, 1, 2)}, GOOD},
    {"two inputs in one place", {{IN, 1}, {IN, 1}, {OUT, 2}}, {ADD(0, 1, 2)}, BAD},
    {"over an input before it is read", {{IN, 1}, {IN, 2}, {INNER, 2}, {OUT, 3}}, {SCALE(0, 2), ADD(1, 2, 3)}, BAD},
    {"over an input once it was read", {{IN, 1}, {IN, 2}, {INNER, 3}, {OUT, 1}}, {ADD(0, 1, 2), SCALE(2, 3)}, GOOD},
    {"an input that none reads", {{IN, 1}, {IN, 2}, {OUT, 3}}, {SCALE(0, 2)}, GOOD},
    {"one that none reads, in the place of another", {{IN, 1}, {IN, 1}, {OUT, 3}}, {SCALE(0, 2)}, BAD},
    {"over an input that none reads", {{IN, 1}, {IN, 2}, {OUT, 2}}, {SCALE(0, 2)}, GOOD},
    {"over an input that is an output", {{IN, 1}, {IN | OUT, 2}, {OUT, 2}}, {SCALE(0, 2)}, BAD},
    {"an input that a layer makes", {{IN, 1}, {IN, 2}, {OUT, 3}}, {SCALE(0, 1), SCALE(0, 2)}, BAD},

    // several outputs
    {"two outputs", {{IN, 1}, {OUT, 2}, {OUT, 3}}, {SCALE(0, 1), SCALE(0, 2)}, GOOD},
    {"two outputs in one place", {{IN, 1}, {OUT, 2}, {OUT, 2}}, {SCALE(0, 1), SCALE(0, 2)}, BAD},
    {"over an output that is read", {{IN, 1}, {OUT, 2}, {OUT, 2}}, {SCALE(0, 1), RELU(1, 2)}, BAD},
    {"over what none reads", {{IN, 1}, {INNER, 2}, {OUT, 2}}, {SCALE(0, 1), SCALE(0, 2)}, GOOD},
    {"what none reads, over what is needed", {{IN, 1}, {INNER, 1}, {OUT, 2}}, {SCALE(0, 1), SCALE(0, 2)}, BAD},
    {"a tensor that nothing makes", {{IN, 1}, {INNER, 2}, {OUT, 3}}, {SCALE(0, 2)}, BAD},
    {"a tensor read before it is made", {{IN, 1}, {INNER, 2}, {OUT, 3}}, {ADD(0, 1, 2), SCALE(0, 1)}, BAD},
    {"a tensor made twice", {{IN, 1}, {INNER, 2}, {OUT, 3}}, {SCALE(0, 1), SCALE(0, 1), SCALE(1, 2)}, BAD},
};

static anne_status_t status_of(const graph_t *graph) {
    uint8_t *bytes = exactly(1 << 12);
    uint32_t n_bytes = write_graph(bytes, graph);
    anne_model_t model;
    anne_status_t status = anne_model_open(&model, bytes, n_bytes);
    free(bytes);
    return status;
}

static void check_cases(void) {
    for (uint32_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const case_t *each = &cases[i];
        graph_t graph = {0};
        for (const vector_t *vector = each->vectors; vector->slot > 0; vector++) {
            add_vector(&graph, vector->role, N, N * vector->slot);
        }
        for (const node_t *node = each->nodes; node->kind != ANNE_KIND_none; node++) {
            add_node(&graph, *node);
        }
        anne_status_t status = status_of(&graph);
        CHECK(status == each->expected, "%s: status %d, expected %d", each->what, status, each->expected);
    }
}

// Two inputs, and a sum that may lie over either, but beside none: every place there is for it.
static void check_every_place(void) {
    for (uint32_t at = 0; at <= 6 * N; at++) {
        graph_t graph = {0};
        uint32_t a = add_vector(&graph, IN, N, N), b = add_vector(&graph, IN, N, 4 * N);
        add_node(&graph, (node_t)ADD(a, b, add_vector(&graph, OUT, N, at)));
        bool free_place = at == 0 || (at >= 2 * N && at <= 3 * N) || at >= 5 * N;
        anne_status_t expected = free_place || at == N || at == 4 * N ? ANNE_OK : ANNE_ERROR_GRAPH;
        CHECK(status_of(&graph) == expected, "at %u", at);
    }
}

// Random graphs: the rule of any_graph.h goes through the tensors pair by pair.
static void check_random_graphs(void) {
    uint32_t n_good = 0, n_graphs = 20000;
    for (uint32_t i = 0; i < n_graphs; i++) {
        graph_t graph = any_graph(i % 2 * 3);
        bool good = places_good(&graph);
        anne_status_t status = status_of(&graph);
        CHECK(status == (good ? ANNE_OK : ANNE_ERROR_GRAPH), "graph %u: %s, status %d", i, good ? "good" : "bad",
              status);
        n_good += good;
    }
    CHECK(n_good > n_graphs / 4 && n_good < n_graphs * 3 / 4, "%u of %u are good", n_good, n_graphs);
}

int main(void) {
    check_cases();
    check_every_place();
    check_random_graphs();
    return 0;
}
