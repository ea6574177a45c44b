"""TensorFlow Lite operators that work element by element: two operands, limits, functions, changes of type.

Expected outputs come from the package `tflite-micro`, or from numpy where that has no kernel; integers are compared
exactly, floats within 1e-5 of the largest.
"""

from __future__ import annotations

import numpy as np
import pytest
from anne_tools.conversion.pack import pack
from anne_tools.cores.native import NativeModel
from anne_tools.errors import ModelError
from anne_tools.network.graph import Graph

pytest.importorskip("tflite")
pytest.importorskip("tflite_micro")

from tflite_agreement import assert_agreement, samples
from tflite_writer import Oracle, TfliteWriter

SEED = 20261126
RELU = 1


class Writer(TfliteWriter):
    """A model of values of one type."""

    def __init__(self, dtype: str):
        super().__init__()
        self.dtype = dtype

    def value(self, *shape: int, scale: float = 0.05, zero_point: int = -3, **options) -> int:
        if self.dtype == "int8":
            options = {"scale": scale, "zero_point": zero_point} | options
        if self.dtype == "int16":
            options = {"scale": scale / 256} | options
        return self.tensor(shape, self.dtype, **options)

    def constant(self, real, scale: float = 0.02, zero_point: int = 5) -> int:
        """A constant, of integers the nearest."""
        real = np.asarray(real, np.float32)
        if self.dtype == "int8":
            real = np.clip(np.rint(real / scale) + zero_point, -128, 127)
        if self.dtype == "int16":
            real = np.rint(real / scale * 256)
        return self.value(*real.shape, scale=scale, zero_point=zero_point, data=real)


def agree(read_tflite, w: Writer, x: int, y: int, kinds: list[str]) -> Graph:
    """Assert that the model gives what TensorFlow Lite Micro does, by layers of those kinds."""
    data = w.to_bytes([x], [y])
    graph = read_tflite(data)
    assert_agreement(graph, Oracle(data), samples(w.dtype, w.tensors[x].shape[1:]), kinds)
    return graph


DTYPES = pytest.mark.parametrize("dtype", ["float32", "int8"])
WITH_INT16 = pytest.mark.parametrize("dtype", ["float32", "int8", "int16"])
KINDS = {"ADD": "add", "SUB": "subtract", "MUL": "multiply"}


# Two operands


@WITH_INT16
@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("other", [(1, 4, 3, 5), (1, 1, 1, 5), (1, 4, 3, 1)])
@pytest.mark.parametrize("fused", [0, RELU])
def test_two_computed_operands(read_tflite, dtype, name, other, fused):
    # `b` is a mean of x, or x itself
    w = Writer(dtype)
    x, a, y = w.value(1, 4, 3, 5), w.value(1, 4, 3, 5, scale=0.1), w.value(1, 4, 3, 5, scale=0.08)
    w.operator("RELU", [x], [a])
    first = ["activation"] if dtype != "int16" else ["quantize", "clip"]
    b, kinds = x, first
    if other != (1, 4, 3, 5):
        b, kinds = w.value(*other, scale=0.03, zero_point=1), [*first, "reduce"]
        axes = [axis for axis in (1, 2, 3) if other[axis] == 1]
        w.operator("MEAN", [x, w.tensor((len(axes),), "int32", axes)], [b], keepDims=True)
    w.operator(name, [a, b], [y], fusedActivationFunction=fused)
    agree(read_tflite, w, x, y, [*kinds, KINDS[name]])


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("shape", [(), (1,), (5,), (1, 1, 1, 5), (3, 5), (4, 3, 1)])
@pytest.mark.parametrize("first", [False, True])
def test_an_int8_constant(read_tflite, name, shape, first):
    w = Writer("int8")
    c = w.constant(np.random.default_rng(SEED).uniform(-2, 2, shape))
    x, y = w.value(1, 4, 3, 5), w.value(1, 4, 3, 5, scale=0.08)
    w.operator(name, [c, x] if first else [x, c], [y], fusedActivationFunction=RELU)
    graph = agree(read_tflite, w, x, y, [KINDS[name]])
    assert graph.layers[0].constant_first == first


def test_a_float_constant_that_makes_a_value_larger(read_tflite):
    w = Writer("float32")
    x, y = w.value(1, 4, 1), w.value(1, 4, 5)
    w.operator("MUL", [x, w.constant(np.linspace(-1, 1, 5).reshape(1, 1, 5))], [y])
    agree(read_tflite, w, x, y, ["multiply"])


def test_a_squared_difference(read_tflite):
    w = Writer("float32")
    x, mean, y = w.value(1, 4, 5), w.value(1, 4, 1), w.value(1, 4, 5)
    w.operator("MEAN", [x, w.tensor((1,), "int32", [2])], [mean], keepDims=True)
    w.operator("SQUARED_DIFFERENCE", [x, mean], [y])
    agree(read_tflite, w, x, y, ["reduce", "subtract", "activation"])


# Limits


@DTYPES
@pytest.mark.parametrize("name", ["MINIMUM", "MAXIMUM"])
@pytest.mark.parametrize("limit", [-1.5, 0.0, 2.5])
@pytest.mark.parametrize("first", [False, True])
def test_limits(read_tflite, dtype, name, limit, first):
    w = Writer(dtype)
    x, y, c = w.value(1, 4, 5), w.value(1, 4, 5), w.constant(limit, 0.05, -3)
    w.operator(name, [c, x] if first else [x, c], [y])
    agree(read_tflite, w, x, y, ["clip"])


@DTYPES
@pytest.mark.parametrize("name, least", [("RELU_N1_TO_1", -1), ("RELU_0_TO_1", 0)])
def test_relus_up_to_1(read_tflite, dtype, name, least):
    # the interpreter has no such kernel: what comes out is limited, that is all
    w = Writer(dtype)
    x, y = w.value(1, 9), w.value(1, 9)
    w.operator(name, [x], [y])
    given = samples(dtype, (9,))
    limits = (least, 1) if dtype == "float32" else (round(least / 0.05) - 3, 20 - 3)
    with NativeModel(pack(read_tflite(w.to_bytes([x], [y])))) as native:
        np.testing.assert_array_equal(native.run_raw(given), np.clip(given, *limits))


@DTYPES
@pytest.mark.parametrize("shape", [(1, 1, 5), (5,), (4, 3, 5), (1, 1, 1)])
def test_prelu(read_tflite, dtype, shape):
    w = Writer(dtype)
    slope = w.constant(np.random.default_rng(SEED).uniform(0, 0.9, shape), 0.01, 0)
    x, y = w.value(1, 4, 3, 5), w.value(1, 4, 3, 5, scale=0.06)
    w.operator("PRELU", [x, slope], [y])
    agree(read_tflite, w, x, y, ["prelu"])


# Functions of one value


@pytest.mark.parametrize("name", ["EXP", "ABS", "SQUARE"])
def test_float_functions(read_tflite, name):
    w = Writer("float32")
    x, y = w.value(1, 9), w.value(1, 9)
    w.operator(name, [x], [y])
    agree(read_tflite, w, x, y, ["activation"])


def test_a_negative_value_is_a_scaling(read_tflite):
    w = Writer("float32")
    x, y = w.value(1, 9), w.value(1, 9)
    w.operator("NEG", [x], [y])
    agree(read_tflite, w, x, y, ["scaling"])


@pytest.mark.parametrize("name", ["LOG", "SQRT", "RSQRT"])
def test_float_functions_of_positive_values(read_tflite, name):
    w = Writer("float32")
    x, a, b, y = (w.value(1, 9) for _ in range(4))
    w.operator("SQUARE", [x], [a])
    w.operator("ADD", [a, w.constant(0.25)], [b])
    w.operator(name, [b], [y])
    agree(read_tflite, w, x, y, ["activation", "scaling", "activation"])


@DTYPES
@pytest.mark.parametrize(
    "scale", [0.004, 0.1, 0.6, 3.0]
)  # of integers; of the last, most are too small to count
def test_log_softmax_of_rows(read_tflite, dtype, scale):
    w = Writer(dtype)
    x, y = w.value(1, 40, 5, scale=scale), w.value(1, 40, 5, scale=16 / 256, zero_point=127)
    w.operator("LOG_SOFTMAX", [x], [y])
    agree(read_tflite, w, x, y, ["activation"])


@pytest.mark.parametrize("name, most", [("LOGISTIC", 2), ("TANH", 14), ("SOFTMAX", 21)])
def test_curves_of_int16_are_steps_off(read_tflite, name, most):
    """The interpreter has tables of another form; steps are of 2^-15."""
    w = Writer("int16")
    x, y = w.value(1, 50), w.tensor((1, 50), "int16", scale=2.0**-15)
    w.operator(name, [x], [y], **({"beta": 1.0} if name == "SOFTMAX" else {}))
    data, given = w.to_bytes([x], [y]), samples("int16", (50,))
    graph, oracle = read_tflite(data), Oracle(data)
    assert [layer.kind for layer in graph.layers] == ["activation"]
    note = "on int16: a table of its own, a few steps of its output off"
    assert note in graph.metadata.provenance["notes"]
    with NativeModel(pack(graph)) as native:
        got = native.run_raw(given).astype(int)
    assert np.abs(got - np.concatenate([oracle(sample[None]) for sample in given])).max() <= most


@pytest.mark.parametrize("scale", [0.05, 0.02])
@pytest.mark.parametrize("name", ["RELU", "RELU6", "LEAKY_RELU"])
def test_bends_of_int16(read_tflite, name, scale):
    w = Writer("int16")
    x, y = w.value(1, 50), w.value(1, 50, scale=scale)
    w.operator(name, [x], [y], **({"alpha": 0.3} if name == "LEAKY_RELU" else {}))
    data, given = w.to_bytes([x], [y]), samples("int16", (50,))
    kinds = ["prelu"] if name == "LEAKY_RELU" else ["quantize", "clip"] if scale == 0.02 else ["clip"]
    if (name, scale) == ("RELU6", 0.02):  # the interpreter limits, and rescales nothing
        return
    assert_agreement(read_tflite(data), Oracle(data), given, kinds)


# Changes of type


def test_floats_in_the_middle(read_tflite):
    w = Writer("int8")
    x, y = w.value(1, 9), w.value(1, 9, scale=0.1, zero_point=10)
    a, b = w.tensor((1, 9)), w.tensor((1, 9))
    w.operator("DEQUANTIZE", [x], [a])
    w.operator("RELU", [a], [b])
    w.operator("QUANTIZE", [b], [y])
    agree(read_tflite, w, x, y, ["quantize", "activation", "quantize"])


def test_an_input_that_is_quantised_and_read_as_it_is(read_tflite):
    w = Writer("float32")
    x, q, back, y = w.tensor((1, 9)), w.tensor((1, 9), "int8", scale=0.05), w.tensor((1, 9)), w.tensor((1, 9))
    w.operator("QUANTIZE", [x], [q])
    w.operator("DEQUANTIZE", [q], [back])
    w.operator("SUB", [back, x], [y])
    agree(read_tflite, w, x, y, ["quantize", "quantize", "subtract"])


# What is refused


def refused(read_tflite, w: Writer, x: int, y: int) -> str:
    with pytest.raises(ModelError) as error:
        pack(read_tflite(w.to_bytes([x], [y])))
    assert "\n" not in str(error.value)
    return str(error.value)


def test_limits_that_are_not_one_number_are_refused(read_tflite):
    for limit, message in (
        ([1.0, 2.0], "expected one constant of float32, got 2 of float32"),
        (np.ones((1, 1, 2)), "a constant of shape (1, 1, 2) makes its value larger"),
    ):
        w = Writer("float32")
        x, y = w.value(1, 2), w.value(1, 2)
        w.operator("MINIMUM", [x, w.constant(limit)], [y])
        assert f"layer 0 (MINIMUM): {message}" in refused(read_tflite, w, x, y)
    w = Writer("int8")
    x, a, y = w.value(1, 2), w.value(1, 2), w.value(1, 2)
    w.operator("RELU", [x], [a])
    w.operator("MAXIMUM", [x, a], [y])
    assert "layer 1 (MAXIMUM) of two computed values of int8 is not supported" in refused(
        read_tflite, w, x, y
    )


@pytest.mark.parametrize("name", ["MAXIMUM", "MINIMUM"])
def test_extremes_of_two_computed_values(read_tflite, name):
    w = Writer("float32")
    x, a, y = w.value(1, 3, 4), w.value(1, 3, 4), w.value(1, 3, 4)
    w.operator("TANH", [x], [a])
    w.operator(name, [x, a], [y])
    signs = ["subtract", "add" if name == "MAXIMUM" else "subtract"]
    agree(read_tflite, w, x, y, ["activation", *signs])


def test_int8_operators_without_integers_of_their_own_are_refused(read_tflite):
    for name in ("DIV", "SQUARED_DIFFERENCE"):
        w = Writer("int8")
        x, y = w.value(1, 2), w.value(1, 2)
        w.operator(name, [x, w.constant([0.5])], [y])
        assert f"layer 0 ({name}) of int8 tensors is not supported; supported: float32" in refused(
            read_tflite, w, x, y
        )


def test_constants_of_another_type_are_refused(read_tflite):
    w = Writer("int8")
    x, y = w.value(1, 2), w.value(1, 2)
    w.operator("ADD", [x, w.tensor((1,), data=[0.5])], [y])
    assert "layer 0 (ADD): a constant of float32 does not go with int8 values" in refused(
        read_tflite, w, x, y
    )


def test_choices_between_values_are_refused(read_tflite):
    w = Writer("float32")
    x, a, y = w.value(1, 2), w.value(1, 2), w.value(1, 2)
    w.operator("RELU", [x], [a])
    w.operator("SELECT_V2", [x, a, x], [y])
    assert "layer 1 (SELECT_V2) is supported before rows of a table only" in refused(read_tflite, w, x, y)
