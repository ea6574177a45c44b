"""Resize: an image, or a signal, of another size, of the nearest pixels or of what lies between four of them."""

import struct

from ..checks import check_bytes, refuse, same_values
from ..windows import MAX_STEPS

PLACE = "own"
# parameter: the mode. Constants: for each row and column of the output which one of the input it is, and the next one's
# weight
NEAREST, BILINEAR = 0, 1
# the whole of a weight of integers
ONE = 1024


def check(layer):
    if len(layer.inputs) != 1 or len(layer.outputs) != 1 or len(layer.parameters) != 1:
        got = "%d, %d and %d" % (len(layer.inputs), len(layer.outputs), len(layer.parameters))
        refuse(layer.where, "1 input, 1 output and 1 parameter", got)
    mode = layer.parameters[0]
    if mode not in (NEAREST, BILINEAR):
        refuse(layer.where, "a mode of 0 or 1", mode)
    if len(layer.constants) != 2 + 2 * mode:
        refuse(layer.where, "%d constants" % (2 + 2 * mode), len(layer.constants))
    x, y = layer.inputs[0], layer.outputs[0]
    if (
        not same_values(x, y)
        or len(x.shape) != len(y.shape)
        or not 2 <= len(x.shape) <= 3
        or x.shape[-1] != y.shape[-1]
    ):
        wanted = "images or signals of one type, scale and number of channels"
        refuse(layer.where, wanted, "%s %s and %s %s" % (x.dtype, x.shape, y.dtype, y.shape))
    if mode and steps(layer) > MAX_STEPS:
        refuse(layer.where, "at most %d steps" % MAX_STEPS, steps(layer))
    for axis, (n, size) in enumerate(zip(_sides(x), _sides(y))):
        _check_axis(layer, axis, n, size)


def steps(layer):
    # each row of the output is made of a whole one of the input
    return _sides(layer.outputs[0])[0] * _sides(layer.inputs[0])[1] * layer.inputs[0].shape[-1]


def _sides(tensor):
    # rows and columns; a signal is an image of one row
    return tensor.shape[:2] if len(tensor.shape) == 3 else (1, tensor.shape[0])


def _check_axis(layer, axis, n, size):
    for constant in range(axis, len(layer.constants), 2):
        check_bytes(layer, constant, 4 * size, "indices" if constant < 2 else "weights")
    for i in range(size):
        index = struct.unpack_from("<I", layer.constants[axis], 4 * i)[0]
        weight = struct.unpack_from("<I", layer.constants[axis + 2], 4 * i)[0] if layer.parameters[0] else 0
        good = weight < ONE
        if layer.inputs[0].letter == "f":  # by its bits
            good = weight == 0 or 0x00800000 <= weight < 0x3F800000
        if not good:
            refuse(layer.where, "weights from 0 to below 1", "0x%x" % weight)
        if index >= n - (weight != 0):
            refuse(layer.where, "indices below %d" % (n - (weight != 0)), index)


def run(layer, inputs):
    x, (out_h, out_w) = layer.inputs[0], _sides(layer.outputs[0])
    in_w, channels = _sides(x)[1], x.shape[-1]
    letter = "f" if x.letter == "f" else "i"
    rows, columns = [struct.unpack("<%di" % n, layer.constants[i]) for i, n in enumerate((out_h, out_w))]
    weights = [(0,) * n for n in (out_h, out_w)]
    if layer.parameters[0] == BILINEAR:
        weights = [
            struct.unpack("<%d%s" % (n, letter), layer.constants[2 + i]) for i, n in enumerate((out_h, out_w))
        ]
    blend, finish = _arithmetic(layer)
    y = []
    for row, u in zip(rows, weights[0]):
        # the row, between which and the next one it lies
        at = row * in_w * channels
        line = list(inputs[0][at : at + in_w * channels])
        below = inputs[0][at + in_w * channels : at + 2 * in_w * channels] if u else line
        line = [blend(a, b, u) for a, b in zip(line, below)]
        for column, v in zip(columns, weights[1]):
            for k in range(column * channels, (column + 1) * channels):
                y.append(finish(blend(line[k], line[k + channels] if v else line[k], v)))
    return [y]


def _arithmetic(layer):
    # how two neighbours are blended, the second with that weight; and what makes a result of it
    from ..arithmetic import plus, times

    if layer.parameters[0] == NEAREST:
        return lambda a, b, weight: a, lambda v: v
    if layer.inputs[0].letter == "f":
        return lambda a, b, w: plus(times(a, plus(1, -w)), times(b, w)) if w else a, lambda v: v
    half = ONE * ONE // 2
    return (
        lambda a, b, weight: (ONE - weight) * a + weight * b,
        lambda v: (v + half) // (ONE * ONE) if v > 0 else -((half - v) // (ONE * ONE)),
    )
