"""Pad: the input in the middle of a larger tensor: of a constant value, or of what its borders go on with."""

import math
import struct

from ..checks import check_counts, check_tensors, refuse, same_values

PLACE = "own"
# parameters: the value as its type has it, for each axis the elements in front of the input, and the mode, if it is
# not that value which is there
_BEFORE = 1
# of 1 2 3 with two in front: 3 2 1 2 3, 2 1 1 2 3, 1 1 1 2 3
REFLECT, SYMMETRIC, EDGE = 1, 2, 3


def check(layer):
    check_tensors(layer, 1)
    x, y = layer.inputs[0], layer.outputs[0]
    has_mode = len(layer.parameters) > _BEFORE + len(x.shape)
    check_counts(layer, 0, _BEFORE + len(x.shape) + (1 if has_mode else 0))
    if not same_values(x, y) or len(x.shape) != len(y.shape):
        refuse(layer.where, "an output of the same type, scale and rank", "%s %s" % (y.dtype, y.shape))
    for n, larger, before in zip(x.shape, y.shape, layer.parameters[_BEFORE:]):
        if not 0 <= before <= larger - n:
            refuse(layer.where, "%d elements inside %d" % (n, larger), "%d in front of them" % before)
    if has_mode:
        return _check_mode(layer, layer.parameters[-1])
    value = _value(layer)
    if x.letter == "f" and not -math.inf < value < math.inf:
        refuse(layer.where, "a finite value", value)
    if x.letter != "f" and not x.least <= value <= x.greatest:
        refuse(layer.where, "a value of %d to %d" % (x.least, x.greatest), value)


def _check_mode(layer, mode):
    if not REFLECT <= mode <= EDGE or layer.parameters[0] != 0:
        got = "%d and %d" % (mode, layer.parameters[0])
        refuse(layer.where, "a mode of %d to %d and no value" % (REFLECT, EDGE), got)
    for n, larger, before in zip(layer.inputs[0].shape, layer.outputs[0].shape, layer.parameters[_BEFORE:]):
        most = n - 1 if mode == REFLECT else n
        if mode != EDGE and max(before, larger - n - before) > most:
            got = "%d and %d" % (before, larger - n - before)
            refuse(layer.where, "at most %d elements in front and behind" % most, got)


def _value(layer):
    value = layer.parameters[0]
    return struct.unpack("<f", struct.pack("<i", value))[0] if layer.inputs[0].letter == "f" else value


def run(layer, inputs):
    from ..arithmetic import strides_of

    (x,) = inputs
    mode = layer.parameters[-1] if len(layer.parameters) > _BEFORE + len(layer.inputs[0].shape) else 0
    places = [0]  # in x, of all elements of y in order; None beside x
    axes = zip(layer.inputs[0].shape, layer.outputs[0].shape, layer.parameters[_BEFORE:])
    for (n, larger, before), stride in zip(axes, strides_of(layer.inputs[0].shape)):
        indices = [_source(i - before, n, mode) for i in range(larger)]
        places = [
            None if place is None or i is None else place + i * stride for place in places for i in indices
        ]
    value = _value(layer)
    return [[value if place is None else x[place] for place in places]]


def _source(i, n, mode):
    # which of n elements stands at i, which may lie beside them; None for the value
    if 0 <= i < n:
        return i
    if mode == REFLECT:
        return -i if i < 0 else 2 * (n - 1) - i
    if mode == SYMMETRIC:
        return -i - 1 if i < 0 else 2 * n - 1 - i
    return min(max(i, 0), n - 1) if mode == EDGE else None
