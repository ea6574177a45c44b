"""Subtract: output = activation(a - b), element by element."""

from ..binary import check_sum

check = check_sum
PLACE = "in place"


def run(layer, inputs):
    from ..arithmetic import sums

    return [sums(layer, inputs, -1)]
