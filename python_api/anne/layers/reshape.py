"""Reshape: the same elements under another shape."""

from ..checks import check_counts, check_tensors, refuse, same_values

PLACE = "same"


def check(layer):
    check_tensors(layer, 1)
    check_counts(layer, 0, 0)
    x, y = layer.inputs[0], layer.outputs[0]
    if not same_values(x, y) or x.size != y.size or x.arena_offset != y.arena_offset:
        refuse(layer.where, "an output of the same type, size and place", "%s %s" % (y.dtype, y.shape))


def run(layer, inputs):
    return inputs
