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
