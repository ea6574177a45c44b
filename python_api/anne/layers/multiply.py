"""Multiply: output = activation(a b), element by element."""

from ..binary import check as check_operands
from ..binary import check_factor
from ..checks import check_limits

PLACE = "in place"


def check(layer):
    # words of parameters of integers: multiplier and shift of the product; limits of the result
    check_operands(layer, 4)
    x = layer.inputs[0]
    if x.dtype != "float32":
        shift = 13 if x.dtype == "int8" else 0
        check_factor(layer, 0, "the product", "2^%d" % shift, -30, shift, 0x7FFFFFFF)
        check_limits(layer, 2)


def run(layer, inputs):
    from ..arithmetic import activated, pairs, rescale, times

    if layer.inputs[0].dtype == "float32":
        return [activated(layer, [times(a, b) for a, b in pairs(layer, inputs)])]
    multiplier, shift, least, most = layer.parameters[:4]
    zero_point = layer.outputs[0].zero_point
    made = [rescale(a * b, multiplier, shift) + zero_point for a, b in pairs(layer, inputs)]
    return [[min(max(q, least), most) for q in made]]
