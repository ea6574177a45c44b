"""Floats of 25 bits with one exponent a row."""

import math
import struct

from ..arithmetic import activated, plus
from ..checks import check_bytes, check_floats, refuse
from .aligned import align, bit_length, common_exponent, exponent_of, round_float32


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
    def rows(cls, layer, n_in, n_out):
        return [cls.limbs(layer.constants[0], n_in, n_out, r) for r in range(n_out)]

    @classmethod
    def run(cls, layer, rows, x):
        n_in, n_out = len(x), len(rows)
        exponent = common_exponent(x)
        if exponent is None:
            return activated(layer, [math.nan] * n_out)
        aligned = [_limbs(align(v, exponent)) for v in x]
        shift = 5 + bit_length(n_in)
        y = []
        for r in range(n_out):
            weights = rows[r]
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


def _limbs(n):
    # n = 4096 high + low, low from -2048 to 2047
    high = (n + 2048) >> 12
    return high, n - 4096 * high


def _add_bias(total, unit, bias):
    # (total + bias in that unit) 2^unit where the bias is below 2^30 units, else two roundings
    own = exponent_of(bias)
    if own is None:
        return round_float32(total, unit)
    shift = own - 24 - unit
    if shift > 6:
        return plus(round_float32(total, unit), bias) + 0.0  # without the sign of a zero
    mantissa = int(math.ldexp(math.frexp(bias)[0], 24))
    if shift >= 0:
        return round_float32(total + (mantissa << shift), unit)
    return round_float32(total + (((mantissa >> (-shift - 1)) + 1) >> 1), unit)
