// The doors of the shared library, on a network of two inputs and three outputs, one of which a layer makes of both.
#include "graph_files.h"

typedef struct host_model host_model_t; // host.c
host_model_t *anne_host_open(const void *bytes, size_t n_bytes, int *status);
void anne_host_close(host_model_t *self);
void anne_host_run(host_model_t *self, const uint8_t *inputs, size_t n_samples, uint8_t *outputs);
void anne_host_trace(host_model_t *self, const uint8_t *sample, uint8_t *outputs);
uint32_t anne_host_scratch_bytes(const host_model_t *self);

// outputs[0] = relu(a), outputs[1] = relu(b), outputs[2] = relu(a) + relu(b), with tensors in another order than layers
static host_model_t *open_network(void) {
    graph_t graph = {0};
    uint32_t relu_a = add_vector(&graph, ANNE_ROLE_OUTPUT, 2, 0), a = add_vector(&graph, ANNE_ROLE_INPUT, 2, 2);
    uint32_t relu_b = add_vector(&graph, ANNE_ROLE_OUTPUT, 2, 4), b = add_vector(&graph, ANNE_ROLE_INPUT, 2, 4);
    uint32_t sum = add_vector(&graph, ANNE_ROLE_OUTPUT, 2, 6);
    add_node(&graph, (node_t){ANNE_KIND_activation, 1, 1, {b, relu_b}, ANNE_ACTIVATION_relu});
    add_node(&graph, (node_t){ANNE_KIND_activation, 1, 1, {a, relu_a}, ANNE_ACTIVATION_relu});
    add_node(&graph, (node_t){ANNE_KIND_add, 2, 1, {relu_b, relu_a, sum}, ANNE_ACTIVATION_linear});
    uint8_t bytes[1024];
    uint32_t n_bytes = write_graph(bytes, &graph);
    int status;
    host_model_t *model = anne_host_open(bytes, n_bytes, &status);
    CHECK(model != NULL && status == ANNE_OK, "status %d", status);
    return model;
}

static void expect(const float *got, const float *expected, uint32_t n) {
    for (uint32_t i = 0; i < n; i++) {
        CHECK(got[i] == expected[i], "%u: %g, expected %g", i, got[i], expected[i]);
    }
}

int main(void) {
    host_model_t *model = open_network();
    const float samples[] = {1, -2, 3, 4, -5, 6, 7, -8}; // a, b, a, b
    const float expected[] = {1, 0, 3, 4, 4, 4, 0, 6, 7, 0, 7, 6};
    float outputs[12];
    anne_host_run(model, (const uint8_t *)samples, 2, (uint8_t *)outputs);
    expect(outputs, expected, 12);
    const float traced[] = {3, 4, 1, 0, 4, 4}; // in the order of the layers
    anne_host_trace(model, (const uint8_t *)samples, (uint8_t *)outputs);
    expect(outputs, traced, 6);
    CHECK(anne_host_scratch_bytes(model) == 4 * (3 + 26), "three addresses and 26 words, of the sum"); // on the chip
    anne_host_close(model);
    return 0;
}
