"""AI-ANNE: neurons, dense layers and activation functions, to be explored; and trained networks from model files.

The same functions as in `anne.reference`, where each is explained in plain Python; computed by the native module where
the firmware has one: `anne.native` tells.
"""

from . import reference
from .model import Model, load
from .reference import (
    ACTIVATIONS,
    add_dim,
    classification_report,
    dot,
    print_matrix,
    transpose,
    zero_dim,
    zeros,
)

try:
    from _anne import dense, leaky_relu, neuron, relu, sigmoid, softmax, tanh

    native = True
except ImportError:
    from .reference import dense, leaky_relu, neuron, relu, sigmoid, softmax, tanh

    native = False
