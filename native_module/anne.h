// What every part of the C core shares: status codes and the names of activations.
// No MicroPython here: the core also runs under gcc on a PC, with sanitizers, and inside the host tools.
#ifndef ANNE_H
#define ANNE_H

#include <stddef.h>
#include <stdint.h>

// Activations: X(name, default alpha). The order gives their numbers in a model file (FORMAT.md, "Activations");
// host_tools/anne_tools/network/activations.py and python_api/anne/reference.py keep the same order; a test compares.
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
    X(softmax, 0.0f)        \
    X(log_softmax, 0.0f)    \
    X(exp, 0.0f)            \
    X(log, 0.0f)            \
    X(sqrt, 0.0f)           \
    X(rsqrt, 0.0f)          \
    X(abs, 0.0f)            \
    X(negative, 0.0f)       \
    X(square, 0.0f)

typedef enum {
#define ANNE_ACTIVATION_ENUM(name, alpha) ANNE_ACTIVATION_##name,
    ANNE_ACTIVATIONS(ANNE_ACTIVATION_ENUM)
#undef ANNE_ACTIVATION_ENUM
        ANNE_ACTIVATION_COUNT,
} anne_activation_t;

// Why a model file is refused. What was expected and what was found is told by python_api/anne/model_file.py, which
// finds the same faults in the same order; the core tells only which kind of fault it met first.
typedef enum {
    ANNE_OK,
    ANNE_ERROR_MAGIC,     // not a model file
    ANNE_ERROR_VERSION,   // a version of the format this core does not know
    ANNE_ERROR_SIZE,      // truncated, or sections that do not add up
    ANNE_ERROR_ALIGNMENT, // the file does not lie at a multiple of 4
    ANNE_ERROR_CRC,       // damaged
    ANNE_ERROR_HEADER,    // a count or size out of range
    ANNE_ERROR_TENSOR,    // a tensor's type, shape, scale or place
    ANNE_ERROR_LAYER,     // an unknown layer kind, or a malformed record
    ANNE_ERROR_GRAPH,     // tensors read before they are computed, computed twice, or overwritten while needed
    ANNE_ERROR_SHAPE,     // a layer whose shapes or types do not fit
    ANNE_ERROR_PARAMETER, // a layer's parameter out of range
    ANNE_ERROR_CONSTANT,  // weights, bias or tables of a wrong size or with values out of range
    ANNE_ERROR_METADATA,  // entries that do not add up
} anne_status_t;

#endif // ANNE_H
