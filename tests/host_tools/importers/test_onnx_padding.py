"""ONNX's Pad with a constant, against ONNX Runtime: its attributes before opset 11, its inputs since, axes since 18.

What PyTorch's exporters write of padding stands among the golden files of test_onnx_branches.py.
"""

from __future__ import annotations

import functools

import numpy as np
import pytest
from anne_tools import convert
from anne_tools.cores.native import NativeModel
from anne_tools.errors import ModelError
from anne_tools.importers import load
from anne_tools.network.execute import execute

pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

import onnx_writer

RNG = np.random.default_rng(20261126)
IMAGE = ("batch", 2, 3)


def f32(*shape) -> np.ndarray:
    return RNG.uniform(-1, 1, shape).astype(np.float32)


@pytest.fixture
def make(tmp_path):
    """Writes a model; see onnx_writer.write."""
    return functools.partial(onnx_writer.write, tmp_path / "made.onnx")


def refused(path) -> str:
    with pytest.raises(ModelError) as error:
        load(path)
    assert "\n" not in str(error.value)
    return str(error.value)


CONSTANTS = {
    "two": np.array([0, 1, 2, 0, 0, 3]),
    "last": np.array([1, 2]),
    "both": np.array([1, 0, 3, 1]),
    "k": np.float32(-1.5),
    "kv": np.float32([2.5]),
    "a": np.array([-1]),
    "a21": np.array([2, 1]),
}


@pytest.mark.parametrize(
    "opset, text, before, after, value",
    [
        (10, "y = Pad(x; pads=[0, 1, 2, 0, 0, 3])", (1, 2), (0, 3), 0),
        (10, "y = Pad(x; pads=[0, 0, 1, 0, 1, 0], value=0.5, mode='constant')", (0, 1), (1, 0), 0.5),
        (11, "y = Pad(x, two, k)", (1, 2), (0, 3), -1.5),
        (13, "y = Pad(x, two)", (1, 2), (0, 3), 0),
        (13, "y = Pad(x, two, k; mode='constant')", (1, 2), (0, 3), -1.5),
        (13, "y = Pad(x, two, kv)", (1, 2), (0, 3), 2.5),
        (18, "y = Pad(x, last, k, a)", (0, 1), (0, 2), -1.5),
        (18, "y = Pad(x, last, , a)", (0, 1), (0, 2), 0),
        (18, "y = Pad(x, both, kv, a21)", (0, 1), (1, 3), 2.5),
        (21, "y = Pad(x, both, kv, a21)", (0, 1), (1, 3), 2.5),
    ],
)
def test_pad_gives_what_onnx_runtime_gives(make, opset, text, before, after, value):
    path, x = make(text, CONSTANTS, shape=IMAGE, opset=opset), f32(5, 2, 3)
    (expected,) = onnx_writer.answers(path, x)
    graph = load(path)
    (layer,) = graph.layers
    assert (layer.before, layer.after, layer.value) == (before, after, value)
    np.testing.assert_array_equal(execute(graph, x), expected)
    np.testing.assert_array_equal(convert(path).predict(x), expected)


def test_a_small_network_with_padding(make):
    text = "p = Pad(x, two)\nf = Flatten(p)\nh = Gemm(f, w, b)\nr = Relu(h)\ng = Pad(r, last, k, a)\ny = Gemm(g, v)"
    path = make(text, CONSTANTS | {"w": f32(24, 5), "b": f32(5), "v": f32(8, 3)}, shape=IMAGE)
    x = RNG.uniform(-4, 4, (20, 2, 3)).astype(np.float32)
    (expected,) = onnx_writer.answers(path, x)
    assert [layer.kind for layer in load(path).layers] == [
        "pad",
        "reshape",
        "dense",
        "activation",
        "pad",
        "dense",
    ]
    for got in (execute(load(path), x), convert(path).predict(x)):
        np.testing.assert_allclose(got, expected, rtol=0, atol=2e-6 * np.abs(expected).max())


def test_padding_put_together_as_pytorch_does_it(make):
    # numbers from the last axis on, filled up with zeros, turned round by two
    text = (
        "zeros = ConstantOfShape(n)\nmore = Cast(zeros; to=7)\nall = Concat(given, more; axis=0)\n"
        "rows = Reshape(all, r2)\nturned = Slice(rows, m1, end, first, m1)\nt = Transpose(turned; perm=[1, 0])\n"
        "flat = Reshape(t, m1)\npads = Cast(flat; to=7)\ny = Pad(x, pads)"
    )
    constants = {
        "n": np.array([2]),
        "given": np.array([1, 2, 3, 0]),
        "r2": np.array([-1, 2]),
        "m1": np.array([-1]),
        "end": np.array([-(2**63) + 1]),
        "first": np.array([0]),
    }
    path, x = make(text, constants, shape=IMAGE, opset=17), f32(3, 2, 3)
    (layer,) = load(path).layers
    assert (layer.before, layer.after) == ((3, 1), (0, 2))
    (expected,) = onnx_writer.answers(path, x)
    np.testing.assert_array_equal(execute(load(path), x), expected)


BAD = CONSTANTS | {
    "batch": np.array([1, 0, 0, 0, 0, 0]),
    "less": np.array([0, 0, -1, 0, 0, 0]),
    "odd": np.array([0, 1, 2]),
    "wide": np.array([0, 0, 1 << 62, 0, 0, 1 << 62]),
    "large": np.array([0, 0, 1 << 20, 0, 0, 0]),
    "broad": np.array([1 << 30, 1 << 30]),
    "f": np.full(6, np.nan, np.float32),
    "nan": np.float32(np.nan),
    "inf": np.float32(np.inf),
    "none": np.zeros(0, np.float32),
    "many": np.zeros(3, np.float32),
    "twice": np.array([1, -2]),
    "beyond": np.array([3]),
    "fa": np.float32([2]),
}


@pytest.mark.parametrize(
    "text, message",
    [
        (
            "y = Pad(x, two; mode='wrap')",
            "layer 0 (Pad): mode wrap is not supported; supported: constant, reflect, edge",
        ),
        ("y = Pad(x, two; mode='wrap')", "layer 0 (Pad): mode wrap is not supported; supported: constant"),
        ("p = Relu(x)\ny = Pad(x, p)", "layer 1 (Pad): the padding must be a constant"),
        ("v = Relu(x)\ny = Pad(x, two, v)", "layer 1 (Pad): the value must be a constant"),
        ("y = Pad(x)", "layer 0 (Pad): expected 2 inputs, got 1"),
        (
            "y = Pad(k, both)\nz = Relu(x)",
            "layer 0 (Pad): expected two numbers for each of 0 axes, got [1, 0, 3, 1]",
        ),
        ("y = Pad(x, batch)", "layer 0 (Pad): padding by [(1, 0), (0, 0), (0, 0)] of shape (1, 2, 3) is not"),
        ("y = Pad(x, odd)", "layer 0 (Pad): expected two numbers for each of 3 axes, got [0, 1, 2]"),
        ("y = Pad(x, last)", "layer 0 (Pad): expected two numbers for each of 3 axes, got [1, 2]"),
        ("y = Pad(x, wide)", "layer 0 (Pad): (1, 2, 9223372036854775811): expected at most 1048576 elements"),
        ("y = Pad(x, large)", "(1, 2, 1048579): expected at most 1048576 elements"),
        ("y = Pad(x, f)", "layer 0 (Pad): expected one value, and padding and axes of integers"),
        ("y = Pad(x, two, none)", "layer 0 (Pad): expected one value, and padding and axes of integers"),
        ("y = Pad(x, two, many)", "layer 0 (Pad): expected one value, and padding and axes of integers"),
        ("y = Pad(x, two, nan)", "layer 0 (Pad): value: expected a number that float32 can hold, got nan"),
        ("y = Pad(x, two, inf)", "layer 0 (Pad): value: expected a number that float32 can hold, got inf"),
        ("y = Pad(x, both, k, twice)", "layer 0 (Pad): expected axes of 3, each once, got [1, -2]"),
        ("y = Pad(x, last, k, beyond)", "layer 0 (Pad): expected axes of 3, each once, got [3]"),
        ("y = Pad(x, last, k, fa)", "layer 0 (Pad): expected one value, and padding and axes of integers"),
        (
            "p = ConstantOfShape(wide)\ny = Pad(x, p)",
            "layer 0 (ConstantOfShape): array is too big",
        ),
        (
            "p = ConstantOfShape(broad)\ny = Pad(x, p)",
            "layer 0 (ConstantOfShape): (1073741824, 1073741824): unpacks",
        ),
    ],
)
def test_pads_that_are_refused(make, text, message):
    inputs = {"x": IMAGE}
    outputs = ("y", "z") if "z = " in text else ("y",)
    assert message in refused(make(text, BAD, inputs=inputs, outputs=outputs))


@pytest.mark.parametrize(
    "text, message",
    [
        ("y = Pad(x; pads=[0, 1, 2])", "expected two numbers for each of 3 axes, got [0, 1, 2]"),
        ("y = Pad(x)", "expected two numbers for each of 3 axes, got []"),
        (
            "y = Pad(x; pads=[0.0, 0.0, 1.5, 0.0, 0.0, 1.0])",
            "expected one value, and padding and axes of integers",
        ),
        (
            "y = Pad(x; pads=[0, 0, 1, 0, 0, 0], value=inf)",
            "value: expected a number that float32 can hold, got inf",
        ),
        (
            "y = Pad(x; pads=[0, 0, 1, 0, 0, 0], mode='wrap')",
            "mode wrap is not supported; supported: constant, reflect, edge",
        ),
    ],
)
def test_attributes_that_are_refused(make, text, message):
    assert f"layer 0 (Pad): {message}" in refused(make(text, shape=IMAGE, opset=10))


# Quantised files


def quantised(make, text, constants, unsigned):
    """The model by ONNX Runtime's own quantiser, calibrated with random inputs, and the shape of its input."""
    from onnxruntime import quantization as q

    path = make(text, constants, shape=IMAGE)
    rows = iter([{"x": f32(1, 2, 3)} for _ in range(60)])

    class Reader(q.CalibrationDataReader):
        def get_next(self):
            return next(rows, None)

    target = path.with_name("quantised.onnx")
    kind = q.QuantType.QUInt8 if unsigned else q.QuantType.QInt8
    q.quantize_static(
        path,
        target,
        Reader(),
        quant_format=q.QuantFormat.QDQ,
        activation_type=kind,
        weight_type=q.QuantType.QInt8,
    )
    return target


WEIGHTS = CONSTANTS | {"w": f32(24, 5), "b": f32(5), "v": f32(8, 3)}


@pytest.mark.parametrize("unsigned", [False, True])
def test_zeros_in_a_quantised_file_are_int8(make, unsigned):
    text = "p = Pad(x, two)\nf = Flatten(p)\nh = Gemm(f, w, b)\ng = Pad(h, last, , a)\ny = Gemm(g, v)"
    path = quantised(make, text, WEIGHTS, unsigned)
    graph = load(path)
    assert [layer.kind for layer in graph.layers] == ["pad", "reshape", "dense", "pad", "dense"]
    assert graph.is_quantized
    x = f32(200, 2, 3)
    (expected,) = onnx_writer.answers(path, x)
    q, out = graph.input_tensors[0].quantization, graph.output_tensors[0].quantization
    steps = np.clip(np.rint(x / np.float32(q.scale[0])) + q.zero_point, -128, 127).astype(np.int8)
    with NativeModel(convert(path).data) as native:
        got = native.run_raw(steps).astype(float)
    beside = np.abs(got - out.zero_point - expected / out.scale[0]).round()
    # each dense layer may be a step beside ONNX Runtime's, which rounds in another way
    assert beside.max() <= 2 and np.mean(beside == 0) > 0.9


@pytest.mark.parametrize("value, kinds", [(-1.5, "quantize pad quantize"), (0.3, "pad reshape")])
def test_a_value_in_a_quantised_file_is_in_floats_beyond_its_integers(make, value, kinds):
    text, constants = (
        "p = Pad(x, two, k)\nf = Flatten(p)\ny = Gemm(f, w, b)",
        WEIGHTS | {"k": np.float32(value)},
    )
    path = quantised(make, text, constants, False)
    converted, x = convert(path), f32(60, 2, 3)
    assert converted.report.dtype == "int8"
    assert [layer.kind for layer in converted.graph.layers][: len(kinds.split())] == kinds.split()
    (expected,) = onnx_writer.answers(path, x)
    scale = float(converted.graph.output_tensors[0].quantization.scale[0])
    beside = np.abs(converted.predict(x) - expected) / scale
    assert beside.max() < 1.01 and np.mean(beside < 0.5) > 0.9
