"""What layouts of integers share: a bias, a multiplier and a shift for each row."""

import struct

from ..arithmetic import INT32_MAX, beyond_is_infinite, float32, normal, plus, rescale, times
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


def check_sums(layer, r, row):
    """ValueError unless 2^15 times the magnitudes of row r's int16 weights, plus its bias, is below 2^31."""
    bias = struct.unpack_from("<i", layer.constants[1], 4 * r)[0]
    total = 32768 * sum(abs(w) for w in row) + abs(bias)
    if total > INT32_MAX:
        refuse(layer.where, "sums below 2^31", "up to %d in row %d" % (total, r))


def check_plain_rows(layer, parts, n_out, n_in):
    """ValueError unless bias, factors, and of int16 the sums that `parts` times n_out rows can make, are good."""
    check_rows(layer, n_out)
    for r in range(n_out) if layer.inputs[0].dtype == "int16" else ():
        check_sums(layer, r, plain_rows(layer, range(r, parts * n_out, n_out), n_in, "h"))


def plain_row(layer, r, n_in, letter):
    """Return row r of n_in weights in the type of that letter (struct), which stand row after row in constant 0."""
    return struct.unpack_from(
        "<%d%s" % (n_in, letter), layer.constants[0], r * n_in * struct.calcsize(letter)
    )


def plain_rows(layer, numbers, n_in, letter):
    """Return the rows of those numbers, one behind the other."""
    row = ()
    for r in numbers:
        row += plain_row(layer, r, n_in, letter)
    return row


def plain_letter(layer):
    """Return the type of such weights, as struct has it."""
    dtype = layer.inputs[0].dtype
    return "f" if dtype == "float32" and len(layer.constants) == 2 else "h" if dtype == "int16" else "b"


def run_row(layer, r, row, x, limits):
    """Return zero_point + rescale(bias + sum of w x), within the limits, for row r of weights."""
    total = struct.unpack_from("<i", layer.constants[1], 4 * r)[0]
    for w, v in zip(row, x):
        total += w * v
    multiplier, shift = struct.unpack_from("<ii", layer.constants[2], 8 * r)
    return min(max(rescale(total, multiplier, shift) + layer.outputs[0].zero_point, limits[0]), limits[1])


def run_rows(layer, rows, x):
    """Return the result of each of the rows of weights; the layer's last parameters are its limits."""
    return [run_row(layer, r, rows[r], x, layer.parameters[-2:]) for r in range(len(rows))]


def run_plain_row(layer, r, row, x, n=None):
    """Return the result of row r of weights that stand as they are, of floats before the activation.

    The layer's last parameters are its limits. With n a sum of floats is rounded behind each n of them.
    """
    if layer.inputs[0].dtype == "float32":
        return _float_row(layer, r, row, x, n or max(1, len(row)))
    return run_row(layer, r, row, x, layer.parameters[-2:])


def _float_row(layer, r, row, x, n):
    """Return the sum of row r of plain float weights; or of int8 weights, scaled without bias as constant 2 has it."""
    bias = struct.unpack_from("<f", layer.constants[1], 4 * r)[0]
    is_plain = len(layer.constants) == 2
    total = normal(bias) if is_plain else 0.0
    for first in range(0, len(row), n):
        for w, v in zip(row[first : first + n], x[first : first + n]):
            total += normal(w) * normal(v)
        total = beyond_is_infinite(total)
        if n < len(row):
            total = float32(total)
    if is_plain:
        return total
    scale = struct.unpack_from("<f", layer.constants[2], 4 * r)[0]
    return plus(times(float32(total), scale), bias)
