"""PAD and PADV2 of float32, int8 and uint8 files, alone and in small networks.

Expected outputs come from the package `tflite-micro` (TensorFlow Lite Micro's interpreter): integers, which go through
a model file and the C core, are compared exactly; floats, too, where nothing but padding is done. It has no uint8 PAD:
what is right is its int8 answer, 128 more.
"""

from __future__ import annotations

import numpy as np
import pytest
from anne_tools.conversion.pack import pack as pack_model
from anne_tools.cores.native import NativeModel
from anne_tools.errors import ModelError
from anne_tools.layers import Pad
from anne_tools.network.execute import execute
from anne_tools.network.graph import Graph

pytest.importorskip("tflite")
pytest.importorskip("tflite_micro")

from tflite_writer import Oracle, TfliteWriter, as_uint8

SEED = 20261126
SCALE, ZERO = 0.05, -3


def value_of(w: TfliteWriter, dtype: str, shape, **options) -> int:
    """A tensor that flows, or a constant: int8 with SCALE and ZERO, if nothing else is said."""
    options = {"scale": SCALE, "zero_point": ZERO} | options if dtype == "int8" else options
    return w.tensor(shape, dtype, **options)


def pad(w: TfliteWriter, dtype: str, x: int, widths, value=None, **options) -> int:
    """PAD, or PADV2 with a value; `options` are of the value."""
    shape = [b + n + a for (b, a), n in zip(widths, w.tensors[x].shape, strict=True)]
    y = value_of(w, dtype, shape)
    inputs = [x, w.tensor((len(widths), 2), "int32", widths)]
    if value is not None:
        inputs.append(value_of(w, dtype, (1,), data=[value], **options))
    w.operator("PAD" if value is None else "PADV2", inputs, [y], 2)
    return y


def core(graph: Graph, x: np.ndarray) -> np.ndarray:
    """What the C core gives for inputs in the network's own type."""
    with NativeModel(pack_model(graph)) as native:
        return native.run_raw(x)


def samples(dtype: str, n: int, shape) -> np.ndarray:
    rng = np.random.default_rng(SEED)
    if dtype == "float32":
        return rng.normal(0, 3, (n, *shape)).astype(np.float32)
    return rng.integers(-128, 128, (n, *shape)).astype(np.int8)


SHAPES = [
    ((5,), [(2, 1)]),
    ((5,), [(0, 0)]),
    ((2, 3), [(1, 0), (0, 2)]),
    ((3, 4, 2), [(1, 1), (2, 0), (0, 0)]),
    ((2, 1, 2, 3), [(0, 1), (2, 0), (1, 1), (0, 3)]),
]


@pytest.mark.parametrize("value", [None, 0, 7, -128, 127])
@pytest.mark.parametrize("shape, widths", SHAPES)
@pytest.mark.parametrize("dtype", ["float32", "int8"])
def test_pad_equals_tflite_micro(read_tflite, dtype, shape, widths, value):
    w = TfliteWriter()
    x = value_of(w, dtype, (1, *shape))
    real = value if value is None or dtype == "int8" else value / 7
    data = w.to_bytes([x], [pad(w, dtype, x, [(0, 0), *widths], real)])
    graph, oracle, inputs = read_tflite(data), Oracle(data), samples(dtype, 10, shape)
    expected = np.concatenate([oracle(sample[None]) for sample in inputs])
    assert [type(layer) for layer in graph.layers] == [Pad]
    np.testing.assert_array_equal(core(graph, inputs), expected)


@pytest.mark.parametrize("value", range(-128, 128, 5))
@pytest.mark.parametrize(
    "scale, zero_point", [(0.05, -3), (1 / 256, -128), (0.1, 127), (3e-7, 0), (77.7, 60)]
)
def test_every_integer_stays_what_it_is(read_tflite, value, scale, zero_point):
    w = TfliteWriter()
    x, y = (w.tensor(shape, "int8", scale=scale, zero_point=zero_point) for shape in ((1, 2), (1, 3)))
    given = w.tensor((1,), "int8", [value], scale=scale, zero_point=zero_point)
    w.operator("PADV2", [x, w.tensor((2, 2), "int32", [[0, 0], [1, 0]]), given], [y])
    data, sample = w.to_bytes([x], [y]), np.int8([[5, -6]])
    np.testing.assert_array_equal(core(read_tflite(data), sample), Oracle(data)(sample))
    assert core(read_tflite(data), sample).tolist() == [[value, 5, -6]]


@pytest.mark.parametrize("value", [None, 5])
def test_uint8_is_int8_with_128_more(read_tflite, value):
    w = TfliteWriter()
    x = value_of(w, "int8", (1, 2, 3))
    data = w.to_bytes([x], [pad(w, "int8", x, [(0, 0), (1, 0), (0, 2)], value)])
    graph, oracle, inputs = read_tflite(as_uint8(data)), Oracle(data), samples("int8", 10, (2, 3))
    assert graph.metadata.provenance["input type"] == graph.metadata.provenance["output type"] == "uint8"
    expected = np.concatenate([oracle(sample[None]) for sample in inputs])
    np.testing.assert_array_equal(core(graph, inputs), expected)


def network(w: TfliteWriter, dtype: str) -> tuple[int, int]:
    """Padding, flattening, a dense layer, its output padded at either end and added."""
    rng = np.random.default_rng(SEED)
    x = value_of(w, dtype, (1, 2, 3))
    framed = pad(w, dtype, x, [(0, 0), (1, 1), (2, 1)])
    flat = value_of(w, dtype, (1, 24))
    w.operator("RESHAPE", [framed, w.tensor((2,), "int32", [1, 24])], [flat])
    weights, bias = rng.uniform(-1, 1, (4, 24)), rng.uniform(-1, 1, 4)
    if dtype == "int8":
        step = np.float32(SCALE) * np.float32(0.02)
        constants = w.tensor((4, 24), "int8", np.round(weights * 50), scale=0.02)
        constants = constants, w.tensor((4,), "int32", np.round(bias / step), scale=step)
    else:
        constants = w.tensor((4, 24), data=weights), w.tensor((4,), data=bias)
    hidden, y = value_of(w, dtype, (1, 4)), value_of(w, dtype, (1, 6))
    w.operator("FULLY_CONNECTED", [flat, *constants], [hidden], 4, fusedActivationFunction=1)
    ends = pad(w, dtype, hidden, [(0, 0), (2, 0)], 3), pad(w, dtype, hidden, [(0, 0), (0, 2)])
    w.operator("ADD", ends, [y], 2)
    return x, y


@pytest.mark.parametrize("dtype", ["float32", "int8"])
def test_a_small_network_equals_tflite_micro(read_tflite, dtype):
    w = TfliteWriter()
    x, y = network(w, dtype)
    data = w.to_bytes([x], [y])
    graph, oracle, inputs = read_tflite(data), Oracle(data), samples(dtype, 50, (2, 3))
    assert [layer.kind for layer in graph.layers] == ["pad", "reshape", "dense", "pad", "pad", "add"]
    expected = np.concatenate([oracle(sample[None]) for sample in inputs])
    if dtype == "int8":
        np.testing.assert_array_equal(core(graph, inputs), expected)
        return
    for got in (execute(graph, inputs), core(graph, inputs)):
        np.testing.assert_allclose(got, expected, rtol=0, atol=2e-6 * np.abs(expected).max())


def test_the_output_has_the_inputs_scale_to_the_bit(read_tflite):
    # one in the file that is a hair beside: the model file takes the input's
    w = TfliteWriter()
    x = value_of(w, "int8", (1, 2))
    y = value_of(w, "int8", (1, 3), scale=SCALE * 1.0001)
    w.operator("PAD", [x, w.tensor((2, 2), "int32", [[0, 0], [0, 1]])], [y])
    graph = read_tflite(w.to_bytes([x], [y]))
    assert graph.output_tensors[0].quantization == graph.input_tensors[0].quantization
    assert core(graph, np.int8([[5, 6]])).tolist() == [[5, 6, ZERO]]


def test_a_fixed_batch_is_read_as_one_row(read_tflite):
    w = TfliteWriter()
    x = value_of(w, "float32", (5, 2))
    graph = read_tflite(w.to_bytes([x], [pad(w, "float32", x, [(0, 0), (1, 0)], 0.5)]))
    np.testing.assert_array_equal(execute(graph, np.float32([[3, 4]])), [[0.5, 3, 4]])


# What is refused


def refused(read_tflite, data: bytes) -> str:
    with pytest.raises(ModelError) as error:
        pack_model(read_tflite(data))
    assert "\n" not in str(error.value)
    return str(error.value)


@pytest.mark.parametrize(
    "widths, dtype, message",
    [
        ([[1, 0], [0, 0]], "int32", "padding by [(1, 0), (0, 0)] of shape (1, 4) is not supported"),
        ([[0, 0], [-1, 0]], "int32", "padding by [(0, 0), (-1, 0)] of shape (1, 4) is not supported"),
        ([[0, 0]], "int32", "expected padding of 2 axes, got 1"),
        ([[0, 0]] * 3, "int32", "expected padding of 2 axes, got 3"),
        ([[0, 0]] * 9, "int32", "expected two integers an axis, got int32 of shape (9, 2)"),
        ([0, 1], "int32", "expected two integers an axis, got int32 of shape (2,)"),
        ([[0, 1, 0]], "int32", "expected two integers an axis, got int32 of shape (1, 3)"),
        (
            [[0, 0], [0, float("nan")]],
            "float32",
            "expected two integers an axis, got float32 of shape (2, 2)",
        ),
        ([[0, 0], [0, 1 << 62]], "int64", "expected at most 1048576 elements"),
        ([[0, 0], [1 << 20, 0]], "int64", "expected at most 1048576 elements"),
    ],
)
def test_widths_that_are_refused(read_tflite, widths, dtype, message):
    w = TfliteWriter()
    x, y = w.tensor((1, 4)), w.tensor((1, 5))
    w.operator("PAD", [x, w.tensor(np.shape(widths), dtype, widths)], [y])
    assert message in refused(read_tflite, w.to_bytes([x], [y]))


def test_computed_numbers_are_refused(read_tflite):
    for computed in (1, 2):
        w = TfliteWriter()
        x, y, other = w.tensor((1, 4)), w.tensor((1, 5)), w.tensor((2, 2))
        inputs = [x, w.tensor((2, 2), "int32", [[0, 0], [1, 0]]), w.tensor((1,), data=[1])]
        w.operator("RELU", [x], [other])
        inputs[computed] = other
        w.operator("PADV2", inputs, [y])
        what = ("its padding", "its value")[computed - 1]
        assert f"layer 1 (PADV2): {what} must be a constant" in refused(read_tflite, w.to_bytes([x], [y]))


@pytest.mark.parametrize(
    "value, message",
    [
        ({"dtype": "float32", "data": [np.nan]}, "value: expected a number that float32 can hold, got nan"),
        ({"dtype": "float32", "data": [np.inf]}, "value: expected a number that float32 can hold, got inf"),
        (
            {"dtype": "float32", "shape": (2,), "data": [1, 2]},
            "expected one value of float32, got 2 of float32",
        ),
        ({"dtype": "int32", "data": [1]}, "expected one value of float32, got 1 of int32"),
    ],
)
def test_values_that_are_refused(read_tflite, value, message):
    w = TfliteWriter()
    x, y = w.tensor((1, 4)), w.tensor((1, 5))
    given = w.tensor(value.pop("shape", (1,)), **value)
    w.operator("PADV2", [x, w.tensor((2, 2), "int32", [[0, 0], [1, 0]]), given], [y])
    assert message in refused(read_tflite, w.to_bytes([x], [y]))


def test_int8_scales_are_checked(read_tflite):
    for output, value, message in (
        ({"scale": 0.06}, {}, "expected an output of scale 0.05 and zero point -3, got 0.06 and -3"),
        ({"zero_point": 0}, {}, "expected an output of scale 0.05 and zero point -3, got 0.05 and 0"),
        ({}, {"scale": 0.06}, "expected an output of scale 0.06 and zero point -3, got 0.05 and -3"),
        ({}, {"zero_point": 4}, "expected an output of scale 0.05 and zero point 4, got 0.05 and -3"),
        ({}, {"scale": None}, ""),  # a bare integer is the output's
    ):
        w = TfliteWriter()
        x, y = value_of(w, "int8", (1, 4)), value_of(w, "int8", (1, 5), **output)
        given = value_of(w, "int8", (1,), data=[9], **value)
        w.operator("PADV2", [x, w.tensor((2, 2), "int32", [[0, 0], [1, 0]]), given], [y])
        data = w.to_bytes([x], [y])
        if message:
            assert f"layer 0 (PADV2): {message}" in refused(read_tflite, data)
        else:
            assert core(read_tflite(data), np.int8([[1, 2, 3, 4]])).tolist() == [[9, 1, 2, 3, 4]]


def test_int8_without_a_scale_is_refused(read_tflite):
    w = TfliteWriter()
    x, y = w.tensor((1, 4), "int8"), w.tensor((1, 5), "int8")
    w.operator("PAD", [x, w.tensor((2, 2), "int32", [[0, 0], [1, 0]])], [y])
    assert "expected one scale for an int8 tensor" in refused(read_tflite, w.to_bytes([x], [y]))


def test_integers_to_floats_are_refused(read_tflite):
    w = TfliteWriter()
    x, y = value_of(w, "int8", (1, 4)), w.tensor((1, 5))
    w.operator("PAD", [x, w.tensor((2, 2), "int32", [[0, 0], [1, 0]])], [y])
    assert "layer 0 (PAD): expected a int8 output, got float32" in refused(read_tflite, w.to_bytes([x], [y]))
