"""Reshape: the same elements under another shape."""

from ..checks import check_counts, check_tensors, refuse

PLACE = "same"


def check(layer):
    check_tensors(layer, 1)
    check_counts(layer, 0, 0)
    x, y = layer.inputs[0], layer.outputs[0]
    same = x.dtype == y.dtype and x.scale == y.scale and x.zero_point == y.zero_point and x.size == y.size
    if not same or x.arena_offset != y.arena_offset:
        refuse(layer.where, "an output of the same type, size and place", "%s %s" % (y.dtype, y.shape))


def run(layer, inputs):
    return inputs
