"""Arg max: where the greatest element of each row stands, the first of equal ones."""

from ..checks import check_counts, check_tensors, refuse

PLACE = "own"
_MAX_ROW_INT16 = 32768


def check(layer):
    check_tensors(layer, 1)
    check_counts(layer, 0, 0)
    x, y = layer.inputs[0], layer.outputs[0]
    dtype, left = "float32" if x.dtype == "float32" else "int16", x.shape[:-1] or (1,)
    if y.dtype != dtype or y.scale != 1 or y.shape != left:
        got = "%s %s of scale %s" % (y.dtype, y.shape, y.scale)
        refuse(layer.where, "an output of %s %s of scale 1" % (dtype, left), got)
    if dtype == "int16" and x.shape[-1] > _MAX_ROW_INT16:
        refuse(layer.where, "at most %d elements in a row" % _MAX_ROW_INT16, x.shape[-1])


def run(layer, inputs):
    (x,) = inputs
    n = layer.inputs[0].shape[-1]
    return [[_first(x[at : at + n]) for at in range(0, len(x), n)]]


def _first(values):
    at = 0
    for i, v in enumerate(values):
        if v != v:
            return i
        at = i if v > values[at] else at
    return at
