"""Layers that only move elements: what they do to numbers, and what files of theirs are refused everywhere alike."""

import anne
from check import raises, same
from model_writer import CONCATENATE, DELAY, FLOAT32, INPUT, INT8, OUTPUT, Writer


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
