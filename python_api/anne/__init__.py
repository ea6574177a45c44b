"""AI-ANNE: neurons, dense layers and activation functions, to be explored; and trained networks from model files.

The same functions as in `anne.reference`, where each is explained in plain Python; computed by the native module where
the board has one: `anne.native` tells. `help` of any of them, of `anne` and of a network says how it is used.
"""

__version__ = "0.1.0"

try:
    import _anne
except ImportError:
    _anne = None
except (ValueError, MemoryError) as error:
    # on stock firmware: its _anne.mpy is for another board, or finds no room
    from .unfit import raise_for

    raise_for(error, __version__)
if _anne and _anne.version != __version__:
    from .unfit import raise_for

    raise_for(_anne.version, __version__)

if _anne:
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

    from .model import Model
else:
    from .model import Model, load
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

if _anne:  # no docstrings are kept on a board, and what is imported later is not listed there
    __doc__ = "net = load(path): a network; Trainer, Head: networks that learn. help(net), help(anne.load) and so on"

native = (
    _anne is not None
)  # which stays: MicroPython's help(anne) takes what a deleted name leaves for an object

# What most programs do without is imported when it is first used: module, and names in it.
_LATER = (
    ("reference", "ACTIVATIONS"),
    (
        "training",
        "init_layer normalize dense_forward dense_backward binary_cross_entropy binary_cross_entropy_derivative "
        "relu_derivative leaky_relu_derivative sigmoid_derivative tanh_derivative",
    ),
    ("trainer", "Trainer train_model"),
    ("head", "Head"),
    ("live", "stream"),
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
    if module != name:
        found = getattr(found, name)
    globals()[name] = found  # where it is found without this from now on
    return found


def __dir__():
    return sorted(list(globals()) + [name for _, names in _LATER for name in names.split()])
