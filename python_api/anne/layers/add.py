"""Add: output = activation(a + b), element by element."""

from ..checks import check_activation, check_counts, check_limits, check_tensors, refuse

PLACE = "in place"
# words of parameters of integers: multiplier and shift of a, of b and of the sum; limits of the result
_ACT_MIN = 6
_PARAMETERS = 8


def check(layer):
    check_tensors(layer, 2)
    a, b = layer.inputs
    y = layer.outputs[0]
    check_counts(layer, 0, 0 if a.dtype == "float32" else _PARAMETERS)
    for other in (b, y):
        if other.dtype != a.dtype or other.shape != a.shape:
            refuse(layer.where, "tensors of %s %s" % (a.dtype, a.shape), "%s %s" % (other.dtype, other.shape))
    check_activation(layer)
    if a.dtype != "float32":
        # factors of at most 1/2 for a and b: then no sum of both leaves 32 bits
        _check_factor(layer, 0, "a", -1)
        _check_factor(layer, 2, "b", -1)
        _check_factor(layer, 4, "a + b", 0)
        check_limits(layer, _ACT_MIN)


def _check_factor(layer, at, what, most):
    # multiplier 2^(shift - 31) is at most 2^most
    multiplier, shift = layer.parameters[at : at + 2]
    if multiplier < 0 or not -31 <= shift <= 0 or (shift > most and multiplier > 1 << 30):
        wanted = "a factor of %s of 0 to %s and a shift of -31 to 0" % (what, "1/2" if most < 0 else "1")
        refuse(layer.where, wanted, "%d and %d" % (multiplier, shift))


def run(layer, inputs):
    from ..arithmetic import activated, plus

    a, b = inputs
    if layer.inputs[0].dtype == "float32":
        return [activated(layer, [plus(v, w) for v, w in zip(a, b)])]
    return [[_sum(layer, v, w) for v, w in zip(a, b)]]


def _sum(layer, a, b):
    # as TensorFlow Lite Micro adds: in units finer than those of a and of b, so that little is lost
    from ..arithmetic import rescale

    bits = 20 if layer.inputs[0].dtype == "int8" else 15
    a_multiplier, a_shift, b_multiplier, b_shift, multiplier, shift, least, most = layer.parameters
    a = rescale((a - layer.inputs[0].zero_point) << bits, a_multiplier, a_shift)
    b = rescale((b - layer.inputs[1].zero_point) << bits, b_multiplier, b_shift)
    return min(max(rescale(a + b, multiplier, shift) + layer.outputs[0].zero_point, least), most)
