"""Activation: output = activation(input), of floats by its formula, of integers by a table."""

import struct

from ..checks import check_bytes, check_counts, check_tensors, refuse

PLACE = "in place"


def check(layer):
    check_tensors(layer, 1)
    x, y = layer.inputs[0], layer.outputs[0]
    check_counts(layer, 0 if x.dtype == "float32" else 1, 0)
    if x.dtype != y.dtype or x.shape != y.shape:
        refuse(layer.where, "an output of %s %s" % (x.dtype, x.shape), "%s %s" % (y.dtype, y.shape))
    if x.dtype == "float32":
        return
    if layer.activation == "log_softmax":
        refuse(layer.where, "floats for log_softmax", x.dtype)
    if layer.activation == "softmax":
        letter, entries, first, most, bits, zero_point = (
            ("i", 256, 0x7FFFFFFF, 511, 8, -128) if x.dtype == "int8" else ("h", 513, 0x7FFF, 65536, 15, 0)
        )
        if x.shape[-1] > most:
            refuse(layer.where, "at most %d elements in a row" % most, x.shape[-1])
        if (y.scale, y.zero_point) != (2.0**-bits, zero_point):
            got = "%s and %d" % (y.scale, y.zero_point)
            refuse(layer.where, "an output of scale 2^-%d and zero_point %d" % (bits, zero_point), got)
    else:
        letter, entries, first = ("b", 256, None) if x.dtype == "int8" else ("h", 513, None)
    check_bytes(layer, 0, struct.calcsize("<%d%s" % (entries, letter)), "table")
    if first is not None:
        table = struct.unpack_from("<%d%s" % (entries, letter), layer.constants[0])
        if table[0] != first or min(table) < 0:
            refuse(layer.where, "exponentials from %d down to 0" % first, "%d to %d" % (table[0], min(table)))


def run(layer, inputs):
    from ..arithmetic import activated, line

    (x,) = inputs
    tensor = layer.inputs[0]
    if tensor.dtype == "float32":
        return [_row_by_row(layer, x, activated) if "softmax" in layer.activation else activated(layer, x)]
    if layer.activation == "softmax":
        return [_row_by_row(layer, x, _softmax_s8 if tensor.dtype == "int8" else _softmax_s16)]
    if tensor.dtype == "int8":
        table = struct.unpack_from("<256b", layer.constants[0])
        return [[table[q + 128] for q in x]]
    table = struct.unpack_from("<513h", layer.constants[0])
    return [[line(table, q + 32768) for q in x]]


def _row_by_row(layer, x, function):
    n = layer.inputs[0].shape[-1]
    y = []
    for at in range(0, len(x), n):
        y += function(layer, x[at : at + n])
    return y


def _softmax_s16(layer, x):
    from ..arithmetic import line

    table = struct.unpack_from("<513h", layer.constants[0])
    top = max(x)
    exponentials = [line(table, top - q) for q in x]
    total = sum(exponentials)
    return [min(((e << 15) + total // 2) // total, 32767) for e in exponentials]


def _softmax_s8(layer, x):
    # gemmlowp's fixed-point softmax, as TensorFlow Lite Micro has it; the exponentials come with the file
    from ..arithmetic import high_mul, one_over_one_plus, rounding_shift

    table = struct.unpack_from("<256i", layer.constants[0])
    top = max(x)
    total = sum(rounding_shift(table[top - q], 12) for q in x)
    headroom = 0
    while total << headroom < 1 << 31:
        headroom += 1
    reciprocal = one_over_one_plus((total << headroom) - (1 << 31))
    shift = 12 - headroom + 31 - 8
    return [min(rounding_shift(high_mul(reciprocal, table[top - q]), shift) - 128, 127) for q in x]
