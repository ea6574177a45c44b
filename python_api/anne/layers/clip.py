"""Clip: output = the input limited to two constants, element by element."""

import struct

from ..checks import check_counts, check_limits, check_tensors, refuse, same_values

PLACE = "in place"


def check(layer):
    check_tensors(layer, 1)
    check_counts(layer, 0, 2)
    x, y = layer.inputs[0], layer.outputs[0]
    if not same_values(x, y) or x.shape != y.shape:
        refuse(layer.where, "an output of the same type, scale and shape", "%s %s" % (y.dtype, y.shape))
    if x.letter != "f":
        check_limits(layer, 0)
        return
    least, most = _limits(layer)
    if not least <= most:  # also if one is NaN
        refuse(layer.where, "a least and a greatest value", "%s and %s" % (least, most))


def _limits(layer):
    if layer.inputs[0].letter != "f":
        return layer.parameters
    return struct.unpack("<2f", struct.pack("<2i", *layer.parameters))


def run(layer, inputs):
    from ..arithmetic import normal

    (x,) = inputs
    least, most = _limits(layer)
    if layer.inputs[0].letter != "f":
        return [[min(max(q, least), most) for q in x]]
    x = [normal(v) for v in x]
    return [[normal(least if v < least else most if v > most else v) for v in x]]
