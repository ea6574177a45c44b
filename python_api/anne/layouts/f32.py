"""Floats as they are."""

import struct

from ..arithmetic import activated, beyond_is_infinite, normal
from ..checks import check_floats


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
    def rows(layer, n_in, n_out):
        return [
            [normal(w) for w in struct.unpack_from("<%df" % n_in, layer.constants[0], 4 * n_in * r)]
            for r in range(n_out)
        ]

    @staticmethod
    def run(layer, rows, x):
        x = [normal(v) for v in x]
        y = []
        for r in range(len(rows)):
            total = normal(struct.unpack_from("<f", layer.constants[1], 4 * r)[0])
            for w, v in zip(rows[r], x):
                total += w * v
            y.append(beyond_is_infinite(total))
        return activated(layer, y)
