"""Layer norm: each row brought to mean 0 and deviation 1, then scaled and moved feature by feature."""

import math
import struct

from ..checks import check_counts, check_floats, check_tensors, refuse

PLACE = "in place"
_MAX_ROW = 65536


def check(layer):
    check_tensors(layer, 1)
    check_counts(layer, 2, 1)
    x, y = layer.inputs[0], layer.outputs[0]
    if x.dtype != "float32" or y.dtype != "float32" or x.shape != y.shape:
        got = "%s %s and %s %s" % (x.dtype, x.shape, y.dtype, y.shape)
        refuse(layer.where, "float32 and an output of the same shape", got)
    if x.shape[-1] > _MAX_ROW:
        refuse(layer.where, "at most %d elements in a row" % _MAX_ROW, x.shape[-1])
    epsilon = _epsilon(layer)
    if not 2.0**-126 <= epsilon < math.inf:
        refuse(layer.where, "a finite epsilon from 2^-126 on", epsilon)
    check_floats(layer, 0, x.shape[-1], "gamma")
    check_floats(layer, 1, x.shape[-1], "beta")


def _epsilon(layer):
    return struct.unpack("<f", struct.pack("<i", layer.parameters[0]))[0]


def run(layer, inputs):
    (x,) = inputs
    n = layer.inputs[0].shape[-1]
    gamma, beta = (struct.unpack_from("<%df" % n, constant) for constant in layer.constants)
    y = []
    for at in range(0, len(x), n):
        y += _row(x[at : at + n], gamma, beta, _epsilon(layer))
    return [y]


def _row(x, gamma, beta, epsilon):
    from ..arithmetic import float32, normal, plus, times

    x = [normal(v) for v in x]
    mean = sum(x) / len(x)
    x = [normal(float32(v - mean)) for v in x]
    # one that is infinite makes all NaN: its square by itself would not
    finite = all(-math.inf < v < math.inf for v in x)
    variance = sum([v * v for v in x]) / len(x)
    inverse = normal(float32(1 / math.sqrt(variance + epsilon))) if finite else math.nan
    return [plus(times(times(v, inverse), g), b) for v, g, b in zip(x, gamma, beta)]
