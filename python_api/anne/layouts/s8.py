"""Weights of 8 bits, between integers and between floats."""

import math
import struct

from ..arithmetic import activated, plus, times
from ..checks import check_bytes, check_floats, refuse
from .aligned import align, bit_length, common_exponent, round_float32
from .rows import check_rows, run_rows


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
        check_rows(layer, n_out)

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
    def rows(cls, layer, n_in, n_out):
        return [cls.row(layer.constants[0], n_in, n_out, r) for r in range(n_out)]

    @staticmethod
    def run(layer, rows, x):
        return run_rows(layer, rows, x)


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

    rows = S8Quad.rows

    @staticmethod
    def run(layer, rows, x):
        exponent = common_exponent(x)
        if exponent is None:
            return activated(layer, [math.nan] * len(rows))
        aligned = [align(v, exponent + 1) for v in x]
        shift = bit_length(len(x))
        y = []
        for r in range(len(rows)):
            total = 0
            for w, v in zip(rows[r], aligned):
                total += w * v
            total = (total + (1 << shift >> 1)) >> shift
            bias = struct.unpack_from("<f", layer.constants[1], 4 * r)[0]
            scale = struct.unpack_from("<f", layer.constants[2], 4 * r)[0]
            y.append(plus(times(round_float32(total, shift + exponent - 22), scale), bias))
        return activated(layer, y)
