"""Prelu: output = a, or a b where a is negative, element by element."""

from ..binary import check as check_operands
from ..binary import check_factor
from ..checks import check_limits

PLACE = "in place"


def check(layer):
    # words of parameters of integers: multiplier and shift of what is not negative, and of the product; limits
    check_operands(layer, 6)
    if layer.inputs[0].dtype != "float32":
        check_factor(layer, 0, "a", "2^15", -31, 15, 0x7FFFFFFF)
        check_factor(layer, 2, "the product", "2^15", -31, 15, 0x7FFFFFFF)
        check_limits(layer, 4)


def run(layer, inputs):
    from ..arithmetic import activated, normal, pairs, rescale, times

    if layer.inputs[0].dtype == "float32":
        return [activated(layer, [times(a, b) if a < 0 else normal(a) for a, b in pairs(layer, inputs)])]
    above, above_shift, below, below_shift, least, most = layer.parameters[:6]
    zero_point = layer.outputs[0].zero_point
    made = []
    for a, b in pairs(layer, inputs):
        q = rescale(a, above, above_shift) if a >= 0 else rescale(a * b, below, below_shift)
        made.append(min(max(q + zero_point, least), most))
    return [made]
