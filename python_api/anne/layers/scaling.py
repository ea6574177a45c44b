"""Scaling: output = input scale + offset, feature by feature."""

import struct

from ..checks import check_counts, check_floats, check_tensors, refuse

PLACE = "own"


def check(layer):
    check_tensors(layer, 1)
    check_counts(layer, 2, 0)
    x, y = layer.inputs[0], layer.outputs[0]
    if x.dtype != "float32" or x.shape != y.shape:
        refuse(
            layer.where, "float32 and an output of shape %s" % (x.shape,), "%s and %s" % (x.dtype, y.shape)
        )
    check_floats(layer, 0, x.shape[-1], "scale")
    check_floats(layer, 1, x.shape[-1], "offset")


def run(layer, inputs):
    from ..arithmetic import plus, round_limited, times

    (x,) = inputs
    n = layer.inputs[0].shape[-1]
    scale = struct.unpack_from("<%df" % n, layer.constants[0])
    offset = struct.unpack_from("<%df" % n, layer.constants[1])
    y = [plus(times(x[i], scale[i % n]), offset[i % n]) for i in range(len(x))]
    out = layer.outputs[0]
    if out.dtype == "float32":
        return [y]
    return [[round_limited(v, out.zero_point, out.least, out.greatest) for v in y]]
