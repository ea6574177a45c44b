"""Transposed convolution: each pixel of the input adds a window of its own to the output."""

from ..checks import check_activation, check_counts, check_limits, check_tensors, refuse
from ..weights import check_plain, plain_constants
from ..windows import MAX_STEPS, check_window_words
from ..windows import PARAMETERS as _ACT_MIN

PLACE = "own"
_PARAMETERS = _ACT_MIN + 2


def check(layer):
    check_tensors(layer, 1)
    x, y = layer.inputs[0], layer.outputs[0]
    check_counts(layer, plain_constants(layer), _PARAMETERS)
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
    check_plain(layer, taps, n_out, n_in)


def run(layer, inputs):
    from ..arithmetic import activated
    from ..layouts.rows import plain_letter, plain_rows, run_plain_row
    from ..taps import sources_at

    x, y = layer.inputs[0], layer.outputs[0]
    n_in, n_out = x.shape[-1], y.shape[-1]
    letter = plain_letter(layer)
    values = []
    for taps in sources_at(layer):  # pairs of a tap's number and a pixel's
        seen = []
        for _, pixel in taps:
            seen += [v - x.zero_point for v in inputs[0][pixel * n_in : (pixel + 1) * n_in]]
        for o in range(n_out):
            row = plain_rows(layer, [t * n_out + o for t, _ in taps], n_in, letter)
            values.append(run_plain_row(layer, o, row, seen, n_in))
    return [activated(layer, values) if x.dtype == "float32" else values]


def macs(layer):
    return layer.parameters[0] * layer.parameters[1] * layer.inputs[0].size * layer.outputs[0].shape[-1]


def steps(layer):
    from ..taps import number_of_taps

    return number_of_taps(layer)
