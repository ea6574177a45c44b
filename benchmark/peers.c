// Compiled with -O3, as whoever wanted speed would do; see micropython.cmake.
#include "peers.h"

#pragma GCC diagnostic push // emlearn's header defines more functions than are used here
#pragma GCC diagnostic ignored "-Wunused-function"
#pragma GCC diagnostic ignored "-Wunused-variable"
#include <eml_net.h>
#pragma GCC diagnostic pop

bool bench_eml_layer(const float *weights, const float *bias, const float *x, size_t n_in, size_t n_out, float *out) {
    return eml_net_forward(x, (int32_t)n_in, weights, bias, EmlNetActivationIdentity, out, (int32_t)n_out) == EmlOk;
}

static EmlNetLayer layers[BENCH_EML_LAYERS];
static float activations[2][BENCH_EML_WIDEST];
static EmlNet net = {0, layers, activations[0], activations[1], BENCH_EML_WIDEST};

bool bench_eml_add(bool first, const float *weights, const float *bias, size_t n_in, size_t n_out, int activation) {
    net.n_layers = first ? 0 : net.n_layers;
    if (net.n_layers == BENCH_EML_LAYERS || n_in > BENCH_EML_WIDEST || n_out > BENCH_EML_WIDEST) {
        return false;
    }
    layers[net.n_layers++] =
        (EmlNetLayer){(int32_t)n_out, (int32_t)n_in, weights, bias, (EmlNetActivationFunction)activation};
    return true;
}

bool bench_eml_predict(const float *x, size_t n_in, float *out, size_t n_out) {
    return eml_net_regress(&net, x, (int32_t)n_in, out, (int32_t)n_out) == EmlOk;
}

__attribute__((noinline)) void bench_spin(uint32_t n) {
    __asm__ volatile(".syntax unified\n.p2align 2\n1: subs %0, #1\nbne 1b" : "+l"(n) : : "cc");
}
