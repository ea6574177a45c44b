"""AI-ANNE: neurons, dense layers and activation functions, to be explored; and trained networks from model files.

The same functions as in `anne.reference`, where each is explained in plain Python; computed by the native module where
the firmware has one: `anne.native` tells. `help` of any of them, of `anne` and of a network says how it is used.
"""

from . import reference
from .model import Model
from .reference import ACTIVATIONS

try:
    from _anne import (
        add_dim,
        classification_report,
        dense,
        dot,
        leaky_relu,
        load,
        neuron,
        print_matrix,
        relu,
        sigmoid,
        softmax,
        tanh,
        transpose,
        zero_dim,
        zeros,
    )

    native = True
except ImportError:
    from .model import load
    from .reference import (
        add_dim,
        classification_report,
        dense,
        dot,
        leaky_relu,
        neuron,
        print_matrix,
        relu,
        sigmoid,
        softmax,
        tanh,
        transpose,
        zero_dim,
        zeros,
    )

    native = False

# What learns is imported when it is first used, as most programs only predict: module, and names in it.
_LATER = (
    (
        "training",
        "init_layer normalize dense_forward dense_backward binary_cross_entropy binary_cross_entropy_derivative "
        "relu_derivative leaky_relu_derivative sigmoid_derivative tanh_derivative",
    ),
    ("trainer", "Trainer train_model"),
    ("head", "Head"),
)


def __getattr__(name):
    module = name  # MicroPython asks here for `from anne import module`, too
    for file, names in _LATER:
        if name in names.split():
            module = file
    try:
        found = __import__("anne." + module, None, None, (name,))
    except ImportError:
        raise AttributeError("module 'anne' has no attribute '%s'" % name)
    return found if module == name else getattr(found, name)


def __dir__():
    return sorted(list(globals()) + [name for _, names in _LATER for name in names.split()])
