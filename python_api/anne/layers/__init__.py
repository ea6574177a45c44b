"""Kinds of layers (FORMAT.md, "Layers"): each has a room, the module of its name in this folder.

In a room are
    check(layer): ValueError unless tensors, constants and parameters are what the kind needs
    run(layer, inputs): the outputs' values, a list of numbers each, for those of the inputs: what the kind means
    PLACE: where the output may lie. "own": on no tensor that is still needed; "in place": there too, or where an input
        lies that nothing needs afterwards; "same": where its input lies, which it is
and in some
    macs(layer): multiplications of one prediction
    steps(layer): what `run` does beside those, and beside reading inputs and writing outputs
    layout(layer): the name of the layout of its weights
Firmware has of a room what `check` and PLACE need. What only `run` needs is imported there, from modules that it does
not have.
"""

# number in the file -> name
KINDS = {
    1: "dense",
    2: "activation",
    3: "scaling",
    4: "reshape",
    5: "add",
    6: "pad",
    7: "conv",
    8: "depthwise_conv",
    9: "max_pool",
    10: "average_pool",
    11: "reduce",
    12: "concatenate",
    13: "slice",
    14: "subtract",
    15: "multiply",
    16: "clip",
    17: "prelu",
    18: "transpose",
    19: "resize",
    20: "embedding",
    21: "conv_transpose",
    22: "quantize",
    23: "delay",
    24: "layer_norm",
    25: "arg_max",
}


def room(kind):
    """Return the room of that name in KINDS."""
    return __import__(__name__ + "." + kind, None, None, ("check",))
