"""What layouts of integers share: a bias, a multiplier and a shift for each row."""

import struct

from ..arithmetic import rescale
from ..checks import check_bytes, refuse

MAX_BIAS = 1 << 28
MAX_SHIFT = 15


def check_rows(layer, n_out):
    """ValueError unless constants 1 and 2 are a bias, and a pair of multiplier and shift, for each row."""
    check_bytes(layer, 1, 4 * n_out, "bias")
    check_bytes(layer, 2, 8 * n_out, "factors")
    for r in range(n_out):
        bias = struct.unpack_from("<i", layer.constants[1], 4 * r)[0]
        multiplier, shift = struct.unpack_from("<ii", layer.constants[2], 8 * r)
        if not -MAX_BIAS <= bias <= MAX_BIAS:
            refuse(layer.where, "a bias within 2^28", "%d in row %d" % (bias, r))
        if multiplier < 0 or not -31 <= shift <= MAX_SHIFT:
            refuse(layer.where, "a factor >= 0 and a shift of -31 to 15", "%d and %d" % (multiplier, shift))


def run_rows(layer, x, row_of):
    """Return zero_point + rescale(bias + sum of w x), within act_min and act_max, for each row of weights row_of(r)."""
    out = layer.outputs[0]
    _, least, most = layer.parameters
    y = []
    for r in range(out.size):
        total = struct.unpack_from("<i", layer.constants[1], 4 * r)[0]
        for w, v in zip(row_of(r), x):
            total += w * v
        multiplier, shift = struct.unpack_from("<ii", layer.constants[2], 8 * r)
        y.append(min(max(rescale(total, multiplier, shift) + out.zero_point, least), most))
    return y
