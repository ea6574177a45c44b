"""Activation: output = activation(input), of floats by its formula, of integers by a table."""

import struct

from ..checks import check_bytes, check_counts, check_tensors, refuse

PLACE = "in place"


# Those over rows, by type: letter and number of the table's entries, how many of them are exponentials, the first of
# these; at most so many elements in a row; the output's scale and zero point.
_OF_ROWS = {
    ("softmax", "int8"): ("i", 256, 256, 0x7FFFFFFF, 511, 2.0**-8, -128),
    ("softmax", "int16"): ("h", 513, 513, 0x7FFF, 65536, 2.0**-15, 0),
    ("log_softmax", "int8"): ("i", 512, 256, 1 << 19, 4095, 2.0**-4, 127),
}


def check(layer):
    check_tensors(layer, 1)
    x, y = layer.inputs[0], layer.outputs[0]
    check_counts(layer, 0 if x.dtype == "float32" else 1, 0)
    if x.dtype != y.dtype or x.shape != y.shape:
        refuse(layer.where, "an output of %s %s" % (x.dtype, x.shape), "%s %s" % (y.dtype, y.shape))
    if x.dtype == "float32":
        return
    if "softmax" in layer.activation:
        _check_rows(layer, x, y)
    else:
        check_bytes(layer, 0, 256 if x.dtype == "int8" else 513 * 2, "table")


def _check_rows(layer, x, y):
    if (layer.activation, x.dtype) not in _OF_ROWS:
        refuse(layer.where, "floats or int8 for log_softmax", x.dtype)
    letter, entries, n, first, most, scale, zero_point = _OF_ROWS[layer.activation, x.dtype]
    if x.shape[-1] > most:
        refuse(layer.where, "at most %d elements in a row" % most, x.shape[-1])
    if (y.scale, y.zero_point) != (scale, zero_point):
        got = "%s and %d" % (y.scale, y.zero_point)
        refuse(layer.where, "an output of scale %s and zero_point %d" % (scale, zero_point), got)
    layout = "<%d%s" % (entries, letter)
    check_bytes(layer, 0, struct.calcsize(layout), "table")
    table = struct.unpack_from(layout, layer.constants[0])
    if table[0] != first:
        refuse(layer.where, "exponentials that begin with %d" % first, table[0])
    for values, least, greatest in ((table[:n], 0, first), (table[n:], -(1 << 30), 0)):
        for value in values:
            if not least <= value <= greatest:
                refuse(layer.where, "a table of %d to %d" % (least, greatest), value)


def run(layer, inputs):
    from ..arithmetic import activated, line

    (x,) = inputs
    tensor = layer.inputs[0]
    if tensor.dtype == "float32":
        return [_row_by_row(layer, x, activated) if "softmax" in layer.activation else activated(layer, x)]
    if layer.activation == "softmax":
        return [_row_by_row(layer, x, _softmax_s8 if tensor.dtype == "int8" else _softmax_s16)]
    if layer.activation == "log_softmax":
        return [_row_by_row(layer, x, _log_softmax_s8)]
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


def _log_softmax_s8(layer, x):
    # TensorFlow Lite Micro's, in fixed point; exponentials and differences from the maximum come with the file
    from ..arithmetic import rounding_shift

    table = struct.unpack_from("<512i", layer.constants[0])
    top = max(x)
    logarithm = _logarithm(sum(table[top - q] for q in x))
    return [max(rounding_shift(table[256 + top - q] - logarithm, 22) + 127, -128) for q in x]


def _logarithm(x):
    # ln x with 26 bits behind the point, of x from 1 with 19 of them; native_module/kernels/tables.c says how
    from ..arithmetic import high_mul, one_over_one_plus, rounding_shift

    sqrt_half, fourth_root_of_half, ln_2 = 1518500250, 1805811301, 1488522236
    zeros, power = 0, 1 << 31
    while power > x:
        zeros, power = zeros + 1, power >> 1
    r = x << (zeros - 1)
    if high_mul(x, sqrt_half) >= power:
        quarters = 51 - 4 * zeros
    else:
        r, quarters = 2 * high_mul(r, sqrt_half), 49 - 4 * zeros
    q = 2 * (r - fourth_root_of_half)
    square = high_mul(q, q)
    numerator = high_mul(q, r) + high_mul(high_mul(q, square), 117049297)
    denominator = 1057819769 + q + high_mul(127690142, square)
    denominator = high_mul((r + fourth_root_of_half + 1) >> 1, denominator) + high_mul(638450708, q)
    rest = high_mul(rounding_shift(numerator, 6), one_over_one_plus(denominator))
    return 2 * (high_mul(quarters << 23, ln_2) + rest)
