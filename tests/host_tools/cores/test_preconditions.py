"""What kernels need of a file, each at its edge: both readers take the last that is good and refuse the first that is
not. The limits are FORMAT.md's, where the ranges of the kernels' sums come from; the files are put together by hand."""

from __future__ import annotations

from fractions import Fraction
from time import process_time

import numpy as np
import pytest
from anne.model_file import ModelFile
from anne.reference_model import Model
from anne_tools.cores.native import NativeModel, status_of
from by_hand import INPUT, OUTPUT, Record, Values, model
from one_layer import dense, one_layer

I32, U32, F32 = np.dtype("<i4"), np.dtype("<u4"), np.dtype("<f4")


def words(n: int, word: int = 0) -> np.ndarray:
    return np.full(n, word & 0xFFFFFFFF, U32)


# --- Dense layers of one row; everything that is not named is 0


def f32(weight: float = 0.0, bias: float = 0.0) -> bytes:
    return dense("f32", 1, [np.array([weight], F32), np.array([bias], F32)])


def f32_aligned(weight: int = 0, limb: int = 0, exponent: int = 0, bias: float = 0.0, n_in: int = 1) -> bytes:
    high = (weight + 2048) >> 12
    word = (high << 16) + (weight - 4096 * high + 2048 + limb)
    weights = words(2 * n_in, 2048)
    weights[0] = word & 0xFFFFFFFF
    return dense("f32_aligned", n_in, [weights, np.array([bias], F32), np.array([exponent], I32)])


def s8_f32(scale: float = 0.0, bias: float = 0.0, n_in: int = 1) -> bytes:
    weights = words((n_in + 3) // 4 * 4, 0x80808080)
    return dense("s8_f32", n_in, [weights, np.array([bias], F32), np.array([scale], F32)])


def rows(bias: int, multiplier: int, shift: int) -> list[np.ndarray]:
    return [np.array([bias], I32), np.array([multiplier, shift], I32)]


def s8_quad(bias: int = 0, multiplier: int = 0, shift: int = 0, n_in: int = 1, limits=None) -> bytes:
    weights = words((n_in + 3) // 4 * 4, 0x80808080)
    return dense("s8_quad", n_in, [weights, *rows(bias, multiplier, shift)], limits)


def s4(
    bias: int = 0, multiplier: int = 0, shift: int = 0, n_in: int = 1, heaviest: int = 0, panel: int = 32
) -> bytes:
    columns = 32 if heaviest else (n_in + 3) // 4 * 4
    weights = words(columns, 0x88888888)
    weights[: heaviest // 8] = 0x88888880  # -8 in the first row
    if heaviest % 8:
        weights[heaviest // 8] = 0x88888888 - heaviest % 8
    constants = [weights, *rows(bias, multiplier, shift), np.array([panel], I32)]
    return dense("s4", columns if heaviest else n_in, constants)


def s16(bias: int = 0, multiplier: int = 0, shift: int = 0, weights: tuple[int, int] = (0, 0)) -> bytes:
    word = words(1, weights[0] + 32768 + (weights[1] << 16))
    return dense("s16", 2, [word, *rows(bias, multiplier, shift)])


# --- Activations and scalings


def softmax_s8(
    n: int = 2, first: int = 2**31 - 1, another: int = 0, scale: float = 2.0**-8, zero_point: int = -128
) -> bytes:
    table = np.full(256, another, I32)
    table[0] = first
    x, y = Values("int8", n, 0.1), Values("int8", n, scale, zero_point)
    return one_layer("activation", x, y, [table], "softmax")


def log_softmax_s8(
    n: int = 2,
    first: int = 1 << 19,
    another: int = 0,
    difference: int = 0,
    scale: float = 2.0**-4,
    zero_point: int = 127,
) -> bytes:
    table = np.full(512, another, I32)
    table[0], table[256:] = first, difference
    x, y = Values("int8", n, 0.1), Values("int8", n, scale, zero_point)
    return one_layer("activation", x, y, [table], "log_softmax")


def softmax_s16(n: int = 2, first: int = 32767, another: int = 0, scale: float = 2.0**-15) -> bytes:
    table = np.full(513, another, "<i2")
    table[0] = first
    x, y = Values("int16", n, 0.1), Values("int16", n, scale)
    return one_layer("activation", x, y, [table], "softmax")


def scaling(scale: float = 1.0, offset: float = 0.0, y_scale: float = 0.1) -> bytes:
    constants = [np.array([scale], F32), np.array([offset], F32)]
    return one_layer("scaling", Values("float32", 1), Values("int8", 1, y_scale), constants)


def add(
    dtype: str = "int8",
    a: tuple[int, int] = (0, 0),
    b: tuple[int, int] = (0, 0),
    total: tuple[int, int] = (0, 0),
    limits: tuple[int, int] = (0, 0),
    activation: str = "linear",
) -> bytes:
    parameters = (*a, *b, *total, *limits) if dtype != "float32" else ()
    record = Record("add", [0, 1], [2], [], activation, parameters)
    return model([Values(dtype, 1)] * 3, [INPUT, INPUT, OUTPUT], [record])


def multiply(
    dtype: str = "int8",
    factor: tuple[int, int] = (0, 0),
    limits: tuple[int, int] = (0, 0),
    activation="linear",
) -> bytes:
    parameters = (*factor, *limits) if dtype != "float32" else ()
    record = Record("multiply", [0, 1], [2], [], activation, parameters)
    return model([Values(dtype, 1)] * 3, [INPUT, INPUT, OUTPUT], [record])


def multiply_s16(**what) -> bytes:
    return multiply("int16", **what)


def constant(
    dtype: str = "int8",
    which: int = 0,
    zero_point: int = 0,
    shape: tuple[int, int, int, int] = (1, 1, 1, 3),
    values: int = 3,
    value: float = 0,
) -> bytes:
    parameters = (0, 0, 0, 0) if dtype != "float32" else ()
    array = np.full(values, value, np.dtype(dtype).newbyteorder("<"))
    record = Record("multiply", [0], [1], [array], parameters=(*parameters, which, zero_point, *shape))
    return model([Values(dtype, (2, 3))] * 2, [INPUT, OUTPUT], [record])


def constant_s16(**what) -> bytes:
    return constant("int16", **what)


def constant_f32(**what) -> bytes:
    return constant("float32", **what)


def add_s16(**what) -> bytes:
    return add("int16", **what)


INF, MAX = float("inf"), float(np.finfo(F32).max)
EDGES = [  # a file, what it is about, the last that is good and the first that is not
    (f32, "weight", MAX, INF),
    (f32, "bias", -MAX, -INF),
    (f32_aligned, "weight", 2**24, 2**24 + 1),
    (f32_aligned, "weight", -(2**24), -(2**24) - 1),
    (f32_aligned, "limb", 2047, 2048),  # beside what the low limb of 0 is
    (f32_aligned, "limb", -2048, -2049),
    (f32_aligned, "exponent", 104, 105),
    (f32_aligned, "exponent", -149, -150),
    (f32_aligned, "bias", MAX, INF),
    (f32_aligned, "n_in", 65535, 65536),
    (s8_f32, "scale", MAX, INF),
    (s8_f32, "bias", MAX, INF),
    (s8_f32, "n_in", 16383, 16384),
    (s8_quad, "n_in", 16383, 16384),
    (s8_quad, "limits", (-128, 127), (-128, 128)),
    (s8_quad, "limits", (5, 5), (5, 4)),
    (s4, "n_in", 16383, 16384),
    (s4, "heaviest", 255, 256),
    (s4, "panel", 4, 6),
    (s4, "panel", 16380, 16384),
    (s4, "panel", 32, 0),
    (s16, "weights", (32767, 32767), (-32768, -32768)),
    (softmax_s8, "n", 511, 512),
    (softmax_s8, "first", 2**31 - 1, 2**31 - 2),
    (softmax_s8, "another", 0, -1),
    (softmax_s8, "scale", 2.0**-8, 2.0**-7),
    (softmax_s8, "zero_point", -128, -127),
    (log_softmax_s8, "n", 4095, 4096),
    (log_softmax_s8, "first", 1 << 19, (1 << 19) + 1),
    (log_softmax_s8, "another", 1 << 19, (1 << 19) + 1),
    (log_softmax_s8, "another", 0, -1),
    (log_softmax_s8, "difference", 0, 1),
    (log_softmax_s8, "difference", -(2**30), -(2**30) - 1),
    (log_softmax_s8, "scale", 2.0**-4, 2.0**-5),
    (log_softmax_s8, "zero_point", 127, 126),
    (softmax_s16, "n", 65536, 65537),
    (softmax_s16, "first", 32767, 32766),
    (softmax_s16, "another", 0, -1),
    (softmax_s16, "scale", 2.0**-15, 2.0**-14),
    (scaling, "scale", MAX, INF),
    (scaling, "offset", -MAX, -INF),
    (scaling, "y_scale", 2.0**-125, 2.0**-126),
    (scaling, "y_scale", MAX, INF),
]
for _integers in (s8_quad, s4, s16):
    EDGES += [
        (_integers, "bias", 2**28, 2**28 + 1),
        (_integers, "bias", -(2**28), -(2**28) - 1),
        (_integers, "multiplier", 2**31 - 1, -1),
        (_integers, "shift", 15, 16),
        (_integers, "shift", -31, -32),
    ]


for _add, _limits in ((add, (-128, 127)), (add_s16, (-32768, 32767))):
    for _term in ("a", "b"):
        EDGES += [
            (_add, _term, (2**30, 0), (2**30 + 1, 0)),
            (_add, _term, (2**31 - 1, -1), (2**31 - 1, 0)),
            (_add, _term, (0, 0), (-1, 0)),
            (_add, _term, (1, -31), (1, -32)),
            (_add, _term, (1, 0), (1, 1)),
        ]
    EDGES += [
        (_add, "total", (2**31 - 1, 0), (2**31 - 1, 1)),
        (_add, "total", (0, -31), (0, -32)),
        (_add, "total", (0, 0), (-1, 0)),
        (_add, "limits", _limits, (_limits[0] - 1, 0)),
        (_add, "limits", (_limits[1], _limits[1]), (0, _limits[1] + 1)),
        (_add, "limits", (5, 5), (5, 4)),
        (_add, "activation", "relu6", "leaky_relu"),
    ]
for _multiply, _limits, _shift in ((multiply, (-128, 127), 13), (multiply_s16, (-32768, 32767), 0)):
    EDGES += [
        (_multiply, "factor", (2**31 - 1, _shift), (2**31 - 1, _shift + 1)),
        (_multiply, "factor", (0, -30), (0, -31)),
        (_multiply, "factor", (0, 0), (-1, 0)),
        (_multiply, "limits", _limits, (_limits[0] - 1, 0)),
        (_multiply, "limits", (5, 5), (5, 4)),
        (_multiply, "activation", "relu6", "leaky_relu"),
    ]
for _constant in (constant, constant_s16, constant_f32):
    EDGES += [
        (_constant, "which", 1, 2),
        (_constant, "which", 0, -1),
        (_constant, "shape", (1, 1, 1, 3), (1, 1, 1, 2)),
        (_constant, "shape", (1, 1, 1, 3), (1, 1, 1, 0)),
        (_constant, "shape", (1, 1, 1, 3), (1, 1, -1, 3)),
        (_constant, "shape", (1, 1, 1, 3), (1, 1, 2**19, 3)),
        (_constant, "shape", (1, 1, 1, 3), (1, 2, 1, 3)),
        (_constant, "shape", (1, 1, 1, 3), (1, 1, 1, 1)),  # of three values
        (_constant, "values", 3, 6),
    ]
EDGES += [
    (constant, "zero_point", -128, -129),
    (constant, "zero_point", 127, 128),
    (constant_s16, "zero_point", 0, 1),
    (constant_f32, "zero_point", 0, 1),
    (constant_f32, "value", MAX, INF),
    (lambda activation: multiply("float32", activation=activation), "activation", "gelu", "softmax"),
]
EDGES.append((lambda activation: add("float32", activation=activation), "activation", "gelu", "softmax"))


def refused(data: bytes) -> tuple[bool, bool]:
    """Whether the C core and the Python reader refuse a file."""
    try:
        ModelFile(data)
    except ValueError:
        return status_of(data) != 0, True
    return status_of(data) != 0, False


@pytest.mark.parametrize(("file", "what", "good", "bad"), EDGES)
def test_both_readers_prove_it(file, what, good, bad):
    assert refused(file(**{what: good})) == (False, False)
    assert refused(file(**{what: bad})) == (True, True)


def test_both_readers_take_more_weights_than_a_tensor_may_have_elements():
    # 2^24 bytes of constants are the limit
    n_in, n_out = 2048, 1024
    weights = np.zeros(n_in * n_out, F32)
    assert refused(dense("f32", n_in, [weights, np.zeros(n_out, F32)], n_out=n_out)) == (False, False)
    weights[-1] = np.nan
    assert refused(dense("f32", n_in, [weights, np.zeros(n_out, F32)], n_out=n_out)) == (True, True)


@pytest.mark.parametrize("row", range(11))
def test_both_readers_add_up_each_row_of_s4(row: int):
    # two eights of rows, in two panels: the second, of 32 columns, has 32 (-8) in one row; rows 9 and 10 are missing
    columns = np.full((2, 2, 32), 0x88888888, U32)  # weights of 0, by panels and eights
    columns[1, row // 8] -= np.uint32(8 << row % 8 * 4)
    constants = [columns.ravel(), np.zeros(9, I32), np.zeros(18, I32), np.array([32], I32)]
    is_bad = row < 9
    assert refused(dense("s4", 64, constants, n_out=9)) == (is_bad, is_bad)
    columns[1, row // 8, 0] = 0x88888888  # 31 of them are 248
    assert refused(dense("s4", 64, constants, n_out=9)) == (False, False)


def test_as_many_weights_as_a_file_may_use_take_a_second_to_prove():
    # 2^25 of 4 bits, which layers of a file of 90 KB could use as well; in panels as short as sums must be looked at
    n_in, n_out = 16380, 2040
    weights = words(n_in * n_out // 8, 0x88888888)
    constants = [weights, np.zeros(n_out, I32), np.zeros(2 * n_out, I32), np.array([32], I32)]
    data = dense("s4", n_in, constants, n_out=n_out)
    start = process_time()
    ModelFile(data)
    assert process_time() - start < 4  # with room for a busy machine


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("n_in", [16383, 65535])
def test_the_largest_sums_of_aligned_floats_fit(n_in: int, sign: int):
    # All weights 2^24 2^-24 = 1, x just below 2, and the largest bias that is added as an integer, 2^30 units of
    # 2^(s - 11 + e + exponent). x is rounded to 24 bits behind the point, the output to 24 bits of its own.
    unit = 2.0 ** (5 + n_in.bit_length() - 11 + 1 - 24)
    weights = words(2 * n_in, 2048)
    weights[::2] = sign * 2**28 + 2048 & 0xFFFFFFFF
    x = np.full(n_in, np.nextafter(F32.type(2), F32.type(0)))
    bias = sign * np.nextafter(F32.type(2**30 * unit), F32.type(0))
    data = dense("f32_aligned", n_in, [weights, np.array([bias], F32), np.array([-24], I32)])
    exact = sign * n_in * Fraction(float(x[0])) + Fraction(float(bias))
    with NativeModel(data) as native:
        got = native.run_raw(x)[0]
    reference = bytearray(4)
    Model(data).run_raw(x.tobytes(), reference)
    assert got.tobytes() == bytes(reference)
    assert abs(Fraction(float(got[0])) - exact) <= n_in * Fraction(2) ** -23 + abs(exact) * Fraction(2) ** -24
