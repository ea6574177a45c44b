// What every part of the C core shares: status codes and the names of activations.
// No MicroPython here: the core also runs under gcc on a PC, with sanitizers, and inside the host tools.
#ifndef ANNE_H
#define ANNE_H

#include <stddef.h>
#include <stdint.h>

// Activations: X(name, default alpha). The order gives their numbers in a model file (FORMAT.md, "Activations");
// host_tools/anne_tools/graph.py and python_api/anne/reference.py keep the same order, and a test compares them.
#define ANNE_ACTIVATIONS(X) \
    X(linear, 0.0f)         \
    X(relu, 0.0f)           \
    X(relu6, 0.0f)          \
    X(leaky_relu, 0.01f)    \
    X(elu, 1.0f)            \
    X(sigmoid, 0.0f)        \
    X(hard_sigmoid, 0.0f)   \
    X(tanh, 0.0f)           \
    X(softplus, 0.0f)       \
    X(swish, 0.0f)          \
    X(hard_swish, 0.0f)     \
    X(gelu, 0.0f)           \
    X(softmax, 0.0f)

typedef enum {
#define ANNE_ACTIVATION_ENUM(name, alpha) ANNE_ACTIVATION_##name,
    ANNE_ACTIVATIONS(ANNE_ACTIVATION_ENUM)
#undef ANNE_ACTIVATION_ENUM
        ANNE_ACTIVATION_COUNT,
} anne_activation_t;

#endif // ANNE_H
