"""Slice: some elements along each axis: from one on, each so many further, backwards, too."""

from ..checks import check_counts, check_tensors, refuse, same_values

PLACE = "own"


def check(layer):
    check_tensors(layer, 1)
    x, y = layer.inputs[0], layer.outputs[0]
    rank = len(x.shape)
    # parameters: the first index along each axis, then the step along each
    check_counts(layer, 0, 2 * rank)
    if not same_values(x, y) or len(y.shape) != rank:
        refuse(layer.where, "an output of the same type, scale and rank", "%s %s" % (y.dtype, y.shape))
    for n, size, begin, step in zip(x.shape, y.shape, layer.parameters, layer.parameters[rank:]):
        if step == 0 or not 0 <= begin < n or not 0 <= begin + (size - 1) * step < n:
            got = "%d from %d on by steps of %d" % (size, begin, step)
            refuse(layer.where, "indices of 0 to %d" % (n - 1), got)


def run(layer, inputs):
    from ..arithmetic import strided, strides_of

    x, n = layer.inputs[0], layer.outputs[0].shape
    rank, strides = len(x.shape), strides_of(x.shape)
    first = sum([begin * stride for begin, stride in zip(layer.parameters, strides)])
    steps = [step * stride for step, stride in zip(layer.parameters[rank:], strides)]
    return [strided(inputs[0], first, n, steps)]
