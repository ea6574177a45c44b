"""Reduce: axes of the input taken together, their mean, sum, greatest or least."""

from ..checks import check_counts, check_tensors, refuse

PLACE = "own"
# in the order of their numbers; parameters are that number, bits of the axes, and the factor of integers' sums
OPERATIONS = ("mean", "sum", "max", "min")
_MAX_SUMMED_S16 = 65535
_MAX_SHIFT = 15


def check(layer):
    check_tensors(layer, 1)
    check_counts(layer, 0, 4)
    x, y = layer.inputs[0], layer.outputs[0]
    operation, axes, multiplier, shift = layer.parameters
    if not 0 <= operation <= 3 or not 1 <= axes < 1 << len(x.shape):
        wanted = "an operation of 0 to 3 and axes of 1 to %d" % ((1 << len(x.shape)) - 1)
        refuse(layer.where, wanted, "%d and %d" % (operation, axes))
    left = tuple([n for i, n in enumerate(x.shape) if not axes >> i & 1]) or (1,)
    if x.dtype != y.dtype or y.shape != left:
        refuse(layer.where, "an output of %s %s" % (x.dtype, left), "%s %s" % (y.dtype, y.shape))
    if operation > 1 and (x.scale != y.scale or x.zero_point != y.zero_point):
        refuse(layer.where, "an output of scale %s and zero_point %d" % (x.scale, x.zero_point), y.scale)
    if operation < 2 and x.dtype == "int16" and x.size // y.size > _MAX_SUMMED_S16:
        refuse(layer.where, "at most %d elements in a sum" % _MAX_SUMMED_S16, x.size // y.size)
    if operation < 2 and x.letter != "f":
        good = multiplier >= 0 and -31 <= shift <= _MAX_SHIFT
        wanted = "a factor from 0 on and a shift of -31 to %d" % _MAX_SHIFT
    else:
        good = multiplier == shift == 0
        wanted = "no factor"
    if not good:
        refuse(layer.where, wanted, "%d and %d" % (multiplier, shift))


def run(layer, inputs):
    (x,) = inputs
    groups = [[] for _ in range(layer.outputs[0].size)]
    shape, axes = layer.inputs[0].shape, layer.parameters[1]
    for i in range(len(x)):
        # the coordinates of element i, from the last axis to the first, and so its place in y
        at, step, rest = 0, 1, i
        for axis in range(len(shape) - 1, -1, -1):
            if not axes >> axis & 1:
                at += rest % shape[axis] * step
                step *= shape[axis]
            rest //= shape[axis]
        groups[at].append(x[i])
    return [[_reduced(layer, values) for values in groups]]


def _reduced(layer, values):
    from ..arithmetic import float32, greatest, normal, rescale

    operation, _, multiplier, shift = layer.parameters
    x, y = layer.inputs[0], layer.outputs[0]
    if operation > 1:
        return greatest(values) if operation == 2 else -greatest([-v for v in values])
    if x.letter == "f":
        total = sum([normal(v) for v in values])
        return normal(float32(total / len(values) if operation == 0 else total))
    # the converter has put 1 / n into the factor of a mean
    total = rescale(sum(values) - len(values) * x.zero_point, multiplier, shift)
    return min(max(total + y.zero_point, y.least), y.greatest)
