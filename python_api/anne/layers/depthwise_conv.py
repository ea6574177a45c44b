"""Depthwise convolution: each channel of an image has windows and weights of its own."""

from ..checks import check_activation, check_counts, check_limits, check_tensors, refuse
from ..weights import check_plain, plain_constants
from ..windows import PARAMETERS as _ACT_MIN
from ..windows import check_window

PLACE = "own"
_PARAMETERS = _ACT_MIN + 2


def check(layer):
    check_tensors(layer, 1)
    x, y = layer.inputs[0], layer.outputs[0]
    check_counts(layer, plain_constants(layer), _PARAMETERS)
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
    check_plain(layer, 1, n_out, layer.parameters[0] * layer.parameters[1])


def run(layer, inputs):
    from ..arithmetic import activated
    from ..layouts.rows import plain_letter, plain_row, run_plain_row
    from ..taps import taps_at

    x, y = layer.inputs[0], layer.outputs[0]
    channels, n_out = x.shape[-1], y.shape[-1]
    taps = layer.parameters[0] * layer.parameters[1]
    rows = [plain_row(layer, o, taps, plain_letter(layer)) for o in range(n_out)]
    values = []
    for places in taps_at(layer):
        for o in range(n_out):
            c = o // (n_out // channels)
            seen = [x.zero_point if at is None else inputs[0][at * channels + c] for at in places]
            values.append(run_plain_row(layer, o, rows[o], seen))
    return [activated(layer, values) if x.dtype == "float32" else values]


def macs(layer):
    return layer.parameters[0] * layer.parameters[1] * layer.outputs[0].size
