"""Pools and reductions in files that no converter would write: one clear line, the same on a PC and on the Pico."""

import anne
from check import nan, needs_heap, raises, same
from model_writer import AVERAGE_POOL, FLOAT32, INPUT, INT8, INT16, MAX_POOL, OUTPUT, REDUCE, SOFTMAX, Writer

# kernel, stride and dilation of rows and columns, then the pads: a window of 3 in steps of 2, one step of padding
WINDOW = (1, 3, 1, 2, 1, 1, 0, 1)


def pool(kind=MAX_POOL, x=None, y=None, parameters=None, **keywords):
    """Return a file of a pool of a signal: 5 steps of 2 channels give 3."""
    w = Writer()
    w.tensor(*(x or ((5, 2), FLOAT32, INPUT, 1.0, 0, 0)))
    w.tensor(*(y or ((3, 2), FLOAT32, OUTPUT, 1.0, 0, 40)))
    if parameters is None:
        parameters = WINDOW + (0, 0)
        if kind == AVERAGE_POOL:
            parameters += (0, 0, 0)
    w.layer(kind, (0,), (1,), parameters=parameters, **keywords)
    return w.data()


def window(at, value):
    return WINDOW[:at] + (value,) + WINDOW[at + 1 :] + (0, 0)


def refuses(text, data):
    raises(ValueError, "layer 0 " + text, anne.load, data)


X = [1, 10, 5, -20, 3, 30, -4, -40, 2, 50]


def test_pools():
    with anne.load(pool()) as net:
        same(net.predict(X), [5, 10, 5, 30, 2, 50])
        same(net.predict([nan] + [0] * 9)[1:], [0] * 5)
    # the mean of those inside; then with zeros before, and one behind or not
    for counts, expected in (
        ((0, 0, 0), [3, -5, 4 / 3, -10, -1, 5]),
        ((1, 0, 1), [2, -10 / 3, 4 / 3, -10, -2 / 3, 10 / 3]),
        ((1, 0, 0), [2, -10 / 3, 4 / 3, -10, -1, 5]),
    ):
        with anne.load(pool(AVERAGE_POOL, parameters=WINDOW + (0, 0) + counts)) as net:
            for got, value in zip(net.predict(X), expected):
                assert abs(got - value) < 1e-6, (counts, got, value)


def test_integers():
    for dtype, zero_point in ((INT8, 4), (INT16, 0)):
        x, y = ((5, 2), dtype, INPUT, 1.0, zero_point, 0), ((3, 2), dtype, OUTPUT, 1.0, zero_point, 40)
        with anne.load(pool(x=x, y=y, parameters=WINDOW + (-3, 40))) as net:
            same(net.predict([v - zero_point for v in X]), [v - zero_point for v in (5, 10, 5, 30, 2, 40)])
        # halves away from zero; a zero that counts is the zero point
        with anne.load(pool(AVERAGE_POOL, x, y, WINDOW + (-100, 100, 0, 0, 0))) as net:
            same(net.predict([v - zero_point for v in X]), [v - zero_point for v in (3, -5, 1, -10, -1, 5)])
            halves = net.predict([v - zero_point for v in (1, -1, 2, -2, 0, 0, 0, 0, 3, -4)])
            same(halves[:2], [2 - zero_point, -2 - zero_point])
        with anne.load(pool(AVERAGE_POOL, x, y, WINDOW + (-100, 100, 1, 0, 1))) as net:
            zeros = net.predict([0] * 10)
            same(zeros, [0] * 6)


def test_what_a_pool_needs():
    for kind, word, n in ((MAX_POOL, "max_pool", 10), (AVERAGE_POOL, "average_pool", 13)):
        text = word + ": expected 0 constants and %d parameters, got 0 and 4" % n
        refuses(text, pool(kind, parameters=(1, 1, 1, 1)))
        text = word + ": expected an output of the same type and scale, got int8 (3, 2)"
        refuses(text, pool(kind, y=((3, 2), INT8, OUTPUT, 1.0, 0, 40)))
        text = word + ": expected an activation of linear, relu, ..."
        refuses(text, pool(kind, activation=SOFTMAX))
    for scale, zero_point in ((0.5, 3), (1.0, 4)):
        y = (3, 2), INT8, OUTPUT, scale, zero_point, 40
        text = "max_pool: expected an output of the same type and scale, got int8 (3, 2)"
        refuses(text, pool(x=((5, 2), INT8, INPUT, 1.0, 3, 0), y=y))
    refuses("max_pool: expected 2 channels, got 3", pool(y=((3, 3), FLOAT32, OUTPUT, 1.0, 0, 40)))
    refuses("max_pool: expected limits inside 0 to 0, got 0 to 1", pool(parameters=WINDOW + (0, 1)))
    text = "max_pool: expected images (rows, columns, channels) or signals (time, channels), got "
    refuses(text + "(10,) and (3, 2)", pool(x=((10,), FLOAT32, INPUT, 1.0, 0, 0)))
    refuses(text + "(5, 2) and (1, 3, 2)", pool(y=((1, 3, 2), FLOAT32, OUTPUT, 1.0, 0, 40)))


def test_where_windows_lie():
    for at in range(8):
        least = 1 if at < 6 else 0
        for value in (least - 1, (1 << 15) + 1, -(1 << 31), 0x7FFFFFFF):
            text = "max_pool: expected window parameters of %d to 32768, got %d" % (least, value)
            refuses(text, pool(parameters=window(at, value)))
    text = "max_pool: expected windows that begin in 5 elements or their padding, got 3 positions, kernel %d, ..."
    for at, value in ((7, 3), (3, 3), (1, 1)):
        refuses(text % (value if at == 1 else 3), pool(parameters=window(at, value)))
    text = "max_pool: expected a dilation of 1 to 5 where there is padding, got 6"
    refuses(text, pool(parameters=window(5, 6)))
    text = "max_pool: expected at most 268435456 steps, got %d"
    wide = (1 << 15, 1 << 15, 1, 2, 1, 1, 0, 1, 0, 0)
    refuses(text % (2 << 30), pool(y=((1, 2), FLOAT32, OUTPUT, 1.0, 0, 40), parameters=wide))


def test_padding_that_counts():
    text = "average_pool: expected 0, or 1 and padding of 0 to 32768 that counts, got %d, %d and %d"
    for counts in (
        (2, 0, 0),
        (-1, 0, 0),
        (0, 1, 0),
        (0, 0, 1),
        (1, -1, 0),
        (1, 0, -1),
        (1, 32769, 0),
        (1, 0, 32769),
    ):
        refuses(text % counts, pool(AVERAGE_POOL, parameters=WINDOW + (0, 0) + counts))
    anne.load(pool(AVERAGE_POOL, parameters=WINDOW + (0, 0, 1, 32768, 32768))).close()
    text = "average_pool: expected at most 32768 taps, got 16384 by 3"
    high = (1 << 14,) + WINDOW[1:6] + (1 << 13, 1, 0, 0, 0, 0, 0)
    refuses(text, pool(AVERAGE_POOL, parameters=high))


def reduces(operation, axes, factor=(0, 0), x=None, y=None):
    """Return a file that takes axes of 2 by 3 together."""
    w = Writer()
    x = x or ((2, 3), FLOAT32, INPUT, 1.0, 0, 0)
    w.tensor(*x)
    w.tensor(*(y or (((3,), (2,), (1,))[axes - 1 if 1 <= axes <= 3 else 0], x[1], OUTPUT, x[3], x[4], 40)))
    w.layer(REDUCE, (0,), (1,), parameters=(operation, axes) + factor)
    return w.data()


MEAN, SUM, MAX, MIN = 0, 1, 2, 3


def test_reductions():
    for operation, axes, expected in (
        (MEAN, 1, [-1.5, 3.5, 4.5]),
        (SUM, 2, [6, 7]),
        (SUM, 3, [13]),
        (MAX, 1, [1, 5, 6]),
        (MIN, 2, [1, -4]),
    ):
        with anne.load(reduces(operation, axes)) as net:
            same(net.predict([1, 2, 3, -4, 5, 6]), expected)
    for dtype, zero_point in ((INT8, 7), (INT16, 0)):
        x = (2, 3), dtype, INPUT, 1.0, zero_point, 0
        for operation, axes, factor, expected in (
            (SUM, 2, (1 << 30, 1), [6, 7]),
            (MEAN, 2, (715827882, 0), [2, 2]),
            (MEAN, 1, (1 << 30, 0), [-1, 4, 5]),  # halves up, as no shift follows
            (MAX, 1, (0, 0), [1, 5, 6]),
            (MIN, 2, (0, 0), [1, -4]),
            (SUM, 3, (0x7FFFFFFF, 15), [127 - zero_point if dtype == INT8 else 32767]),
        ):
            with anne.load(reduces(operation, axes, factor, x)) as net:
                same(net.predict([1, 2, 3, -4, 5, 6]), expected)


def test_what_a_reduction_needs():
    text = "reduce: expected an operation of 0 to 3 and axes of 1 to 3, got %d and %d"
    for operation, axes in ((-1, 1), (4, 1), (0, 0), (0, 4), (0, -1)):
        refuses(text % (operation, axes), reduces(operation, axes))
    y = (3,), INT8, OUTPUT, 1.0, 0, 40
    refuses("reduce: expected an output of float32 (3,), got int8 (3,)", reduces(MAX, 1, y=y))
    y = (3, 1), FLOAT32, OUTPUT, 1.0, 0, 40
    refuses("reduce: expected an output of float32 (3,), got float32 (3, 1)", reduces(MAX, 1, y=y))
    x, y = ((2, 3), INT8, INPUT, 1.0, 5, 0), ((3,), INT8, OUTPUT, 0.5, 5, 40)
    refuses(
        "reduce: expected an output of scale 1.0 and zero_point 5, got 0.5", reduces(MIN, 1, (0, 0), x, y)
    )
    text = "reduce: expected a factor from 0 on and a shift of -31 to 15, got %d and %d"
    for factor in ((-1, 0), (1, 16), (1, -32)):
        refuses(text % factor, reduces(SUM, 1, factor, x))
    for operation, source in ((SUM, None), (MAX, x)):
        for factor in ((1, 0), (0, 1), (-1, -1)):
            refuses(
                "reduce: expected no factor, got %d and %d" % factor, reduces(operation, 1, factor, source)
            )


def test_sums_of_int16_that_could_wrap():
    needs_heap(180000)  # 65535 values of 2 bytes in one piece
    for n, good in ((65535, True), (65536, False)):
        x, y = ((1, n), INT16, INPUT, 1.0, 0, 0), ((1,), INT16, OUTPUT, 1.0, 0, 1 << 17)
        if good:
            anne.load(reduces(SUM, 3, (1, 0), x, y)).close()
        else:
            refuses(
                "reduce: expected at most 65535 elements in a sum, got 65536", reduces(MEAN, 3, (1, 0), x, y)
            )
