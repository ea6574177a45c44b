"""Depthwise convolutions in model files: what they give, worked by hand, and why they are refused."""

import struct

import anne
from check import inf, nan, needs_heap, raises, same
from model_writer import DEPTHWISE_CONV, FLOAT32, INPUT, INT8, INT16, LINEAR, OUTPUT, SOFTMAX, Writer


def refuses(text, data):
    raises(ValueError, text, anne.load, data)


def floats(*values):
    return struct.pack("<%df" % len(values), *values)


def depthwise(
    shapes=((4, 2), (3, 2)), dtype=FLOAT32, kernel=(1, 2), constants=None, activation=LINEAR, **changes
):
    """Return a file of two channels of 4 floats, two taps each; `changes` are other parameters, by number."""
    parameters = list(kernel) + [1, 1, 1, 1, 0, 0, 0, 0]
    for at, value in changes.items():
        parameters[int(at[1:])] = value
    constants = (floats(1, 2, 3, 4), floats(5, 6)) if constants is None else constants
    w = Writer()
    x, y = w.tensor(shapes[0], dtype, INPUT, 1.0), w.tensor(shapes[1], dtype, OUTPUT, 1.0)
    w.layer(DEPTHWISE_CONV, (x,), (y,), activation, constants, tuple(parameters))
    return w.data()


def test_what_a_depthwise_convolution_is():
    # of each channel 5 + 1 x + 2 x' and 6 + 3 x + 4 x'
    with anne.load(depthwise()) as net:
        same(net.predict([1, 1, 0, 1, 2, 0, 0, 3]), [6, 13, 9, 9, 7, 18])
    factors = struct.pack("<4i", 1 << 30, 1, 1 << 30, 1)
    for dtype, weights in ((INT8, struct.pack("<4b", 1, 2, 3, 4)), (INT16, struct.pack("<4h", 1, 2, 3, 4))):
        data = depthwise(dtype=dtype, constants=(weights, struct.pack("<2i", 5, 6), factors), p8=-9, p9=13)
        with anne.load(data) as net:
            same(net.predict([1, 1, 0, 1, 2, 0, 0, 3]), [6, 13, 9, 9, 7, 13])
    scaled = struct.pack("<4b", 1, 2, 3, 4), floats(5, 6), floats(2, 0.5)
    with anne.load(depthwise(constants=scaled)) as net:
        same(net.predict([1, 1, 0, 1, 2, 0, 0, 3]), [7, 9.5, 13, 7.5, 9, 12])


def test_windows_that_do_not_fit():
    text = "layer 0 depthwise_conv: expected "
    anne.load(depthwise(p7=1)).close()  # windows that begin at -1, 0 and 1
    refuses(text + "images (rows, columns, channels) or signals ...", depthwise(((8,), (6,))))
    refuses(text + "images (rows, columns, channels) or signals ...", depthwise(((4, 2), (1, 3, 2))))
    for at in range(8):
        least = 1 if at < 6 else 0
        for wrong in (least - 1, (1 << 15) + 1):
            changes = {"p%d" % at: wrong}
            refuses(text + "window parameters of %d to 32768, got %d" % (least, wrong), depthwise(**changes))
    begin = text + "windows that begin in 4 elements or their padding, got "
    refuses(begin + "3 positions, kernel 2, stride 1, dilation 1, padding 2", depthwise(p7=2))
    refuses(begin + "3 positions, kernel 2, stride 2, dilation 1, padding 0", depthwise(p3=2))
    refuses(
        begin + "3 positions, kernel 32768, stride 1, dilation 32768, padding 0",
        depthwise(p1=1 << 15, p5=1 << 15),
    )
    large = (1 << 10, 1 << 10, 1)
    refuses(
        text + "at most 268435456 steps, got 303038464",
        depthwise((large, large), kernel=(17, 17), p6=8, p7=8),
    )


def test_what_a_depthwise_convolution_needs():
    text = "layer 0 depthwise_conv: expected "
    one = floats(1, 2, 3, 4)
    for n, wanted in ((1, 3), (4, 3)):
        data = depthwise(constants=(one,) * n)
        refuses(text + "%d constants and 10 parameters, got %d and 10" % (wanted, n), data)
    refuses(text + "an output of float32, channels times 2, got float32 (3, 3)", depthwise(((4, 2), (3, 3))))
    refuses(text + "an activation of linear, relu, relu6, ...", depthwise(activation=SOFTMAX))
    refuses(text + "limits inside 0 to 0, got 0 to 1", depthwise(p9=1))
    for weights, bias, got in (
        (one[4:], one[:8], "16 bytes of weights, got 12"),
        (one, one, "8 bytes of bias, got 16"),
    ):
        refuses(text + got, depthwise(constants=(weights, bias)))
    refuses(text + "finite weights, got nan at 1", depthwise(constants=(floats(1, nan, 1, 1), one[:8])))
    refuses(text + "finite bias, got inf at 0", depthwise(constants=(one, floats(inf, 1))))
    refuses(text + "finite scales, got nan at 1", depthwise(constants=(bytes(4), one[:8], floats(1, nan))))
    refuses(text + "4 bytes of weights, got 16", depthwise(constants=(one, one[:8], one[:8])))


def test_more_weights_than_a_sum_can_take():
    needs_heap(180000)  # the file and its writer
    wide = ((1, 16384, 1), (1, 1, 1)), INT8, (1, 16384), (bytes(16384), bytes(4), bytes(8))
    text = "layer 0 depthwise_conv: expected at most 16383 weights for an output, got 16384"
    refuses(text, depthwise(*wide))


def test_what_a_depthwise_convolution_of_integers_needs():
    text = "layer 0 depthwise_conv: expected "
    bias, factors = struct.pack("<2i", 5, 6), struct.pack("<4i", 1, 0, 1, 0)
    refuses(
        text + "3 constants and 10 parameters, got 2 and 10",
        depthwise(dtype=INT8, constants=(bytes(4), bias)),
    )
    refuses(text + "4 bytes of weights, got 8", depthwise(dtype=INT8, constants=(bytes(8), bias, factors)))
    refuses(text + "8 bytes of weights, got 4", depthwise(dtype=INT16, constants=(bytes(4), bias, factors)))
    refuses(
        text + "limits inside -128 to 127, got 0 to 128",
        depthwise(dtype=INT8, constants=(bytes(4), bias, factors), p9=128),
    )
    # what firmware leaves to the native module, whose verdict has no words
    heaviest = struct.pack("<4h", 32767, 32767, 32767, 32767)
    good = struct.pack("<2i", 65535, -65535)
    anne.load(depthwise(dtype=INT16, constants=(heaviest, good, factors))).close()
    for constants in (
        (heaviest, struct.pack("<2i", 65535, -65536), factors),
        (heaviest, struct.pack("<2i", (1 << 28) + 1, 0), factors),
        (heaviest, good, struct.pack("<4i", -1, 0, 1, 0)),
        (heaviest, good, struct.pack("<4i", 1, 0, 1, 16)),
        (heaviest, good, struct.pack("<4i", 1, 0, 1, -32)),
        (heaviest, good[4:], factors),
        (heaviest, good, factors[4:]),
    ):
        raises(ValueError, "...", anne.load, depthwise(dtype=INT16, constants=constants))
