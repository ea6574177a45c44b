"""Transposed convolution: each pixel of the input adds a window of its own to the output."""

from ..checks import (
    check_activation,
    check_bytes,
    check_counts,
    check_floats,
    check_limits,
    check_tensors,
    refuse,
)
from ..windows import MAX_STEPS, check_window_words
from ..windows import PARAMETERS as _ACT_MIN

PLACE = "own"
_PARAMETERS = _ACT_MIN + 2
_MAX_IN = 16383  # taps times channels of int8: then a sum with its bias stays within 2^30


def check(layer):
    check_tensors(layer, 1)
    x, y = layer.inputs[0], layer.outputs[0]
    # constants: weights, bias; then of integers the factors, of int8 weights on floats their scales
    is_plain = x.dtype == "float32" and len(layer.constants) == 2
    check_counts(layer, 2 if is_plain else 3, _PARAMETERS)
    check_window_words(layer)
    n_in, n_out = x.shape[-1], y.shape[-1]
    taps = layer.parameters[0] * layer.parameters[1]
    if y.dtype != x.dtype:
        refuse(layer.where, "an output of %s" % x.dtype, y.dtype)
    most = max(taps * x.size * n_out, taps * (y.size // n_out))
    if most > MAX_STEPS:
        refuse(layer.where, "at most %d steps" % MAX_STEPS, most)
    check_activation(layer)
    check_limits(layer, _ACT_MIN)
    if is_plain:
        check_floats(layer, 0, taps * n_in * n_out, "weights")
    else:
        check_bytes(layer, 0, taps * n_in * n_out * (2 if x.dtype == "int16" else 1), "weights")
    if x.dtype == "float32":
        check_floats(layer, 1, n_out, "bias")
        if not is_plain:
            check_floats(layer, 2, n_out, "scales")
        return
    if x.dtype == "int8" and taps * n_in > _MAX_IN:
        refuse(layer.where, "at most %d weights for an output" % _MAX_IN, taps * n_in)
    try:
        from ..layouts.rows import check_rows, check_sums
    except ImportError:
        return  # not in firmware: there the native module alone looks through them
    check_rows(layer, n_out)
    for o in range(n_out) if x.dtype == "int16" else ():
        check_sums(layer, o, _row(layer, o, range(taps), "h"))


def _row(layer, o, taps, letter):
    # the weights of output channel o for these taps
    from ..layouts.rows import plain_row

    n_in, n_out = layer.inputs[0].shape[-1], layer.outputs[0].shape[-1]
    row = ()
    for t in taps:
        row += plain_row(layer, t * n_out + o, n_in, letter)
    return row


def run(layer, inputs):
    from ..arithmetic import activated
    from ..layouts.rows import run_row
    from ..taps import sources_at

    x, y = layer.inputs[0], layer.outputs[0]
    n_in, n_out = x.shape[-1], y.shape[-1]
    is_float = x.dtype == "float32"
    letter = "f" if is_float and len(layer.constants) == 2 else "h" if x.dtype == "int16" else "b"
    values = []
    for taps in sources_at(layer):  # pairs of a tap's number and a pixel's
        seen = []
        for _, pixel in taps:
            seen += [v - x.zero_point for v in inputs[0][pixel * n_in : (pixel + 1) * n_in]]
        for o in range(n_out):
            row = _row(layer, o, [t for t, _ in taps], letter)
            if is_float:
                values.append(_one_float(layer, o, row, seen))
            else:
                values.append(run_row(layer, o, row, seen, layer.parameters[_ACT_MIN:]))
    return [activated(layer, values) if is_float else values]


def _one_float(layer, o, row, seen):
    from ..layouts.rows import run_float_row

    return run_float_row(layer, o, row, seen)


def macs(layer):
    return layer.parameters[0] * layer.parameters[1] * layer.inputs[0].size * layer.outputs[0].shape[-1]


def steps(layer):
    from ..taps import number_of_taps

    return number_of_taps(layer)
