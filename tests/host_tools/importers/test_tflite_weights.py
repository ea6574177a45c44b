"""TensorFlow Lite operators with weights: convolutions of all kinds, dense layers of rows, dilations spelled out.

Expected outputs come from the package `tflite-micro`: integers are compared exactly, floats within 1e-5 of the largest.
"""

from __future__ import annotations

import numpy as np
import pytest
from anne_tools.conversion.convert import convert
from anne_tools.conversion.pack import pack as pack_model
from anne_tools.cores.native import NativeModel
from anne_tools.errors import ModelError
from anne_tools.network.execute import execute
from anne_tools.network.graph import Graph

pytest.importorskip("tflite")
pytest.importorskip("tflite_micro")

from tflite_agreement import assert_agreement, samples
from tflite_micro.tensorflow.lite.micro.python import schema_py_generated as schema
from tflite_writer import Oracle, TfliteWriter, as_uint8

SEED = 20261126
SAME, VALID = 0, 1
RELU, RELU_N1_TO_1, RELU6 = 1, 2, 3


class Writer(TfliteWriter):
    """A model of values of one type, with random weights."""

    def __init__(self, dtype: str):
        super().__init__()
        self.dtype, self.rng = dtype, np.random.default_rng(SEED)

    def value(self, *shape: int, scale: float = 0.05, zero_point: int = -3) -> int:
        options = {"scale": scale, "zero_point": zero_point} if self.dtype == "int8" else {}
        if self.dtype == "int16":
            options = {"scale": scale / 256}
        return self.tensor(shape, self.dtype, **options)

    def weights(self, *shape: int, axis: int = 0, per_channel: bool = True) -> list[int]:
        """Weights and a bias, with a scale for each of axis `axis`."""
        n = shape[axis]
        if self.dtype == "float32":
            return [
                self.tensor(shape, data=self.rng.normal(size=shape)),
                self.tensor((n,), data=self.rng.normal(size=n)),
            ]
        scales = 2.0 ** self.rng.uniform(-8, -6, n if per_channel else 1)
        integers = self.tensor(shape, "int8", self.rng.integers(-127, 128, shape), scale=scales, axis=axis)
        dtype, scale = ("int32", 0.05) if self.dtype == "int8" else ("int64", 0.05 / 256)
        bias = self.tensor((n,), dtype, self.rng.integers(-500, 500, n), scale=scale * np.float32(scales))
        return [integers, bias]

    def whole(self, numbers) -> int:
        return self.tensor(np.shape(numbers), "int32", numbers)


def agree(read_tflite, w: Writer, x: int, y: int, kinds: list[str]) -> Graph:
    """Assert that the model gives what TensorFlow Lite Micro does, by layers of those kinds."""
    data = w.to_bytes([x], [y])
    return gives(read_tflite, w, data, x, Oracle(data), kinds)


def gives(read_tflite, w: Writer, data: bytes, x: int, oracle, kinds: list[str]) -> Graph:
    graph = read_tflite(data)
    assert_agreement(graph, oracle, samples(w.dtype, w.tensors[x].shape[1:]), kinds)
    return graph


DTYPES = pytest.mark.parametrize("dtype", ["float32", "int8"])
WITH_INT16 = pytest.mark.parametrize("dtype", ["float32", "int8", "int16"])  # int16x8: weights are int8
WINDOWS = [
    # size, kernel, stride, dilation, padding, output's size
    ((5, 6), (3, 3), (1, 1), (1, 1), SAME, (5, 6)),
    ((5, 6), (3, 3), (1, 1), (1, 1), VALID, (3, 4)),
    ((5, 6), (2, 4), (2, 3), (1, 1), SAME, (3, 2)),
    ((5, 6), (2, 4), (2, 3), (1, 1), VALID, (2, 1)),
    ((7, 6), (3, 2), (1, 1), (2, 3), SAME, (7, 6)),
    ((7, 6), (3, 2), (1, 1), (2, 3), VALID, (3, 3)),
    ((4, 4), (1, 1), (2, 2), (1, 1), SAME, (2, 2)),
    ((1, 8), (1, 3), (1, 2), (1, 1), SAME, (1, 4)),
]


def window(stride, dilation, padding, fused: int = 0) -> dict:
    options = {
        "strideH": stride[0],
        "strideW": stride[1],
        "padding": padding,
        "fusedActivationFunction": fused,
    }
    return options | {"dilationHFactor": dilation[0], "dilationWFactor": dilation[1]}


@WITH_INT16
@pytest.mark.parametrize("size, kernel, stride, dilation, padding, made", WINDOWS)
def test_convolution(read_tflite, dtype, size, kernel, stride, dilation, padding, made):
    w = Writer(dtype)
    x, y = w.value(1, *size, 3), w.value(1, *made, 4, scale=0.2)
    w.operator("CONV_2D", [x, *w.weights(4, *kernel, 3)], [y], **window(stride, dilation, padding, RELU))
    agree(read_tflite, w, x, y, ["conv"])


@DTYPES
def test_a_fused_relu_up_to_1_is_a_clip_behind(read_tflite, dtype):
    w = Writer(dtype)
    x, y = w.value(1, 4, 4, 3), w.value(1, 4, 4, 2, scale=0.03)
    w.operator("CONV_2D", [x, *w.weights(2, 3, 3, 3)], [y], **window((1, 1), (1, 1), SAME, RELU_N1_TO_1))
    agree(read_tflite, w, x, y, ["conv", "clip"])


@WITH_INT16
@pytest.mark.parametrize("multiplier", [1, 3])
@pytest.mark.parametrize("size, kernel, stride, dilation, padding, made", WINDOWS)
def test_depthwise_convolution(read_tflite, dtype, size, kernel, stride, dilation, padding, made, multiplier):
    w = Writer(dtype)
    n_out = 2 * multiplier
    x, y = w.value(1, *size, 2), w.value(1, *made, n_out, scale=0.1)
    options = window(stride, dilation, padding, RELU6) | {"depthMultiplier": multiplier}
    w.operator("DEPTHWISE_CONV_2D", [x, *w.weights(1, *kernel, n_out, axis=3)], [y], 3, **options)
    agree(read_tflite, w, x, y, ["depthwise_conv"])


@WITH_INT16
@pytest.mark.parametrize("per_channel", [True, False])
@pytest.mark.parametrize(
    "size, kernel, stride, padding",
    [
        ((3, 4), (3, 3), (2, 2), SAME),
        ((3, 4), (3, 3), (2, 2), VALID),
        ((3, 4), (2, 4), (1, 3), SAME),
        ((3, 4), (2, 2), (3, 4), SAME),
        ((2, 2), (4, 4), (1, 1), VALID),
        ((1, 5), (1, 3), (1, 2), SAME),
    ],
)
def test_transposed_convolution(read_tflite, dtype, per_channel, size, kernel, stride, padding):
    w = Writer(dtype)
    made = [
        n * s if padding == SAME else (n - 1) * s + k for n, k, s in zip(size, kernel, stride, strict=True)
    ]
    x, y = w.value(1, *size, 3), w.value(1, *made, 2, scale=0.2)
    weights, bias = w.weights(2, *kernel, 3, per_channel=per_channel)
    options = {"strideH": stride[0], "strideW": stride[1], "padding": padding}
    w.operator("TRANSPOSE_CONV", [w.whole([1, *made, 2]), weights, x, bias], [y], 3, **options)
    agree(read_tflite, w, x, y, ["conv_transpose"])


@WITH_INT16
@pytest.mark.parametrize("keep", [True, False])
def test_a_dense_layer_of_every_row(read_tflite, dtype, keep):
    w = Writer(dtype)
    x = w.value(1, 3, 2, 5)
    y = w.value(*((1, 3, 2) if keep else (6,)), 4, scale=0.2)
    weights = w.weights(4, 5, per_channel=False)
    w.operator("FULLY_CONNECTED", [x, *weights], [y], 5, keepNumDims=keep, fusedActivationFunction=RELU)
    data = w.to_bytes([x], [y])
    given = samples(dtype, (3, 2, 5))
    oracle, graph = Oracle(data), read_tflite(data)
    assert graph.output_tensors[0].shape == ((3, 2, 4) if keep else (6, 4))
    with NativeModel(pack_model(graph)) as native:
        for sample, got in zip(given, native.run_raw(given), strict=True):
            expected = oracle(sample[None]).reshape(got.shape)
            np.testing.assert_allclose(
                got, expected, rtol=0, atol=1e-5 * np.abs(expected).max() * (dtype == "float32")
            )


@pytest.mark.parametrize("name", ["FULLY_CONNECTED", "CONV_2D"])
def test_int16_without_bias(read_tflite, name):
    w = Writer("int16")
    shape = (1, 2, 2) if name == "CONV_2D" else ()
    x, y = w.value(1, *(2 * s for s in shape[1:]), 6), w.value(1, *shape[1:], 4, scale=0.2)
    weights = w.weights(4, *shape[1:], 6)[0]
    options = window((2, 2), (1, 1), VALID) if shape else {}
    w.operator(name, [x, weights], [y], 4, **options)
    agree(read_tflite, w, x, y, ["conv" if shape else "dense"])


def test_an_int16_network(tmp_path):
    """Convolution, pool, reshape and dense layer, whole: imported, converted and equal."""
    w = Writer("int16")
    x, a, p = w.value(1, 8, 8, 3), w.value(1, 8, 8, 4, scale=0.05), w.value(1, 4, 4, 4)
    flat, y = w.value(1, 64), w.value(1, 5, scale=0.1)
    w.operator("CONV_2D", [x, *w.weights(4, 3, 3, 3)], [a], 3, **window((1, 1), (1, 1), SAME, RELU))
    pool = {"padding": VALID, "strideH": 2, "strideW": 2, "filterHeight": 2, "filterWidth": 2}
    w.operator("AVERAGE_POOL_2D", [a], [p], 2, **pool)
    w.operator("RESHAPE", [p, w.whole([1, 64])], [flat])
    w.operator("FULLY_CONNECTED", [flat, *w.weights(5, 64)], [y], 4)
    data, given = w.to_bytes([x], [y]), samples("int16", (8, 8, 3), 20)
    path = tmp_path / "net.tflite"
    path.write_bytes(data)
    converted, oracle = convert(path), Oracle(data)
    assert converted.report.dtype == "int16"
    expected = np.concatenate([oracle(sample[None]) for sample in given])
    with NativeModel(converted.data) as native:
        np.testing.assert_array_equal(native.run_raw(given), expected)
    with pytest.raises(
        ModelError, match="already quantised to int16; it cannot become int8: leave --dtype out"
    ):
        convert(path, "int8")


def test_int16_beyond_32_bits_is_refused(read_tflite):
    """TensorFlow Lite Micro's sums have 64."""
    w = Writer("int16")
    x, y = w.value(1, 600), w.value(1, 1)
    weights = w.tensor((1, 600), "int8", np.full((1, 600), 110), scale=0.01)
    w.operator("FULLY_CONNECTED", [x, weights, w.tensor((1,), "int64", [0])], [y], 4)
    with pytest.raises(
        ModelError, match="a row add up to 66,000 steps, more than int16 values have 32 bits for"
    ):
        pack_model(read_tflite(w.to_bytes([x], [y])))
    w = Writer("int16")
    x, y = w.value(1, 6), w.value(1, 1)
    weights = w.tensor((1, 6), "int8", np.full((1, 6), 110), scale=0.01)
    w.operator("FULLY_CONNECTED", [x, weights, w.tensor((1,), "int64", [2**28 + 1])], [y], 4)
    with pytest.raises(ModelError, match="a bias beyond 2.28 input steps .* convert the float model"):
        read_tflite(w.to_bytes([x], [y]))


def test_convolutions_without_bias(read_tflite):
    for dtype in ("float32", "int8"):
        w = Writer(dtype)
        x, y = w.value(1, 4, 4, 3), w.value(1, 4, 4, 2, scale=0.2)
        weights, _ = w.weights(2, 3, 3, 3)
        w.operator("CONV_2D", [x, weights, -1], [y], **window((1, 1), (1, 1), SAME))
        data = w.to_bytes([x], [y])
        zeros = Writer(dtype)  # the interpreter wants one
        a, b = zeros.value(1, 4, 4, 3), zeros.value(1, 4, 4, 2, scale=0.2)
        weights, bias = zeros.weights(2, 3, 3, 3)
        zeros.buffers[zeros.tensors[bias].buffer].data = np.zeros(8, np.uint8)
        zeros.operator("CONV_2D", [a, weights, bias], [b], **window((1, 1), (1, 1), SAME))
        gives(read_tflite, w, data, x, Oracle(zeros.to_bytes([a], [b])), ["conv"])


@pytest.mark.parametrize("bias", [-(2**30) - 128, 2**30 + 64, 2**28 + 1])
def test_a_channel_of_zeros_may_have_any_bias(read_tflite, bias):
    # as converters scale them: by the bias alone
    w = Writer("int8")
    x, y = w.value(1, 2, 2, 3), w.value(1, 2, 2, 3, scale=0.03)
    integers = w.rng.integers(-127, 128, (3, 1, 1, 3))
    integers[1] = 0
    scales = np.float32([0.01, 4e-9, 0.02])
    weights = w.tensor((3, 1, 1, 3), "int8", integers, scale=scales)
    given = w.tensor((3,), "int32", [100, bias, -100], scale=np.float32(0.05) * scales)
    w.operator("CONV_2D", [x, weights, given], [y], **window((1, 1), (1, 1), VALID))
    agree(read_tflite, w, x, y, ["conv"])


def test_uint8_weights_have_one_scale_and_a_zero_point(read_tflite):
    w = Writer("int8")
    x, y = w.value(1, 4, 4, 3), w.value(1, 4, 4, 2, scale=0.2)
    w.operator("CONV_2D", [x, *w.weights(2, 3, 3, 3, per_channel=False)], [y], **window((1, 1), (1, 1), SAME))
    data = w.to_bytes([x], [y])
    graph = gives(read_tflite, w, as_uint8(data), x, Oracle(data), ["conv"])
    assert graph.metadata.provenance["input type"] == "uint8"


def test_int8_weights_under_float_values(read_tflite):
    # the weights' own real numbers, whatever the values are
    w = Writer("float32")
    x, y = w.value(1, 5, 4, 3), w.value(1, 3, 2, 2)
    integers, scales = w.rng.integers(-127, 128, (2, 3, 3, 3)), np.float32([0.01, 0.02])
    weights = w.tensor((2, 3, 3, 3), "int8", integers, scale=scales)
    w.operator("CONV_2D", [x, weights, w.tensor((2,), data=[0.5, -1])], [y], **window((1, 1), (1, 1), VALID))
    graph = read_tflite(w.to_bytes([x], [y]))
    (layer,) = graph.layers
    assert layer.weights.dtype == np.int8 and layer.weights_quantization.scale.shape == (2,)
    given = samples("float32", (5, 4, 3))
    windows = np.lib.stride_tricks.sliding_window_view(given, (3, 3), axis=(1, 2))
    real = integers * scales.reshape(2, 1, 1, 1)
    expected = np.einsum("nyxcij,oijc->nyxo", windows, real) + [0.5, -1]
    np.testing.assert_allclose(execute(graph, given), expected, rtol=0, atol=1e-5 * np.abs(expected).max())


@pytest.mark.parametrize("n_in", [4, 5])
def test_weights_of_4_bits_are_those_of_8(read_tflite, n_in):
    integers = np.random.default_rng(SEED).integers(-7, 8, (3, n_in))

    def dense(w: Writer, weights: int) -> tuple[int, int]:
        x, y = w.value(1, n_in), w.value(1, 3)
        bias = w.tensor((3,), "int32", [40, -30, 0], scale=np.float32(0.05) * np.float32(0.1))
        w.operator("FULLY_CONNECTED", [x, weights, bias], [y], 4)
        return x, y

    w = Writer("int8")
    flat = np.resize(integers, integers.size + integers.size % 2) & 15
    weights = w.tensor((3, n_in), "uint8", scale=0.1)
    w.tensors[weights].type = 17
    w.buffers.append(schema.BufferT())
    w.buffers[-1].data, w.tensors[weights].buffer = (
        (flat[::2] | flat[1::2] << 4).astype(np.uint8),
        len(w.buffers) - 1,
    )
    x, y = dense(w, weights)
    other = Writer("int8")
    a, b = dense(other, other.tensor((3, n_in), "int8", integers, scale=0.1))
    gives(read_tflite, w, w.to_bytes([x], [y]), x, Oracle(other.to_bytes([a], [b])), ["dense"])


# Dilations spelled out


@DTYPES
@pytest.mark.parametrize("name", ["CONV_2D", "DEPTHWISE_CONV_2D"])
@pytest.mark.parametrize(
    "pads, crops", [([[2, 3], [2, 2]], [[0, 1], [0, 0]]), ([[0, 1], [0, 0]], [[0, 1], [0, 0]])]
)
@pytest.mark.parametrize("fused", [RELU, RELU_N1_TO_1])
def test_a_dilation_spelled_out(read_tflite, dtype, name, pads, crops, fused):
    # The interpreter leaves what SPACE_TO_BATCH_ND pads with undefined; so it is asked for PAD and a dilation.
    size = (5, 6)
    inner = [(n + sum(p)) // 2 for n, p in zip(size, pads, strict=True)]
    made = [2 * (n - 2) - sum(c) for n, c in zip(inner, crops, strict=True)]
    n_out = 3 if name == "CONV_2D" else 2

    def convolve(w: Writer, x: int, shape, dilation) -> int:
        weights = w.weights(3, 3, 3, 2) if name == "CONV_2D" else w.weights(1, 3, 3, 2, axis=3)
        options = window((1, 1), dilation, VALID, fused) | (
            {} if name == "CONV_2D" else {"depthMultiplier": 1}
        )
        seen = w.value(*shape, n_out, scale=0.2)
        w.operator(name, [x, *weights], [seen], 3, **options)
        return seen

    w = Writer(dtype)
    x, dealt, block = w.value(1, *size, 2), w.value(4, *inner, 2), w.whole([2, 2])
    w.operator("SPACE_TO_BATCH_ND", [x, block, w.whole(pads)], [dealt])
    seen, y = convolve(w, dealt, (4, *(n - 2 for n in inner)), (1, 1)), w.value(1, *made, n_out, scale=0.2)
    w.operator("BATCH_TO_SPACE_ND", [seen, block, w.whole(crops)], [y])

    other = Writer(dtype)
    widths = [(p[0] - c[0], p[1] - c[1]) for p, c in zip(pads, crops, strict=True)]
    image = other.value(1, *size, 2)
    padded = other.value(1, *(n + sum(p) for n, p in zip(size, widths, strict=True)), 2)
    other.operator("PAD", [image, other.whole([(0, 0), *widths, (0, 0)])], [padded])
    right = convolve(other, padded, (1, *made), (2, 2))
    kinds = ["conv" if name == "CONV_2D" else "depthwise_conv", *(["clip"] if fused == RELU_N1_TO_1 else [])]
    gives(read_tflite, w, w.to_bytes([x], [y]), x, Oracle(other.to_bytes([image], [right])), kinds)


# What is refused


def refused(read_tflite, w: Writer, x: int, y: int) -> str:
    with pytest.raises(ModelError) as error:
        pack_model(read_tflite(w.to_bytes([x], [y])))
    assert "\n" not in str(error.value)
    return str(error.value)


def convolution(
    dtype: str = "float32", shape=(1, 4, 4, 3), weights=(2, 3, 3, 3), **options
) -> tuple[Writer, int, int]:
    w = Writer(dtype)
    x, y = w.value(*shape), w.value(1, 4, 4, 2)
    w.operator("CONV_2D", [x, *w.weights(*weights)], [y], **window((1, 1), (1, 1), SAME) | options)
    return w, x, y


def test_weights_and_windows_that_do_not_fit_are_refused(read_tflite):
    for changes, message in (
        (
            {"shape": (1, 4, 4)},
            "expected its input of shape (1, rows, columns, channels) and weights of 4 axes",
        ),
        (
            {"weights": (2, 3, 3)},
            "expected its input of shape (1, rows, columns, channels) and weights of 4 axes",
        ),
        ({"weights": (2, 3, 3, 2)}, "weights for 2 channels do not fit an input of 3"),
        (
            {"strideH": 0},
            "expected a window of positive sizes, got kernel (3, 3), strides (0, 1), dilation (1, 1)",
        ),
        ({"dilationWFactor": -1}, "expected a window of positive sizes"),
        ({"padding": 2}, "padding 2 is not supported; supported: SAME, VALID"),
        ({"weights": (2, 5, 3, 3), "padding": VALID}, "expected an input of at least the window's (5, 3)"),
        ({"fusedActivationFunction": 5}, "fused activation SIGN_BIT is not supported"),
    ):
        assert f"layer 0 (CONV_2D): {message}" in refused(read_tflite, *convolution(**changes)), changes


def test_scales_along_another_axis_are_refused(read_tflite):
    w = Writer("int8")
    x, y = w.value(1, 4, 4, 3), w.value(1, 4, 4, 2)
    weights, bias = w.weights(2, 3, 3, 3, axis=3)
    w.operator("CONV_2D", [x, weights, bias], [y], **window((1, 1), (1, 1), SAME))
    message = "expected one scale or one along axis 0 of its weights, got them along axis 3"
    assert f"layer 0 (CONV_2D): {message}" in refused(read_tflite, w, x, y)


def test_batches_without_a_convolution_are_refused(read_tflite):
    w = Writer("float32")
    x, a, b, y = w.value(1, 4, 4, 2), w.value(4, 2, 2, 2), w.value(4, 2, 2, 2), w.value(1, 4, 4, 2)
    block, none = w.whole([2, 2]), w.whole([[0, 0], [0, 0]])
    w.operator("SPACE_TO_BATCH_ND", [x, block, none], [a])
    w.operator("RELU", [a], [b])
    w.operator("BATCH_TO_SPACE_ND", [b, block, none], [y])
    assert "layer 0 (SPACE_TO_BATCH_ND): it is read by RELU; supported is a convolution" in refused(
        read_tflite, w, x, y
    )


def test_a_transposed_convolution_of_another_shape_is_refused(read_tflite):
    for shape in ([1, 6, 8, 3], [1, 0, 8, 2], [6, 8, 2]):
        w = Writer("float32")
        x, y = w.value(1, 3, 4, 3), w.value(1, 6, 8, 2)
        inputs = [w.whole(shape), *w.weights(2, 3, 3, 3)[:1], x]
        w.operator("TRANSPOSE_CONV", inputs, [y], strideH=2, strideW=2)
        assert "layer 0 (TRANSPOSE_CONV): weights of shape (2, 3, 3, 3) do not make" in refused(
            read_tflite, w, x, y
        )
