"""Pad: the input in the middle of a larger tensor of a constant value."""

import math
import struct

from ..checks import check_counts, check_tensors, refuse

PLACE = "own"
# parameters: the value as its type has it, then for each axis the elements in front of the input
_BEFORE = 1


def check(layer):
    check_tensors(layer, 1)
    x, y = layer.inputs[0], layer.outputs[0]
    check_counts(layer, 0, _BEFORE + len(x.shape))
    same = x.dtype == y.dtype and x.scale == y.scale and x.zero_point == y.zero_point
    if not same or len(x.shape) != len(y.shape):
        refuse(layer.where, "an output of the same type, scale and rank", "%s %s" % (y.dtype, y.shape))
    for n, larger, before in zip(x.shape, y.shape, layer.parameters[_BEFORE:]):
        if not 0 <= before <= larger - n:
            refuse(layer.where, "%d elements inside %d" % (n, larger), "%d in front of them" % before)
    value = _value(layer)
    if x.letter == "f" and not -math.inf < value < math.inf:
        refuse(layer.where, "a finite value", value)
    if x.letter != "f" and not x.least <= value <= x.greatest:
        refuse(layer.where, "a value of %d to %d" % (x.least, x.greatest), value)


def _value(layer):
    value = layer.parameters[0]
    return struct.unpack("<f", struct.pack("<i", value))[0] if layer.inputs[0].letter == "f" else value


def run(layer, inputs):
    (x,) = inputs
    x_shape, y_shape = layer.inputs[0].shape, layer.outputs[0].shape
    y = [_value(layer)] * layer.outputs[0].size
    for i in range(len(x)):
        # the coordinates of element i, from the last axis to the first, and so its place in y
        at, step, rest = 0, 1, i
        for n, larger, before in reversed(list(zip(x_shape, y_shape, layer.parameters[_BEFORE:]))):
            at += (rest % n + before) * step
            rest //= n
            step *= larger
        y[at] = x[i]
    return [y]
