"""What checks share: of files, and of the arguments of what learns."""

import math
import struct

from .reference import _NUMBERS, ACTIVATIONS


def refuse(where, expected, got):
    """Raise the ValueError that says what is wrong: of a file, where it is not as FORMAT.md has it."""
    raise ValueError("%s: expected %s, got %s" % (where, expected, got))


def same_values(x, y):
    """Whether two tensors have one type, scale and zero point: the same integer means the same number in both."""
    return x.dtype == y.dtype and x.scale == y.scale and x.zero_point == y.zero_point


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


def check_activation(layer):
    """ValueError unless its activation is one that needs but one sum at a time, and no table."""
    names = ACTIVATIONS
    names = names[:3] if layer.outputs[0].dtype != "float32" else [a for a in names if "softmax" not in a]
    if layer.activation not in names:
        refuse(layer.where, "an activation of %s" % ", ".join(names), layer.activation)


def check_limits(layer, at):
    """ValueError unless parameters `at` and the next are limits inside the output's type; of floats they are 0."""
    y = layer.outputs[0]
    least, most = layer.parameters[at : at + 2]
    if not y.least <= least <= most <= y.greatest:
        refuse(layer.where, "limits inside %d to %d" % (y.least, y.greatest), "%d to %d" % (least, most))


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


# --- Arguments of those who call --------------------------------------------------------------------------------------


def expect(is_so, what, expected, got):
    """Refuse unless it is so."""
    if not is_so:
        refuse(what, expected, got)


def counted(x):
    """Return how many there are in a list or tuple, -1 for anything else."""
    return len(x) if isinstance(x, (list, tuple)) else -1


def texts(names, what):
    """Return the list of names; ValueError unless each is a text of one line."""
    are_texts = counted(names) >= 0
    for name in names if are_texts else ():
        are_texts = are_texts and isinstance(name, str) and "\n" not in name
    expect(are_texts, what, "a list of texts, each a line", repr(names)[:60])
    return list(names)


def known(name, names, what):
    """Refuse a name that is none of these."""
    expect(name in names, what, "one of " + ", ".join(names), repr(name))


def within(v, least, most, what, kind=_NUMBERS):
    """Refuse what is no number, or none of this kind, from the least to the most."""
    # a range is only spelt out where it is told: this is asked for every number
    if not isinstance(v, kind) or not least <= v <= most:
        refuse(what, "%s number from %g to %g" % ("a whole" if kind is int else "a", least, most), v)


def whole(n, what):
    """Refuse what is no whole number from 1 to 65535."""
    within(n, 1, 65535, what, int)
