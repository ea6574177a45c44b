"""Weights of 4 bits."""

import struct

from ..checks import check_bytes, refuse
from .rows import check_rows, run_rows

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
        check_rows(layer, n_out)

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
    def rows(cls, layer, n_in, n_out):
        panel = struct.unpack("<I", layer.constants[3])[0]
        return [cls.row(layer.constants[0], n_in, n_out, panel, r) for r in range(n_out)]

    @staticmethod
    def run(layer, rows, x):
        return run_rows(layer, rows, x)
