"""Weights of 16 bits."""

import struct

from ..checks import check_bytes
from .rows import check_rows, check_sums, run_rows


class S16:
    """Layout 5: a word for two columns of a row, w0 + 2^15 + 2^16 w1; n_in padded to an even number with w = 0.

    The words of six rows alternate; fewer than six at the end come row after row. 32768 sum |weights| + |bias| of a row
    is below 2^31.
    """

    name = "s16"

    @classmethod
    def check(cls, layer, n_in, n_out):
        check_bytes(layer, 0, 4 * ((n_in + 1) // 2) * n_out, "weights")
        check_rows(layer, n_out)
        for r in range(n_out):
            check_sums(layer, r, cls.row(layer.constants[0], n_in, n_out, r))

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
    def rows(cls, layer, n_in, n_out):
        return [cls.row(layer.constants[0], n_in, n_out, r) for r in range(n_out)]

    @staticmethod
    def run(layer, rows, x):
        return run_rows(layer, rows, x)
