"""Layers that only move elements: what they do to numbers, and what files of theirs are refused everywhere alike."""

import struct

import anne
from check import raises, same
from model_writer import CONCATENATE, DELAY, FLOAT32, INPUT, INT8, OUTPUT, PAD, SLICE, TRANSPOSE, Writer

RESIZE, EMBEDDING = 19, 20


def one(kind, inputs, output, parameters=(), constants=(), reads=None):
    """Return a file of one layer; inputs and output are tuples of shape, dtype, scale and zero_point, which may end
    early."""
    w = Writer()
    for i, t in enumerate(inputs + (output,)):
        shape, dtype, scale, zero_point = (t + (FLOAT32, 1.0, 0)[len(t) - 1 :])[:4]
        w.tensor(shape, dtype, INPUT if i < len(inputs) else OUTPUT, scale, zero_point)
    n = len(inputs)
    w.layer(
        kind, tuple(range(n)) if reads is None else reads, (n,), constants=constants, parameters=parameters
    )
    return w.data()


def answers(expected, x, *model):
    with anne.load(one(*model)) as net:
        same(net.predict(x), expected)


def refuses(text, *model):
    raises(ValueError, text, anne.load, one(*model))


def test_concatenate():
    a, b = [1, 2, 3, 4], [5, 6]
    answers([1, 2, 3, 4, 5, 6], [a, b], CONCATENATE, (((2, 2),), ((1, 2),)), ((3, 2),), (0,))
    answers([1, 2, 5, 3, 4, 6], [a, b], CONCATENATE, (((2, 2),), ((2, 1),)), ((2, 3),), (1,))
    answers([1, 2, 3, 4], a, CONCATENATE, (((4,),),), ((4,),), (0,))  # of one


def test_what_a_concatenate_needs():
    a, b, y = ((2, 2),), ((1, 2),), ((3, 2),)
    for parameters in ((), (0, 0)):
        text = "layer 0 concatenate: expected 0 constants and 1 parameters, got 0 and %d"
        refuses(text % len(parameters), CONCATENATE, (a, b), y, parameters)
    for axis in (-1, 2):
        text = "layer 0 concatenate: expected an axis of 0 to 1, got %d"
        refuses(text % axis, CONCATENATE, (a, b), y, (axis,))
    refuses("layer 0 concatenate: expected 3 elements along axis 0, got 4", CONCATENATE, (a, a), y, (0,))
    text = "layer 0 concatenate: expected inputs of the output's type, scale and shape but along axis 0, got "
    refuses(text + "float32 (1, 3) for (3, 2)", CONCATENATE, (a, ((1, 3),)), y, (0,))
    refuses(text + "float32 (2,) for (3, 2)", CONCATENATE, (a, ((2,),)), y, (0,))
    refuses(text + "int8 (1, 2) for (3, 2)", CONCATENATE, (a, ((1, 2), INT8)), y, (0,))
    a, y = ((2,), INT8, 0.5, 3), ((4,), INT8, 0.5, 3)
    anne.load(one(CONCATENATE, (a, a), y, (0,))).close()
    for other in (((2,), INT8, 0.25, 3), ((2,), INT8, 0.5, 2)):
        refuses(text + "int8 (2,) for (4,)", CONCATENATE, (a, other), y, (0,))


def test_delay():
    # two of four frames are new at each call; zeros before the first
    with anne.load(one(DELAY, (((2, 1),),), ((4, 1),))) as net:
        same(net.predict([1, 2]), [0, 0, 1, 2])
        same(net.predict([[3, 4], [5, 6]]), [[1, 2, 3, 4], [3, 4, 5, 6]])
        net.reset()
        same(net([7, 8]), [0, 0, 7, 8])
        same([row[1] for row in net.trace([9, 10])], [[9, 10], [7, 8, 9, 10]])
        net.profile([1, 2], 3)  # which resets
        same(net([3, 4]), [0, 0, 3, 4])
    # of int8 the state begins at the zero point, which stands for 0
    answers([0, 0, 0, 1.5, -1], [1.5, -1], DELAY, (((2,), INT8, 0.5, 3),), ((5,), INT8, 0.5, 3))
    answers([1, 2], [1, 2], DELAY, (((2,),),), ((2,),))  # all of them new


def test_what_a_delay_needs():
    x, y = ((2, 3),), ((4, 3),)
    text = "layer 0 delay: expected 0 constants and 0 parameters, got 0 and 1"
    refuses(text, DELAY, (x,), y, (4,))
    refuses("layer 0 delay: expected 1 input and 1 output, got 2 and 1", DELAY, (x, x), y)
    text = "layer 0 delay: expected an output of the same type and scale, and as many frames or more, got "
    refuses(text + "float32 (1, 3) for (2, 3)", DELAY, (x,), ((1, 3),))
    refuses(text + "float32 (4, 2) for (2, 3)", DELAY, (x,), ((4, 2),))
    refuses(text + "float32 (12,) for (2, 3)", DELAY, (x,), ((12,),))
    refuses(text + "int8 (4, 3) for (2, 3)", DELAY, (x,), ((4, 3), INT8))
    x = ((2, 3), INT8, 0.5, 3)
    for other in (((4, 3), INT8, 0.25, 3), ((4, 3), INT8, 0.5, 2)):
        refuses(text + "int8 (4, 3) for (2, 3)", DELAY, (x,), other)
    text = "layer 0 delay: expected at most 262144 bytes between two calls, got 262148"
    refuses(text, DELAY, (((1,),),), ((65538,),))


SIX = [1, 2, 3, 4, 5, 6]


def test_slice():
    x = (((2, 3),),)
    answers([5, 6], SIX, SLICE, x, ((1, 2),), (1, 1, 1, 1))
    answers([6, 4, 3, 1], SIX, SLICE, x, ((2, 2),), (1, 2, -1, -2))
    answers([3], SIX, SLICE, x, ((1, 1),), (0, 2, 0x7FFFFFFF, -0x80000000))  # steps that are not taken
    answers([2, 3, 4], SIX, SLICE, (((6,),),), ((3,),), (1, 1))


def test_what_a_slice_needs():
    x, y = ((2, 3),), ((1, 2),)
    text = "layer 0 slice: expected 0 constants and 4 parameters, got 0 and %d"
    for n in (2, 3, 5):
        refuses(text % n, SLICE, (x,), y, (1,) * n)
    text = "layer 0 slice: expected indices of 0 to %d, got %d from %d on by steps of %d"
    for begin, step in ((2, 1), (-1, 1), (0, -1), (1, 2), (1, 0x7FFFFFFF), (1, -0x80000000), (0, 0)):
        refuses(text % (2, 2, begin, step), SLICE, (x,), y, (0, begin, 1, step))
    refuses(text % (1, 1, 2, 1), SLICE, (x,), y, (2, 0, 1, 1))
    text = "layer 0 slice: expected an output of the same type, scale and rank, got "
    refuses(text + "float32 (2,)", SLICE, (x,), ((2,),), (0, 0, 1, 1))
    refuses(text + "int8 (1, 2)", SLICE, (x,), ((1, 2), INT8), (0, 0, 1, 1))
    refuses("layer 0 slice: expected 1 input and 1 output, got 2 and 1", SLICE, (x, x), y, (0, 0, 1, 1))
    x = ((2, 3), INT8, 0.5, 3)
    for other in (((1, 2), INT8, 0.25, 3), ((1, 2), INT8, 0.5, 2)):
        refuses(text + "int8 (1, 2)", SLICE, (x,), other, (0, 0, 1, 1))


def test_transpose():
    answers([1, 4, 2, 5, 3, 6], SIX, TRANSPOSE, (((2, 3),),), ((3, 2),), (1, 0))
    answers([1, 4, 2, 5, 3, 6], SIX, TRANSPOSE, (((1, 2, 1, 3),),), ((1, 3, 2, 1),), (0, 3, 1, 2))
    answers(SIX, SIX, TRANSPOSE, (((2, 3),),), ((2, 3),), (0, 1))


def test_what_a_transpose_needs():
    x, y = ((2, 3),), ((3, 2),)
    text = "layer 0 transpose: expected 0 constants and 2 parameters, got 0 and %d"
    for n in (1, 3):
        refuses(text % n, TRANSPOSE, (x,), y, (1,) * n)
    for order in ([1, 1], [0, 0], [2, 0], [-1, 0]):
        text = "layer 0 transpose: expected each of 2 axes once, got %s"
        refuses(text % order, TRANSPOSE, (x,), y, tuple(order))
    refuses("layer 0 transpose: expected an output of shape (2, 3), got (3, 2)", TRANSPOSE, (x,), y, (0, 1))
    text = "layer 0 transpose: expected an output of the same type, scale and rank, got "
    refuses(text + "float32 (6,)", TRANSPOSE, (x,), ((6,),), (1, 0))
    refuses(text + "int8 (3, 2)", TRANSPOSE, (x,), ((3, 2), INT8), (1, 0))
    refuses("layer 0 transpose: expected 1 input and 1 output, got 2 and 1", TRANSPOSE, (x, x), y, (1, 0))


def test_how_borders_go_on():
    for mode, expected in ((1, "321232"), (2, "211233"), (3, "111233")):
        expected = [float(c) for c in expected]
        answers(expected, [1, 2, 3], PAD, (((3,),),), ((6,),), (0, 2, mode))
    answers([4, 3, 4, 2, 1, 2, 4, 3, 4], [1, 2, 3, 4], PAD, (((2, 2),),), ((3, 3),), (0, 1, 1, 1))


def test_what_borders_that_go_on_need():
    x = ((3,),)
    for mode in (0, 4, -1):
        text = "layer 0 pad: expected a mode of 1 to 3 and no value, got %d and 0"
        refuses(text % mode, PAD, (x,), ((6,),), (0, 2, mode))
    text = "layer 0 pad: expected a mode of 1 to 3 and no value, got 1 and 5"
    refuses(text, PAD, (x,), ((6,),), (5, 2, 1))
    text = "layer 0 pad: expected at most %d elements in front and behind, got %d and %d"
    for mode, most in ((1, 2), (2, 3)):
        for before, after in ((most + 1, 0), (0, most + 1)):
            wanted = text % (most, before, after)
            refuses(wanted, PAD, (x,), ((3 + before + after,),), (0, before, mode))
        anne.load(one(PAD, (x,), ((3 + 2 * most,),), (0, most, mode))).close()
    anne.load(one(PAD, (x,), ((30,),), (0, 20, 3))).close()
    text = "layer 0 pad: expected 0 constants and 3 parameters, got 0 and 4"
    refuses(text, PAD, (x,), ((6,),), (0, 2, 1, 0))


def words(*numbers):
    return struct.pack("<%di" % len(numbers), *numbers)


def reals(*numbers):
    return struct.pack("<%df" % len(numbers), *numbers)


NEAREST = words(1, 0), words(0, 0, 2)


def resized(*constants, mode=0, x=((2, 3, 1),), y=((2, 3, 1),), inputs=1):
    return RESIZE, (x,) * inputs, y, (mode,), constants


def test_resize():
    answers([4, 4, 6, 1, 1, 3], SIX, *resized(*NEAREST))
    # halfway between rows, a quarter of the way between columns
    weights = reals(0, 0.5), reals(0, 0.25, 0)
    answers([4, 4.25, 6, 2.5, 2.75, 4.5], SIX, *resized(*NEAREST, *weights, mode=1))
    # of int8 halves are rounded away from zero: 2.5, 2.75, 4.5, and their negatives
    x = ((2, 3, 1), INT8, 1.0, 0)
    weights = words(0, 512), words(0, 256, 0)
    for sign in (1, -1):
        expected = [sign * v for v in (4, 4, 6, 3, 3, 5)]
        answers(expected, [sign * v for v in SIX], *resized(*NEAREST, *weights, mode=1, x=x, y=x))
    answers([2, 2, 1], [1, 2], *resized(words(0), words(1, 1, 0), x=((2, 1),), y=((3, 1),)))  # a signal


def test_what_a_resize_needs():
    refuses("layer 0 resize: expected 1 input, 1 output and 1 parameter, got 2, 1 and 1", *resized(inputs=2))
    refuses("layer 0 resize: expected a mode of 0 or 1, got 2", *resized(*NEAREST, mode=2))
    refuses("layer 0 resize: expected 4 constants, got 2", *resized(*NEAREST, mode=1))
    refuses("layer 0 resize: expected 2 constants, got 1", *resized(NEAREST[0]))
    text = "layer 0 resize: expected images or signals of one type, scale and number of channels, got "
    refuses(text + "float32 (2, 3, 1) and float32 (2, 3, 2)", *resized(*NEAREST, y=((2, 3, 2),)))
    refuses(text + "float32 (2, 3, 1) and float32 (3, 1)", *resized(*NEAREST, y=((3, 1),)))
    refuses(text + "float32 (2, 3, 1) and int8 (2, 3, 1)", *resized(*NEAREST, y=((2, 3, 1), INT8)))
    refuses(text + "float32 (6,) and float32 (6,)", *resized(*NEAREST, x=((6,),), y=((6,),)))
    refuses("layer 0 resize: expected 8 bytes of indices, got 4", *resized(words(0), NEAREST[1]))
    refuses("layer 0 resize: expected indices below 2, got 2", *resized(words(2, 0), NEAREST[1]))
    refuses("layer 0 resize: expected indices below 3, got 4294967295", *resized(NEAREST[0], words(0, -1, 0)))
    zeros = reals(0, 0, 0)
    text = "layer 0 resize: expected weights from 0 to below 1, got 0x3f800000"
    refuses(text, *resized(*NEAREST, reals(0, 1), zeros, mode=1))
    refuses(
        "layer 0 resize: expected indices below 1, got 1", *resized(*NEAREST, reals(0.5, 0), zeros, mode=1)
    )
    refuses(
        "layer 0 resize: expected 12 bytes of weights, got 8", *resized(*NEAREST, *[reals(0, 0)] * 2, mode=1)
    )
    # 4 KB that would make as many rows of the longest: the steps of all are limited
    x, y = ((2, 1 << 19, 1), INT8), ((513, 1, 1), INT8)
    rows = words(*[0] * 513), words(0)
    text = "layer 0 resize: expected at most 268435456 steps, got 268959744"
    refuses(text, *resized(*rows, words(*[512] * 513), words(0), mode=1, x=x, y=y))
    x = ((2, 3, 1), INT8)
    text = "layer 0 resize: expected weights from 0 to below 1, got 0x400"
    refuses(text, *resized(*NEAREST, words(0, 1024), words(0, 0, 0), mode=1, x=x, y=x))


TABLE = reals(1, 2, 3, 4, 5, 6)  # three rows of two


def test_embedding():
    y = ((4, 2),)
    answers([3, 4, 1, 2, 5, 6, 1, 2], [1, 0, 2, -7], EMBEDDING, (((4,),),), y, (), (TABLE,))
    answers([5, 6, 3, 4, 1, 2, 1, 2], [1e30, 1.9, 0.9, float("nan")], EMBEDDING, (((4,),),), y, (), (TABLE,))
    answers([5, 6, 1, 2, 3, 4, 5, 6], [100, -1, 1, 2], EMBEDDING, (((4,), INT8),), y, (), (TABLE,))
    y, table = ((2, 2), INT8, 0.5, -1), struct.pack("<4b", -128, 127, 3, -1)
    answers([2, 0, -63.5, 64], [1, 0], EMBEDDING, (((2,),),), y, (), (table,))


def test_what_an_embedding_needs():
    x, y = ((4,),), ((4, 2),)
    refuses(
        "layer 0 embedding: expected 1 input and 1 output, got 2 and 1", EMBEDDING, (x, x), y, (), (TABLE,)
    )
    text = "layer 0 embedding: expected 1 constants and 0 parameters, got %d and %d"
    refuses(text % (0, 0), EMBEDDING, (x,), y)
    refuses(text % (1, 1), EMBEDDING, (x,), y, (0,), (TABLE,))
    text = "layer 0 embedding: expected a row for each number, of scale 1 and zero_point 0, got ..."
    for x_bad, y_bad in ((((4,), INT8, 0.5, 0), y), (((4,), INT8, 1.0, 1), y), (x, ((4,),)), (x, ((3, 2),))):
        refuses(text, EMBEDDING, (x_bad,), y_bad, (), (TABLE,))
    for n in (0, 4, 20):
        text = "layer 0 embedding: expected a table of rows of 8 bytes, got %d bytes"
        refuses(text % n, EMBEDDING, (x,), y, (), (TABLE[:n],))
    text = "layer 0 embedding: expected finite rows, got inf at 1"
    refuses(text, EMBEDDING, (x,), y, (), (reals(0, float("inf")),))
