"""Depthwise convolution: each channel of an image has windows and weights of its own."""

from ..checks import (
    check_activation,
    check_bytes,
    check_counts,
    check_floats,
    check_limits,
    check_tensors,
    refuse,
)
from ..windows import PARAMETERS as _ACT_MIN
from ..windows import check_window

PLACE = "own"
_PARAMETERS = _ACT_MIN + 2
_MAX_TAPS = 16383  # of int8: then a sum with its bias stays within 2^29


def check(layer):
    check_tensors(layer, 1)
    x, y = layer.inputs[0], layer.outputs[0]
    # constants: weights, bias; then of integers the factors, of int8 weights on floats their scales
    is_plain = x.dtype == "float32" and len(layer.constants) == 2
    check_counts(layer, 2 if is_plain else 3, _PARAMETERS)
    n_out = y.shape[-1]
    check_window(layer, n_out)
    if y.dtype != x.dtype or n_out % x.shape[-1]:
        refuse(
            layer.where,
            "an output of %s, channels times %d" % (x.dtype, x.shape[-1]),
            "%s %s" % (y.dtype, y.shape),
        )
    check_activation(layer)
    check_limits(layer, _ACT_MIN)
    taps = layer.parameters[0] * layer.parameters[1]
    if is_plain:
        check_floats(layer, 0, taps * n_out, "weights")
    else:
        check_bytes(layer, 0, taps * n_out * (2 if x.dtype == "int16" else 1), "weights")
    if x.dtype == "float32":
        check_floats(layer, 1, n_out, "bias")
        if not is_plain:
            check_floats(layer, 2, n_out, "scales")
        return
    if x.dtype == "int8" and taps > _MAX_TAPS:
        refuse(layer.where, "at most %d taps" % _MAX_TAPS, taps)
    try:
        from ..layouts.rows import check_plain_rows
    except ImportError:
        return  # not in firmware: there the native module alone looks through them
    check_plain_rows(layer, n_out, taps)


def run(layer, inputs):
    from ..arithmetic import activated
    from ..layouts.rows import plain_row
    from ..taps import taps_at

    x, y = layer.inputs[0], layer.outputs[0]
    channels, n_out = x.shape[-1], y.shape[-1]
    taps = layer.parameters[0] * layer.parameters[1]
    is_float = x.dtype == "float32"
    letter = "f" if is_float and len(layer.constants) == 2 else "h" if x.dtype == "int16" else "b"
    rows = [plain_row(layer, o, taps, letter) for o in range(n_out)]
    one = _one_float if is_float else _one_integer
    values = []
    for places in taps_at(layer):
        for o in range(n_out):
            c = o // (n_out // channels)
            seen = [x.zero_point if at is None else inputs[0][at * channels + c] for at in places]
            values.append(one(layer, o, rows[o], seen))
    return [activated(layer, values) if is_float else values]


def _one_integer(layer, o, row, seen):
    from ..layouts.rows import run_row

    return run_row(layer, o, row, seen, layer.parameters[_ACT_MIN:])


def _one_float(layer, o, row, seen):
    from ..layouts.rows import run_float_row

    return run_float_row(layer, o, row, seen)


def macs(layer):
    return layer.parameters[0] * layer.parameters[1] * layer.outputs[0].size
