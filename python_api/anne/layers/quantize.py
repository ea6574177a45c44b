"""Quantize: the same real values in another type."""

from ..binary import check_factor
from ..checks import check_counts, check_tensors, refuse

PLACE = "own"


def check(layer):
    check_tensors(layer, 1)
    x, y = layer.inputs[0], layer.outputs[0]
    floats = (x.letter == "f") + (y.letter == "f")
    check_counts(layer, 0, 0 if floats else 2)
    if x.shape != y.shape or floats == 2:
        refuse(
            layer.where, "an output of shape %s and another type" % (x.shape,), "%s %s" % (y.dtype, y.shape)
        )
    if not floats:
        check_factor(layer, 0, "the scales", "2^15", -31, 15, 0x7FFFFFFF)


def run(layer, inputs):
    from ..arithmetic import float32, rescale, round_limited, times

    (values,) = inputs
    x, y = layer.inputs[0], layer.outputs[0]
    if x.letter == "f":
        return [[round_limited(float32(v / y.scale), y.zero_point, y.least, y.greatest) for v in values]]
    if y.letter == "f":
        return [[times(q - x.zero_point, x.scale) for q in values]]
    made = [rescale(q - x.zero_point, *layer.parameters) + y.zero_point for q in values]
    return [[min(max(q, y.least), y.greatest) for q in made]]
