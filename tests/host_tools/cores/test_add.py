"""Kind 5, add: its meaning in Python and the C core, of integers against TensorFlow Lite Micro and against rational
numbers, of floats against NumPy's float32."""

from __future__ import annotations

from fractions import Fraction
from math import floor

import numpy as np
import pytest
from anne.model_file import ModelFile
from anne_tools.cores.native import NativeModel
from anne_tools.network import tflm
from by_hand import INPUT, OUTPUT, Record, Values, model

BITS = {"int8": 20, "int16": 15}
LIMITS = {"int8": (-128, 127), "int16": (-32768, 32767)}
F32 = np.float32


def added(a, b, x: Values, y: Values, z: Values, activation: str = "linear", parameters=(), places=None):
    """Return what both cores make of a + b, having found that it is the same: integers to the bit."""
    data = model(
        [x, y, z], [INPUT, INPUT, OUTPUT], [Record("add", [0, 1], [2], [], activation, parameters)], places
    )
    (layer,) = ModelFile(data).layers
    (expected,) = layer.room.run(layer, [a.tolist(), b.tolist()])
    expected = np.array(expected, x.dtype)
    with NativeModel(data) as native:
        got = native.trace(np.concatenate([a, b]))[native.output.index]
    assert got.tobytes() == expected.tobytes()
    return expected


# --- Integers ---------------------------------------------------------------------------------------------------------


def every_pair(dtype: str, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """All pairs of int8; of int16 pairs of its limits, and many others."""
    if dtype == "int8":
        values = np.arange(-128, 128, dtype=np.int8)
        return np.repeat(values, 256), np.tile(values, 256)
    edges = np.array([-32768, -32767, -1, 0, 1, 32766, 32767], np.int16)
    some = rng.integers(-32768, 32768, (2, 4000)).astype(np.int16)
    return (
        np.concatenate([edge, r])
        for edge, r in zip((np.repeat(edges, 7), np.tile(edges, 7)), some, strict=True)
    )


def tflm_parameters(x: Values, y: Values, z: Values, activation: str) -> tuple[int, ...]:
    """What TensorFlow Lite Micro makes of the scales (its add_common.cc)."""
    a, b, out = (float(F32(values.scale)) for values in (x, y, z))
    twice = 2 * max(a, b)
    factors = [a / twice, b / twice, twice / (2 ** BITS[x.dtype] * out)]
    least, most = LIMITS[x.dtype]
    if activation != "linear":
        least = max(least, z.zero_point)
    if activation == "relu6":
        most = min(most, z.zero_point + int(tflm._round_half_away(F32(6) / F32(z.scale))))
    return (*(word for factor in factors for word in tflm.quantize_multiplier(factor)), least, most)


ACTIVATIONS = {"linear": 0, "relu": 1, "relu6": 3}  # the schema's numbers
SCALES = [  # of a, b and the output, with zero points of int8
    ((0.1, 0), (0.1, 0), (0.2, 0)),
    ((0.05, -128), (0.003, 127), (0.04, 7)),
    ((0.0001, 3), (0.7, -20), (0.9, -128)),
    ((0.5, 11), (0.25, -11), (0.01, 0)),
    ((1e-5, 1), (1e-5, 2), (1.0, 3)),
]


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("dtype", BITS)
@pytest.mark.parametrize("case", SCALES)
def test_integers_are_those_of_tflm(case, dtype, activation):
    pytest.importorskip("tflite_micro")
    from tflite_writer import Oracle, TfliteWriter

    a, b = every_pair(dtype, np.random.default_rng(5))
    w = TfliteWriter()
    values = [Values(dtype, len(a), scale, zero if dtype == "int8" else 0) for scale, zero in case]
    ends = [w.tensor((1, len(a)), dtype, scale=v.scale, zero_point=v.zero_point) for v in values]
    w.operator("ADD", ends[:2], ends[2:], 2, fusedActivationFunction=ACTIVATIONS[activation])
    expected = Oracle(w.to_bytes(ends[:2], ends[2:]), 3 * a.nbytes)(a[None], b[None])[0]
    got = added(a, b, *values, activation, tflm_parameters(*values, activation))
    np.testing.assert_array_equal(got, expected)


def exact(q: int, factor: tuple[int, int]) -> int:
    """rescale as FORMAT.md has it, by fractions: halves up, then halves away from zero."""
    multiplier, shift = factor
    first = floor(Fraction(q * multiplier, 2**31) + Fraction(1, 2))
    whole = floor(abs(Fraction(first, 2**-shift)) + Fraction(1, 2))
    return -whole if first < 0 else whole


LARGEST, HALF, SMALL = (2**31 - 1, 0), (2**30, 0), (2**30 + 12345, -7)


@pytest.mark.parametrize("dtype", BITS)
@pytest.mark.parametrize(
    "factors",
    [
        (HALF, HALF, LARGEST),  # the largest sums
        ((2**31 - 1, -1), (2**31 - 1, -1), SMALL),
        (SMALL, HALF, (2**30, -14)),
        ((0, 0), SMALL, (2**31 - 1, -19)),
        ((2**31 - 1, -31), (1, 0), HALF),
        (SMALL, SMALL, (2**31 - 1, -31)),
    ],
)
def test_integers_at_the_edges_of_their_factors(factors, dtype):
    rng = np.random.default_rng(7)
    a, b = every_pair(dtype, rng)
    some = rng.permutation(len(a))[:500]
    least, most = LIMITS[dtype]
    edges = np.array([(v, w) for v in (least, most, 0) for w in (least, most, 0)], dtype)
    a, b = np.concatenate([edges[:, 0], a[some]]), np.concatenate([edges[:, 1], b[some]])
    zeros = (127, -128, 5) if dtype == "int8" else (0, 0, 0)
    limits = (least + 3, most - 2)
    expected = []
    for v, w in zip(a.tolist(), b.tolist(), strict=True):
        terms = [
            exact((q - zero) << BITS[dtype], factor)
            for q, zero, factor in zip((v, w), zeros, factors, strict=False)
        ]
        assert abs(sum(terms)) <= 2**30  # as FORMAT.md promises
        expected.append(min(max(exact(sum(terms), factors[2]) + zeros[2], limits[0]), limits[1]))
    values = [Values(dtype, len(a), 0.1, zero) for zero in zeros]
    got = added(a, b, *values, "linear", (*factors[0], *factors[1], *factors[2], *limits))
    assert got.tolist() == expected


# --- Floats -----------------------------------------------------------------------------------------------------------

TINY = float(np.finfo(F32).tiny)  # 2^-126, the least that is no denormal
MAX = float(np.finfo(F32).max)


def floats_added(a: list[float], b: list[float], activation: str = "linear") -> np.ndarray:
    values = Values("float32", len(a))
    return added(np.array(a, F32), np.array(b, F32), values, values, values, activation)


def test_floats_are_rounded_to_float32():
    rng = np.random.default_rng(11)
    a, b = (rng.normal(size=(2, 5000)) * 10.0 ** rng.integers(-6, 7, (2, 5000))).astype(F32)
    np.testing.assert_array_equal(floats_added(a, b), a + b)
    np.testing.assert_array_equal(floats_added(a, b, "relu"), np.maximum(a + b, 0))
    np.testing.assert_array_equal(floats_added(a, b, "relu6"), np.clip(a + b, 0, 6))


def test_floats_at_the_edges_of_their_range():
    inf = float("inf")
    a = [MAX, -MAX, MAX, inf, -inf, TINY / 2, TINY, TINY, 1.5 * TINY, 0.0]
    b = [MAX, -MAX, -MAX, 1.0, -1.0, TINY / 2, -TINY / 2, TINY, -TINY, 0.0]
    # denormals count as 0 where they come in and where they come out
    expected = [inf, -inf, 0.0, inf, -inf, 0.0, TINY, 2 * TINY, 0.0, 0.0]
    assert floats_added(a, b).tolist() == expected


def test_floats_that_are_no_numbers():
    inf, nan = float("inf"), float("nan")
    values = Values("float32", 3)
    data = model([values] * 3, [INPUT, INPUT, OUTPUT], [Record("add", [0, 1], [2])])
    (layer,) = ModelFile(data).layers
    a, b = [nan, inf, 1.0], [1.0, -inf, nan]
    with NativeModel(data) as native:
        assert np.isnan(native.trace(np.array(a + b, F32))[native.output.index]).all()
    assert all(v != v for v in layer.room.run(layer, [a, b])[0])


# --- In place ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("place", [0, 16])
def test_a_sum_in_place_of_a_term(place):
    a, b = np.array([1, -2, 3], F32), np.array([10, 20, 30], F32)
    values = Values("float32", 3)
    assert added(a, b, values, values, values, places=[0, 16, place]).tolist() == [11, 18, 33]


@pytest.mark.parametrize("place", [0, 16])
def test_twice_the_same(place):
    values = Values("float32", (3, 1))
    data = model([values] * 2, [INPUT, OUTPUT], [Record("add", [0, 0], [1])], [0, place])
    (layer,) = ModelFile(data).layers
    assert layer.room.run(layer, [[1.0, -2.0, 3.0]] * 2) == [[2.0, -4.0, 6.0]]
    with NativeModel(data) as native:
        got = native.trace(np.array([1, -2, 3], F32))[native.output.index]
        assert got.ravel().tolist() == [2, -4, 6]
