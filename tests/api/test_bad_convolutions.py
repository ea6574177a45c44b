"""Files of convolutions that are none: windows that do not lie on their image, groups, weights."""

import struct

import anne
from check import raises, same
from model_writer import CONV, FLOAT32, INPUT, INT8, OUTPUT, SOFTMAX, Writer

ONES = (1, 1, 1, 1, 1, 1, 0, 0)  # a window of one pixel, without padding


def conv(
    x=(2, 3, 1), y=(2, 3, 1), window=ONES, tail=(1, 1, 0, 0), constants=None, activation=0, dtype=FLOAT32
):
    """Return a file of one convolution of floats; by default 2 x + 1 at each of 2 by 3 pixels."""
    w = Writer()
    tensors = (w.tensor(x, role=INPUT),), (w.tensor(y, dtype, OUTPUT),)
    constants = constants or (struct.pack("<f", 2), struct.pack("<f", 1))
    w.layer(CONV, tensors[0], tensors[1], activation, constants, window + tail)
    return w.data()


def refuses(text, *args, **kwargs):
    raises(ValueError, "layer 0 conv: expected " + text, anne.load, conv(*args, **kwargs))


def test_one_that_is_whole():
    with anne.load(conv()) as net:
        same(net.predict([0, 1, 2, 3, 4, 5]), [1.0, 3.0, 5.0, 7.0, 9.0, 11.0])
    # a column more to the left and to the right, windows of two columns: x[j - 1] + 10 x[j]
    columns = (1, 2, 1, 1, 1, 1, 0, 1)
    two = struct.pack("<2f", 1, 10), struct.pack("<f", 0)
    with anne.load(conv((3, 1), (4, 1), columns, constants=two)) as net:
        same(net.predict([1, 2, 3]), [10.0, 21.0, 32.0, 3.0])
    # every second tap of a row: x[j] + 10 x[j + 2]
    with anne.load(conv((4, 1), (2, 1), (1, 2, 1, 1, 1, 2, 0, 0), constants=two)) as net:
        same(net.predict([1, 2, 3, 4]), [31.0, 42.0])
    # two groups of one channel: x0 + 1, 10 x1 + 2
    two = struct.pack("<2f", 1, 10), struct.pack("<2f", 1, 2)
    with anne.load(conv((2, 2), (2, 2), tail=(2, 1, 0, 0), constants=two)) as net:
        same(net.predict([1, 2, 3, 4]), [2.0, 22.0, 4.0, 42.0])


def test_counts_and_types():
    refuses("2 constants and 12 parameters, got 3 and 12", constants=(b"", b"", b""))
    refuses("a layout of [1, 2, 3, 4, 5, 6], got (0,)", tail=(1, 0, 0, 0))
    refuses("a layout of [1, 2, 3, 4, 5, 6], got (7,)", tail=(1, 7, 0, 0))
    refuses("a layout of [1, 2, 3, 4, 5, 6], got ()", window=(), tail=(1, 1))
    refuses("2 constants and 12 parameters, got 2 and 13", tail=(1, 1, 0, 0, 0))
    refuses("float32 to float32, got float32 to int8", dtype=INT8)
    refuses("limits inside 0 to 0, got 0 to 1", tail=(1, 1, 0, 1))
    names = (
        "linear, relu, relu6, leaky_relu, elu, sigmoid, hard_sigmoid, tanh, softplus, swish, hard_swish, gelu, "
        "exp, log, sqrt, rsqrt, abs, negative, square"
    )
    refuses("an activation of " + names + ", got softmax", activation=SOFTMAX)


def test_groups():
    for groups in (-1, 0, 3):
        text = "groups that divide 2 and 4 channels, got %d"
        refuses(text % groups, (5, 2), (5, 4), tail=(groups, 1, 0, 0))
    refuses("groups that divide 4 and 2 channels, got 4", (5, 4), (5, 2), tail=(4, 1, 0, 0))


def test_windows():
    ranks = "images (rows, columns, channels) or signals (time, channels), got "
    refuses(ranks + "(6,) and (6,)", (6,), (6,))
    refuses(ranks + "(1, 2, 3, 1) and (1, 2, 3, 1)", (1, 2, 3, 1), (1, 2, 3, 1))
    refuses(ranks + "(2, 3, 1) and (6, 1)", y=(6, 1))
    for i in range(8):
        for value in ((0 if i < 6 else -1), (1 << 15) + 1, -0x80000000):
            window = ONES[:i] + (value,) + ONES[i + 1 :]
            refuses("window parameters of %d to 32768, got %d" % (1 if i < 6 else 0, value), window=window)
    text = "windows that begin in %d elements or their padding, got %d positions, kernel %d, stride %d, dilation %d, "
    # no row is padded if the window has but one; the last window begins below, or right of the image
    refuses((text + "padding 1") % (2, 2, 1, 1, 1), window=(1, 1, 1, 1, 1, 1, 1, 0))
    refuses((text + "padding 0") % (2, 2, 1, 2, 1), window=(1, 1, 2, 1, 1, 1, 0, 0))
    refuses((text + "padding 0") % (3, 3, 1, 2, 1), window=(1, 1, 1, 2, 1, 1, 0, 0))
    # a window that is 2^20 wide
    refuses((text + "padding 0") % (3, 3, 33, 1, 1 << 15), window=(1, 33, 1, 1, 1, 1 << 15, 0, 0))


def test_steps():
    refuses("at most 268435456 steps, got %d" % (6 << 26), window=(1 << 13, 1 << 13, 1, 1, 1, 1, 0, 0))
    refuses("at most 268435456 steps, got %d" % (1 << 30), (1, 1 << 15), (1, 1 << 15))


def test_weights_of_another_size():
    # what is wrong with constants firmware tells only by number
    raises(ValueError, "...", anne.load, conv(constants=(bytes(8), bytes(4))))
    raises(ValueError, "...", anne.load, conv(constants=(bytes(4), bytes(8))))
    raises(
        ValueError, "...", anne.load, conv((5, 2), (5, 2), tail=(2, 1, 0, 0), constants=(bytes(8), bytes(12)))
    )
