"""Embedding: rows of a table by their numbers."""

import struct

from ..checks import check_counts, check_floats, check_tensors, refuse

PLACE = "own"


def check(layer):
    check_tensors(layer, 1)
    check_counts(layer, 1, 0)
    x, y = layer.inputs[0], layer.outputs[0]
    if x.scale != 1 or x.zero_point != 0 or y.shape[:-1] != x.shape:
        got = "%s for %s of scale %s and zero_point %d" % (y.shape, x.shape, x.scale, x.zero_point)
        refuse(layer.where, "a row for each number, of scale 1 and zero_point 0", got)
    n_bytes, row_bytes = len(layer.constants[0]), y.nbytes // x.size
    if n_bytes == 0 or n_bytes % row_bytes:
        refuse(layer.where, "a table of rows of %d bytes" % row_bytes, "%d bytes" % n_bytes)
    if y.letter == "f":
        check_floats(layer, 0, n_bytes // 4, "rows")


def run(layer, inputs):
    y = layer.outputs[0]
    width = y.shape[-1]
    values = struct.unpack("<%d%s" % (len(layer.constants[0]) // y.itemsize, y.letter), layer.constants[0])
    n_rows = len(values) // width
    result = []
    for v in inputs[0]:
        # NaN is 0, as it is neither above 0 nor beyond the table
        row = n_rows - 1 if v >= n_rows else int(v) if v > 0 else 0
        result += values[row * width : (row + 1) * width]
    return [result]
