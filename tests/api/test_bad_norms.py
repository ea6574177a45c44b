"""Layer norm, arg max and softmax by rows: files that no converter would write, and rows worked by hand."""

import struct

import anne
from check import inf, nan, raises, same
from model_writer import (
    ACTIVATION,
    ARG_MAX,
    FLOAT32,
    INPUT,
    INT8,
    INT16,
    LAYER_NORM,
    OUTPUT,
    Writer,
)

LOG_SOFTMAX = 13


def one(kind, x, y, **keywords):
    w = Writer()
    w.tensor(*x)
    w.tensor(*y)
    w.layer(kind, (0,), (1,), **keywords)
    return w.data()


def refuses(text, data):
    raises(ValueError, "layer 0 " + text, anne.load, data)


def close(got, expected):
    for a, b in zip(got, expected):
        assert abs(a - b) < 1e-5, (got, expected)


def bits(value):
    return struct.unpack("<i", struct.pack("<f", value))[0]


def norm(
    x=((2, 3), FLOAT32, INPUT), y=((2, 3), FLOAT32, OUTPUT), epsilon=1e-3, gamma=(1, 2, 3), beta=(0, 0, 1)
):
    constants = [struct.pack("<%df" % len(values), *values) for values in (gamma, beta)]
    return one(LAYER_NORM, x, y, constants=constants, parameters=(bits(epsilon),))


def test_layer_norm():
    with anne.load(norm()) as net:
        # 1, 2, 3: variance 2/3; the other row does not differ from its mean
        d = 1 / (2 / 3 + 1e-3) ** 0.5
        close(net.predict([1, 2, 3, 5, 5, 5]), [-d, 0, 3 * d + 1, 0, 0, 1])
        y = net.predict([1, nan, 3, 1001, 1002, 1003])
        assert all(v != v for v in y[:3]), y
        close(y[3:], [-d, 0, 3 * d + 1])


def test_what_a_layer_norm_needs():
    x = (2, 3), FLOAT32, INPUT
    refuses(
        "layer_norm: expected 2 constants and 1 parameters, got 0 and 0",
        one(LAYER_NORM, x, ((2, 3), FLOAT32, OUTPUT)),
    )
    text = "layer_norm: expected float32 and an output of the same shape, got float32 (2, 3) and "
    refuses(text + "int8 (2, 3)", norm(y=((2, 3), INT8, OUTPUT)))
    refuses(text + "float32 (3, 2)", norm(y=((3, 2), FLOAT32, OUTPUT)))
    for epsilon, shown in ((0.0, "0.0"), (-1.0, "-1.0"), (inf, "inf"), (nan, "nan")):
        refuses("layer_norm: expected a finite epsilon from 2^-126 on, got " + shown, norm(epsilon=epsilon))
    refuses("layer_norm: expected 12 bytes of gamma, got 8", norm(gamma=(1, 2)))
    refuses("layer_norm: expected 12 bytes of beta, got 16", norm(beta=(1, 2, 3, 4)))
    refuses("layer_norm: expected finite beta, got inf at 1", norm(beta=(1, inf, 3)))


def test_arg_max():
    for dtype, scale, out in ((FLOAT32, 1.0, FLOAT32), (INT8, 0.5, INT16), (INT16, 0.5, INT16)):
        x, y = ((2, 3), dtype, INPUT, scale), ((2,), out, OUTPUT)
        with anne.load(one(ARG_MAX, x, y)) as net:
            same(net.predict([1, 2, 2, 3, -1, 0]), [1, 0])
    with anne.load(one(ARG_MAX, ((3,), FLOAT32, INPUT), ((1,), FLOAT32, OUTPUT))) as net:
        same(net.predict([-inf, -inf, nan]), [2])
        same(net.predict([-0.0, 0.0, -1.0]), [0])


def test_what_an_arg_max_needs():
    text = "arg_max: expected an output of int16 (2,) of scale 1, got %s of scale %s"
    x = (2, 3), INT8, INPUT
    refuses(text % ("int8 (2,)", "1.0"), one(ARG_MAX, x, ((2,), INT8, OUTPUT)))
    refuses(text % ("int16 (2,)", "0.5"), one(ARG_MAX, x, ((2,), INT16, OUTPUT, 0.5)))
    refuses(text % ("int16 (2, 1)", "1.0"), one(ARG_MAX, x, ((2, 1), INT16, OUTPUT)))
    x = (2, 3), FLOAT32, INPUT
    text = "arg_max: expected an output of float32 (2,) of scale 1, got int16 (2,) of scale 1.0"
    refuses(text, one(ARG_MAX, x, ((2,), INT16, OUTPUT)))
    refuses(
        "arg_max: expected 0 constants and 0 parameters, got 0 and 1",
        one(ARG_MAX, x, ((2,), FLOAT32, OUTPUT), parameters=(1,)),
    )
    for n in (32768, 32769):
        data = one(ARG_MAX, ((n,), INT8, INPUT), ((1,), INT16, OUTPUT))
        if n == 32768:
            anne.load(data).close()
        else:
            refuses("arg_max: expected at most 32768 elements in a row, got 32769", data)


def test_rows_of_softmax():
    shape = (2, 2)
    with anne.load(one(ACTIVATION, (shape, FLOAT32, INPUT), (shape, FLOAT32, OUTPUT), activation=12)) as net:
        close(net.predict([0, 0, 0, 1.0986123]), [0.5, 0.5, 0.25, 0.75])
    data = one(ACTIVATION, (shape, FLOAT32, INPUT), (shape, FLOAT32, OUTPUT), activation=LOG_SOFTMAX)
    with anne.load(data) as net:  # ln 1/2, ln 1/4 and ln 3/4
        close(net.predict([0, 0, 0, 1.0986123]), [-0.6931472, -0.6931472, -1.3862944, -0.2876821])
    data = one(
        ACTIVATION,
        (shape, INT8, INPUT),
        (shape, INT8, OUTPUT),
        activation=LOG_SOFTMAX,
        constants=(bytes(2048),),
    )
    refuses("activation: expected an output of scale 0.0625 and zero_point 127, got 1.0 and 0", data)
    data = one(
        ACTIVATION,
        (shape, INT16, INPUT),
        (shape, INT16, OUTPUT),
        activation=LOG_SOFTMAX,
        constants=(bytes(2048),),
    )
    refuses("activation: expected floats or int8 for log_softmax, got int16", data)
