"""Quantisation: scales by hand, ranges over calibration data, and the bounds that FORMAT.md sets to sums."""

from __future__ import annotations

import numpy as np
import pytest
from anne.layouts.rows import MAX_BIAS
from anne_tools.conversion.convert import convert
from anne_tools.conversion.pack import pack
from anne_tools.conversion.quantize import DTYPES, quantize, ranges
from anne_tools.cores.native import NativeModel
from anne_tools.errors import ModelError
from anne_tools.layers import Add, DepthwiseConv, LayerNorm
from anne_tools.layers.build import GraphBuilder
from anne_tools.layers.windows import Window
from anne_tools.network.graph import Graph
from anne_tools.network.tensor import value_quantization


def dense(weights, bias, activation="linear") -> Graph:
    builder = GraphBuilder((np.shape(weights)[1],))
    builder.dense("dense", weights, bias, activation)
    return builder.build()


@pytest.mark.parametrize(
    ("least", "most", "dtype", "scale", "zero_point"),
    [
        (0.0, 255.0, "int8", 1.0, -128),
        (-128.0, 127.0, "int8", 1.0, 0),
        (10.0, 51.0, "int8", 0.2, -128),  # 0 must be representable: the range begins there
        (-51.0, -10.0, "int8", 0.2, 127),
        (0.0, 0.0, "int8", 1.0, -128),  # a value that is always 0
        (0.0, 3.8e-320, "int8", 1.0, -128),  # or counts as 0: no file has a scale below 2^-125
        (-1e-39, 0.0, "int16", 1.0, 0),
        (-1.0, 3.2767, "int16", 1e-4, 0),  # symmetric
    ],
)
def test_scale_and_zero_point_of_a_range(least, most, dtype, scale, zero_point):
    quantization = value_quantization(least, most, dtype)
    assert quantization.scale[0] == pytest.approx(scale, rel=1e-6)
    assert quantization.zero_point == zero_point


def test_ranges_are_those_of_every_tensor_over_all_samples():
    """y = relu([1, -2] x): inputs -3 to 4, outputs 0 to 10 (from (4, -3): 4 + 6)."""
    graph = dense([[1.0, -2.0]], [0.0], "relu")
    x = np.array([[4.0, -3.0]] + [[0.0, 0.0]] * 600 + [[1.0, 3.0]])  # more than one batch
    seen = []
    found = ranges(graph, x, lambda done, total: seen.append((done, total)))
    assert found == {graph.inputs[0]: (-3.0, 4.0), graph.outputs[0]: (0.0, 10.0)}
    assert seen == [(256, 602), (512, 602), (602, 602)]


def test_weights_get_a_scale_a_row():
    """Row maxima 1.27 and 12.7 in steps of 1/127 of them: 0.01 and 0.1; a row of zeros keeps scale 1."""
    graph = quantize(dense([[1.27, -0.5], [12.7, 1.0], [0.0, 0.0]], [0, 0, 0]), "int8-weights")
    layer = graph.layers[0]
    np.testing.assert_allclose(layer.weights_quantization.scale, [0.01, 0.1, 1.0], rtol=1e-6)
    assert layer.weights.tolist() == [[127, -50], [127, 10], [0, 0]]
    assert layer.bias.dtype == np.float32


def test_the_bias_counts_in_steps_of_weights_times_inputs():
    """Inputs 0 to 2.55: step 0.01; weights 1.27: step 0.01; a bias of 0.5 is 5,000 steps of 0.0001."""
    graph = quantize(dense([[1.27]], [0.5]), "int8", np.array([[0.0], [2.55]]))
    assert graph.layers[0].bias.tolist() == [5000]


def test_int4_weights_have_four_bits():
    layer = quantize(dense([[1.4, -1.4, 0.45]], [0.0]), "int4", np.ones((1, 3))).layers[0]
    assert layer.weights.tolist() == [[7, -7, 2]]  # steps of 0.2


def test_int4_cuts_a_large_weight_off_where_that_makes_the_others_finer():
    """100 weights of 0.125 beside a single 1. In steps of 1/7, each of the 100 is off by 0.018, which makes 0.032
    squared; in steps of 0.125 only the 1 is, by 0.125, which makes 0.0156. What is found is no worse.
    """
    layer = quantize(dense([[1.0] + [0.125] * 100], [0.0]), "int4", np.ones((1, 101))).layers[0]
    (scale,) = layer.weights_quantization.scale
    assert layer.weights.tolist() == [[7] + [1] * 100]
    assert (1 - 7 * scale) ** 2 + 100 * (0.125 - scale) ** 2 <= 0.0157


@pytest.mark.parametrize("dtype", ["int8", "int16"])
@pytest.mark.parametrize("bias", [0.0, 1e3, 1e7])
def test_no_sum_leaves_its_range_however_large_the_bias(dtype, bias):
    """Weights become coarser instead; `pack` proves the bounds of FORMAT.md and raises otherwise."""
    rng = np.random.default_rng(1)
    graph = quantize(dense(rng.normal(0, 1, (4, 300)), [bias] * 4), dtype, rng.normal(0, 1, (16, 300)))
    pack(graph)
    layer = graph.layers[0]
    assert np.abs(layer.bias).max() <= MAX_BIAS
    if dtype == "int16":
        heaviest = np.abs(layer.weights.astype(np.int64)).sum(axis=1)
        assert (32768 * heaviest + np.abs(layer.bias.astype(np.int64)) < 1 << 31).all()


@pytest.mark.parametrize(("dtype", "most", "bits"), [("int8", 1e-4, 20), ("int16", 1e-2, 15)])
def test_a_sum_is_as_fine_as_its_inputs_allow(dtype, most, bits):
    """x + 0 x: what is always 0 has a scale of 1, and the sum's must be above 2 / 2^bits, however little x is."""
    b = GraphBuilder((1,))
    x = b.last
    b.add(Add, "sum", inputs=[x, b.dense("nothing", [[0.0]])])
    samples = np.array([[most], [-most]])
    graph = quantize(b.build(), dtype, samples)
    scale = graph.tensors[graph.outputs[0]].quantization.scale[0]
    assert scale == pytest.approx(2 / 2**bits, rel=1e-5) and scale > 2 / 2**bits
    with NativeModel(pack(graph)) as model:
        # off by half a step of the sum, and half a finer one of x
        np.testing.assert_allclose(model.predict(samples), samples, rtol=0, atol=scale)


@pytest.mark.parametrize("dtype", DTYPES)
def test_softmax_is_a_layer_of_its_own_in_every_type(dtype):
    graph = quantize(dense([[1.0], [2.0]], [0.0, 0.0], "softmax"), dtype, np.array([[1.0], [-1.0]]))
    assert [layer.kind for layer in graph.layers] == ["dense", "activation"]
    assert graph.layers[0].activation == "linear"


@pytest.mark.parametrize(
    ("x", "message"),
    [
        (
            None,
            r"calibration data: expected samples of shape \(2,\), got none; give some with --calibrate x.npy",
        ),
        (np.ones((5, 3)), r"calibration data: expected \(n_samples, 2\), got shape \(5, 3\)"),
        (np.ones((0, 2)), r"expected \(n_samples, 2\), got shape \(0, 2\)"),
        (np.array([["a", "b"]]), "calibration data: expected numbers, got <U1"),
        (
            np.array([[np.nan, 1.0]]),
            "calibration data: 1 values are NaN, infinite or beyond float32, the first in sample 0",
        ),
    ],
)
def test_calibration_data_that_cannot_be_used(x, message):
    with pytest.raises(ModelError, match=message):
        quantize(dense([[1.0, 1.0]], [0.0]), "int8", x)


def test_an_unknown_dtype():
    with pytest.raises(ModelError, match="dtype: expected one of float32, .*, got 'int7'"):
        quantize(dense([[1.0]], [0.0]), "int7")


def test_four_bits_are_for_layers_that_save_by_them():
    # a depthwise convolution has a byte for each weight in either type, so it keeps int8's steps
    b = GraphBuilder((6, 4))
    weights = np.random.default_rng(1).normal(0, 1, (4, 1, 3)).astype(np.float32)
    b.add(DepthwiseConv, "each", weights, np.zeros(4, np.float32), Window((1, 3)))
    b.reshape("flat", (-1,))
    b.dense("out", np.random.default_rng(2).normal(0, 1, (3, 16)), None)
    graph = quantize(b.build(), "int4", np.random.default_rng(3).normal(0, 1, (50, 6, 4)))
    each, _, out = graph.layers
    assert np.abs(each.weights).max() == 127 and np.abs(out.weights).max() == 7


@pytest.mark.parametrize("dtype", ["int8", "int16"])
def test_a_layer_without_integers_is_in_floats_between_integers(dtype):
    random = np.random.default_rng(1)
    b = GraphBuilder((8,))
    b.dense("first", random.normal(0, 1, (6, 8)), None, "relu")
    b.add(LayerNorm, "norm", random.normal(1, 0.1, 6).astype(np.float32), np.zeros(6, np.float32), 1e-3)
    b.dense("last", random.normal(0, 1, (3, 6)), None)
    x = random.normal(0, 1, (100, 8))
    converted = convert(b.build(), dtype, calibrate=x)
    kinds = [layer.kind for layer in converted.report.layers]
    assert kinds == ["dense", "quantize", "layer_norm", "quantize", "dense"]
    assert [layer.dtype for layer in converted.report.layers] == [dtype, "float32", "float32", dtype, dtype]
    d = converted.report.deviation
    assert d.rms < (0.02 if dtype == "int8" else 0.002) * d.output_range


def test_calibration_of_several_inputs_is_asked_for_by_their_names():
    b = GraphBuilder()
    ends = [b.input("left", (3,)), b.input("right", (3,))]
    b.add(Add, "sum", inputs=ends)
    with pytest.raises(ModelError) as error:
        quantize(b.build(), "int8")
    assert str(error.value) == (
        "calibration data: expected samples of shapes left (3,), right (3,), got none; give some with --calibrate "
        "NAME=x.npy for each"
    )
