"""How weights lie in a model file (FORMAT.md, "Kind 1, dense"): read and multiplied in plain Python.

A layout names the kernel that the weights are packed for. Here each is unpacked to rows of numbers and computed as its
definition reads, without the kernel's tricks. Not frozen into firmware, whose native module does all this.
"""

import math
import struct

from . import model_file
from .model_file import check_bytes, check_floats, refuse
from .reference import activate

# Below this a number's nearest float32 is denormal. (Where floats have 32 bits it comes out as 2^-126, which is right.)
_LEAST = 2.0**-126 - 2.0**-150
_BEYOND = 2.0**128 - 2.0**103  # from here on it is infinite


def normal(v):
    """Return v, but a zero of its sign where the nearest float32 is denormal: it counts as 0 (FORMAT.md)."""
    return math.copysign(0.0, v) if abs(v) < _LEAST else v


def times(a, b):
    """Return a b rounded to float32, where denormals count as 0."""
    return normal(_float32(normal(a) * normal(b)))


def plus(a, b):
    """Return a + b rounded to float32, where denormals count as 0."""
    return normal(_float32(normal(a) + normal(b)))


def activated(layer, values):
    """Return the layer's activation of float32 values, where denormals count as 0."""
    values = activate(layer.activation, [normal(v) for v in values], normal(layer.alpha))
    return [normal(v) for v in values]


class F32:
    """Layout 1: weights and bias float32, rows one after another. Sums start with the bias and go along the row.

    Denormals count as 0, and what float32 cannot hold is infinite before the activation. What comes between has all
    digits that Python's floats have.
    """

    name = "f32"

    @staticmethod
    def check(layer, n_in, n_out):
        check_floats(layer, 0, n_in * n_out, "weights")
        check_floats(layer, 1, n_out, "bias")

    @staticmethod
    def run(layer, x):
        n_in = len(x)
        x = [normal(v) for v in x]
        y = []
        for r in range(layer.outputs[0].size):
            total = normal(struct.unpack_from("<f", layer.constants[1], 4 * r)[0])
            row = struct.unpack_from("<%df" % n_in, layer.constants[0], 4 * n_in * r)
            for j in range(n_in):
                total += normal(row[j]) * x[j]
            y.append(math.copysign(math.inf, total) if abs(total) >= _BEYOND else total)
        return activated(layer, y)


def _exponent(v):
    # the least e with |v| < 2^e, for a normal float32; None for what counts as 0
    v = abs(v)
    return math.frexp(v)[1] if v >= 2.0**-126 else None


def _round_float32(n, exponent):
    # n 2^exponent rounded to float32, halves away from zero; then 0 if denormal, infinite if too large
    size = abs(n)
    drop = max(_bit_length(size) - 24, -149 - exponent, 0)
    size = (size + (1 << drop >> 1)) >> drop
    exponent += drop
    if n == 0 or _bit_length(size) + exponent < -125:
        return 0.0
    value = math.inf if _bit_length(size) + exponent > 128 else math.ldexp(size, exponent)
    return -value if n < 0 else value


def _float32(v):
    # v rounded as IEEE 754 says
    try:
        return struct.unpack("<f", struct.pack("<f", v))[0]
    except OverflowError:  # MicroPython's floats are float32 already and give infinity by themselves
        return math.inf if v > 0 else -math.inf


class F32Aligned:
    """Layout 6: weights as integers of 25 bits with a power of two a row, exact arithmetic on integers.

    A word of weights is 2^16 h + l + 2048 for W = 4096 h + l; columns come in panels of 168, and in each the words of
    two rows alternate. FORMAT.md has the arithmetic.
    """

    name = "f32_aligned"
    PANEL = 168
    MAX_IN = 65535
    MAX_WEIGHT = 1 << 24  # then the sum over all columns stays below 2^30 of its units, and so does the bias
    MIN_EXPONENT, MAX_EXPONENT = -149, 104

    @classmethod
    def check(cls, layer, n_in, n_out):
        if n_in > cls.MAX_IN:
            refuse(layer.where, "at most %d inputs" % cls.MAX_IN, n_in)
        check_bytes(layer, 0, 4 * n_in * ((n_out + 1) // 2 * 2), "weights")
        check_floats(layer, 1, n_out, "bias")
        check_bytes(layer, 2, 4 * n_out, "exponents")
        for i in range(0, len(layer.constants[0]), 4):
            low, high = struct.unpack_from("<Hh", layer.constants[0], i)
            weight = 4096 * high + low - 2048
            if low >= 4096 or not -cls.MAX_WEIGHT <= weight <= cls.MAX_WEIGHT:
                refuse(
                    layer.where, "weights within 2^24", "%d, limbs %d and %d, at %d" % (weight, high, low, i)
                )
        for r in range(n_out):
            exponent = struct.unpack_from("<i", layer.constants[2], 4 * r)[0]
            if not cls.MIN_EXPONENT <= exponent <= cls.MAX_EXPONENT:
                refuse(layer.where, "exponents of %d to %d" % (cls.MIN_EXPONENT, cls.MAX_EXPONENT), exponent)

    @classmethod
    def limbs(cls, weights, n_in, n_out, r):
        """Return the pairs (h, l) of row r."""
        pairs = []
        for first in range(0, n_in, cls.PANEL):
            n = min(cls.PANEL, n_in - first)
            start = 4 * (first * ((n_out + 1) // 2 * 2) + r // 2 * 2 * n + r % 2)
            for j in range(n):
                low, high = struct.unpack_from("<Hh", weights, start + 8 * j)
                pairs.append((high, low - 2048))
        return pairs

    @classmethod
    def run(cls, layer, x):
        n_in, n_out = len(x), layer.outputs[0].size
        exponent = _common_exponent(x)
        if exponent is None:
            return activated(layer, [math.nan] * n_out)
        aligned = [_limbs(_align(v, exponent)) for v in x]
        shift = 5 + _bit_length(n_in)
        y = []
        for r in range(n_out):
            weights = cls.limbs(layer.constants[0], n_in, n_out, r)
            total = 0
            for first in range(0, n_in, cls.PANEL):
                q = 0
                for j in range(first, min(first + cls.PANEL, n_in)):
                    h, low = weights[j]
                    xh, xl = aligned[j]
                    q += 4096 * h * xh + h * xl + low * xh
                total += (q + (1 << shift >> 1)) >> shift
            bias = struct.unpack_from("<f", layer.constants[1], 4 * r)[0]
            unit = shift - 11 + exponent + struct.unpack_from("<i", layer.constants[2], 4 * r)[0]
            y.append(_add_bias(total, unit, bias))
        return activated(layer, y)


def _bit_length(n):
    bits = 0
    while n >> bits:
        bits += 1
    return bits


def _common_exponent(x):
    # the least e >= -126 with every |v| < 2^e, None if there is a NaN or an infinity
    if not all(-math.inf < v < math.inf for v in x):
        return None
    return max([e for e in map(_exponent, x) if e is not None] + [-126])


def _align(v, exponent):
    # v 2^(23 - exponent) rounded, halves away from zero
    if _exponent(v) is None:
        return 0
    mantissa, own = math.frexp(abs(v))
    n = ((int(math.ldexp(mantissa, 24)) >> (exponent - own)) + 1) >> 1
    return -n if v < 0 else n


def _limbs(n):
    # n = 4096 high + low, low from -2048 to 2047
    high = (n + 2048) >> 12
    return high, n - 4096 * high


def _add_bias(total, unit, bias):
    # (total + bias in that unit) 2^unit where the bias is below 2^30 units, else two roundings
    own = _exponent(bias)
    if own is None:
        return _round_float32(total, unit)
    shift = own - 24 - unit
    if shift > 6:
        return plus(_round_float32(total, unit), bias) + 0.0  # without the sign of a zero
    mantissa = int(math.ldexp(math.frexp(bias)[0], 24))
    if shift >= 0:
        return _round_float32(total + (mantissa << shift), unit)
    return _round_float32(total + (((mantissa >> (-shift - 1)) + 1) >> 1), unit)


# --- Integers --------------------------------------------------------------------------------------------------------

MAX_BIAS = 1 << 28
MAX_SHIFT = 15
INT32_MAX = (1 << 31) - 1


def high_mul(a, b):
    """Return (a b + 2^30) >> 31: the high half of the doubled product of two int32, halves rounded up."""
    return (a * b + (1 << 30)) >> 31


def rounding_shift(x, n):
    """Return x / 2^n rounded to the nearest integer, halves away from zero; 0 <= n <= 31."""
    return (x + (1 << n >> 1) - (1 if x < 0 and n > 0 else 0)) >> n


def rescale(x, multiplier, shift):
    """Return x multiplier 2^(shift - 31), rounded twice as TensorFlow Lite Micro does; a left shift saturates."""
    left = min(max(x << shift, -INT32_MAX - 1), INT32_MAX) if shift > 0 else x
    return rounding_shift(high_mul(left, multiplier), -shift if shift < 0 else 0)


def _check_rows(layer, n_out):
    # bias, and a pair of multiplier and shift for each row
    check_bytes(layer, 1, 4 * n_out, "bias")
    check_bytes(layer, 2, 8 * n_out, "factors")
    for r in range(n_out):
        bias = struct.unpack_from("<i", layer.constants[1], 4 * r)[0]
        multiplier, shift = struct.unpack_from("<ii", layer.constants[2], 8 * r)
        if not -MAX_BIAS <= bias <= MAX_BIAS:
            refuse(layer.where, "a bias within 2^28", "%d in row %d" % (bias, r))
        if multiplier < 0 or not -31 <= shift <= MAX_SHIFT:
            refuse(layer.where, "a factor >= 0 and a shift of -31 to 15", "%d and %d" % (multiplier, shift))


def _run_rows(layer, x, row_of):
    # act_min <= zero_point + rescale(bias + sum of w x) <= act_max, row by row
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


class S8Quad:
    """Layout 2: a word for each column of four rows, bytes w + 128; columns and rows padded with w = 0.

    Columns come in panels of 508. In a panel, the words of eight rows alternate, column by column; if there is an odd
    number of fours, the last has its words in sequence.
    """

    name = "s8_quad"
    PANEL = 508
    MAX_IN = 16383  # with the limit of biases, all sums stay below 2^29

    @staticmethod
    def columns(n_in):
        return (n_in + 3) // 4 * 4

    @classmethod
    def check(cls, layer, n_in, n_out):
        if n_in > cls.MAX_IN:
            refuse(layer.where, "at most %d inputs" % cls.MAX_IN, n_in)
        check_bytes(layer, 0, 4 * cls.columns(n_in) * ((n_out + 3) // 4), "weights")
        _check_rows(layer, n_out)

    @classmethod
    def row(cls, weights, n_in, n_out, r):
        fours = (n_out + 3) // 4
        alternating = 2 if r // 8 * 2 + 1 < fours else 1
        values = []
        for first in range(0, n_in, cls.PANEL):
            n = min(cls.PANEL, n_in - first)
            start = 4 * (first * fours + r // 8 * 2 * cls.columns(n) + r % 8 // 4) + r % 4
            values += [weights[start + 4 * alternating * j] - 128 for j in range(n)]
        return values

    @classmethod
    def run(cls, layer, x):
        n_in, n_out = len(x), layer.outputs[0].size
        return _run_rows(layer, x, lambda r: cls.row(layer.constants[0], n_in, n_out, r))


# For each byte the magnitudes of its two weights of 4 bits, 20 bits apart, so that sums over a panel are, too: a file
# of 90 KB can have 2^25 of them to look through.
_TWO_MAGNITUDES = [abs((byte & 15) - 8) + (abs((byte >> 4) - 8) << 20) for byte in range(256)]


class S4:
    """Layout 3: a word for each column of eight rows, nibbles w + 8; columns in panels as constant 3 says.

    Columns are padded to a multiple of 4 and rows to one of 8 with w = 0. In a panel the magnitudes of a row's weights
    add up to at most 255.
    """

    name = "s4"
    MAX_IN = 16383
    HEAVIEST = 255

    @staticmethod
    def columns(n_in):
        return (n_in + 3) // 4 * 4

    @classmethod
    def check(cls, layer, n_in, n_out):
        if n_in > cls.MAX_IN:
            refuse(layer.where, "at most %d inputs" % cls.MAX_IN, n_in)
        check_bytes(layer, 0, 4 * cls.columns(n_in) * ((n_out + 7) // 8), "weights")
        check_bytes(layer, 3, 4, "panel")
        panel = struct.unpack("<I", layer.constants[3])[0]
        if panel == 0 or panel % 4 or panel > cls.MAX_IN:
            refuse(layer.where, "a panel of a multiple of 4 columns", panel)
        if min(panel, n_in) * 8 > cls.HEAVIEST:  # else no row can be too heavy
            for r in range(0, n_out, 2):
                cls._check_two_rows(layer, n_in, n_out, panel, r)
        _check_rows(layer, n_out)

    @classmethod
    def _check_two_rows(cls, layer, n_in, n_out, panel, r):
        # rows r and r + 1, of which a byte holds a column
        weights = layer.constants[0]
        for start, n in cls._panels(n_in, n_out, panel, r):
            total = sum([_TWO_MAGNITUDES[weights[i]] for i in range(start, start + 4 * n, 4)])
            for own, size in ((r, total & 0xFFFFF), (r + 1, total >> 20)):
                if size > cls.HEAVIEST and own < n_out:
                    wanted = "sums of |weights| up to %d a panel" % cls.HEAVIEST
                    refuse(layer.where, wanted, "%d in row %d" % (size, own))

    @classmethod
    def _panels(cls, n_in, n_out, panel, r):
        # for each panel: where the byte with row r's first column is, the next 4 bytes behind it; and how many columns
        for first in range(0, n_in, panel):
            n = min(panel, n_in - first)
            yield 4 * (first * ((n_out + 7) // 8) + r // 8 * cls.columns(n)) + r % 8 // 2, n

    @classmethod
    def row(cls, weights, n_in, n_out, panel, r):
        values = []
        for start, n in cls._panels(n_in, n_out, panel, r):
            values += [(weights[start + 4 * j] >> r % 2 * 4 & 15) - 8 for j in range(n)]
        return values

    @classmethod
    def run(cls, layer, x):
        n_in, n_out = len(x), layer.outputs[0].size
        panel = struct.unpack("<I", layer.constants[3])[0]
        return _run_rows(layer, x, lambda r: cls.row(layer.constants[0], n_in, n_out, panel, r))


class S8F32:
    """Layout 4: int8 weights packed as in layout 2, a float32 scale a row, on float32 values aligned to 23 bits."""

    name = "s8_f32"
    MAX_IN = S8Quad.MAX_IN

    @classmethod
    def check(cls, layer, n_in, n_out):
        if n_in > cls.MAX_IN:
            refuse(layer.where, "at most %d inputs" % cls.MAX_IN, n_in)
        check_bytes(layer, 0, 4 * S8Quad.columns(n_in) * ((n_out + 3) // 4), "weights")
        check_floats(layer, 1, n_out, "bias")
        check_floats(layer, 2, n_out, "scale")

    @staticmethod
    def run(layer, x):
        n_in, n_out = len(x), layer.outputs[0].size
        exponent = _common_exponent(x)
        if exponent is None:
            return activated(layer, [math.nan] * n_out)
        aligned = [_align(v, exponent + 1) for v in x]
        shift = _bit_length(n_in)
        y = []
        for r in range(n_out):
            total = 0
            for w, v in zip(S8Quad.row(layer.constants[0], n_in, n_out, r), aligned):
                total += w * v
            total = (total + (1 << shift >> 1)) >> shift
            bias = struct.unpack_from("<f", layer.constants[1], 4 * r)[0]
            scale = struct.unpack_from("<f", layer.constants[2], 4 * r)[0]
            y.append(plus(times(_round_float32(total, shift + exponent - 22), scale), bias))
        return activated(layer, y)


class S16:
    """Layout 5: a word for two columns of a row, w0 + 2^15 + 2^16 w1; n_in padded to an even number with w = 0.

    The words of six rows alternate; fewer than six at the end come row after row. 32768 sum |weights| + |bias| of a row
    is below 2^31.
    """

    name = "s16"

    @classmethod
    def check(cls, layer, n_in, n_out):
        check_bytes(layer, 0, 4 * ((n_in + 1) // 2) * n_out, "weights")
        _check_rows(layer, n_out)
        for r in range(n_out):
            row = cls.row(layer.constants[0], n_in, n_out, r)
            bias = struct.unpack_from("<i", layer.constants[1], 4 * r)[0]
            total = 32768 * sum(abs(w) for w in row) + abs(bias)
            if total > INT32_MAX:
                refuse(layer.where, "sums below 2^31", "up to %d in row %d" % (total, r))

    @staticmethod
    def row(weights, n_in, n_out, r):
        pairs = (n_in + 1) // 2
        alternate = r < n_out // 6 * 6
        start, step = (r // 6 * 6 * pairs + r % 6, 6) if alternate else (r * pairs, 1)
        values = []
        for pair in range(pairs):
            low, high = struct.unpack_from("<Hh", weights, 4 * (start + step * pair))
            values += [low - 32768, high]
        return values

    @classmethod
    def run(cls, layer, x):
        n_in, n_out = len(x), layer.outputs[0].size
        return _run_rows(layer, x, lambda r: cls.row(layer.constants[0], n_in, n_out, r))


_BY_NAME = {layout.name: layout for layout in (F32, S8Quad, S4, S8F32, S16, F32Aligned)}
# number in the file -> class
LAYOUTS = {number: _BY_NAME[name] for number, (name, _, _, _) in model_file.LAYOUTS.items()}
