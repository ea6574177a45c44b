"""Transpose: the axes in another order."""

from ..checks import check_counts, check_tensors, refuse, same_values

PLACE = "own"


def check(layer):
    check_tensors(layer, 1)
    x, y = layer.inputs[0], layer.outputs[0]
    # parameters: for each axis of the output, which one of the input it is
    check_counts(layer, 0, len(x.shape))
    if not same_values(x, y) or len(x.shape) != len(y.shape):
        refuse(layer.where, "an output of the same type, scale and rank", "%s %s" % (y.dtype, y.shape))
    order = list(layer.parameters)
    if sorted(order) != list(range(len(x.shape))):
        refuse(layer.where, "each of %d axes once" % len(x.shape), order)
    expected = tuple([x.shape[axis] for axis in order])
    if y.shape != expected:
        refuse(layer.where, "an output of shape %s" % (expected,), "%s" % (y.shape,))


def run(layer, inputs):
    from ..arithmetic import strided, strides_of

    strides = strides_of(layer.inputs[0].shape)
    return [strided(inputs[0], 0, layer.outputs[0].shape, [strides[axis] for axis in layer.parameters])]
