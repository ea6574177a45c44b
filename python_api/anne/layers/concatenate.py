"""Concatenate: the inputs one behind the other along an axis."""

from ..checks import check_counts, refuse, same_values

PLACE = "own"


def check(layer):
    if len(layer.outputs) != 1:
        refuse(layer.where, "1 output", len(layer.outputs))
    check_counts(layer, 0, 1)
    y, axis, n = layer.outputs[0], layer.parameters[0], 0
    if not 0 <= axis < len(y.shape):
        refuse(layer.where, "an axis of 0 to %d" % (len(y.shape) - 1), axis)
    for x in layer.inputs:
        others = x.shape[:axis] + x.shape[axis + 1 :] == y.shape[:axis] + y.shape[axis + 1 :]
        if not same_values(x, y) or len(x.shape) != len(y.shape) or not others:
            wanted = "inputs of the output's type, scale and shape but along axis %d" % axis
            refuse(layer.where, wanted, "%s %s for %s" % (x.dtype, x.shape, y.shape))
        n += x.shape[axis]
    if n != y.shape[axis]:
        refuse(layer.where, "%d elements along axis %d" % (y.shape[axis], axis), n)


def run(layer, inputs):
    axis = layer.parameters[0]
    outer = 1
    for n in layer.outputs[0].shape[:axis]:
        outer *= n
    y = []
    for i in range(outer):
        for x in inputs:
            n = len(x) // outer
            y += x[i * n : (i + 1) * n]
    return [y]
