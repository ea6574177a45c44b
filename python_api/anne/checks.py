"""What checks of files share."""

import math
import struct


def refuse(where, expected, got):
    """Raise the ValueError for a file that is not as FORMAT.md has it."""
    raise ValueError("%s: expected %s, got %s" % (where, expected, got))


def check_tensors(layer, n_inputs):
    """ValueError unless the layer has that many inputs, and one output."""
    if len(layer.inputs) != n_inputs or len(layer.outputs) != 1:
        got = "%d and %d" % (len(layer.inputs), len(layer.outputs))
        refuse(layer.where, "%d input%s and 1 output" % (n_inputs, "s" if n_inputs > 1 else ""), got)


def check_counts(layer, n_constants, n_parameters):
    """ValueError unless it has that many constants and words of parameters."""
    counts = len(layer.constants), len(layer.parameters)
    if counts != (n_constants, n_parameters):
        wanted = "%d constants and %d parameters" % (n_constants, n_parameters)
        refuse(layer.where, wanted, "%d and %d" % counts)


def check_bytes(layer, index, size, what):
    """ValueError unless constant `index` has `size` bytes."""
    if len(layer.constants[index]) != size:
        refuse(layer.where, "%d bytes of %s" % (size, what), len(layer.constants[index]))


def check_floats(layer, index, n, what):
    """ValueError unless constant `index` is `n` finite floats."""
    check_bytes(layer, index, 4 * n, what)
    for i in range(n):
        v = struct.unpack_from("<f", layer.constants[index], 4 * i)[0]
        if not -math.inf < v < math.inf:
            refuse(layer.where, "finite %s" % what, "%s at %d" % (v, i))
