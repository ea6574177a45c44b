"""Biases that make up for rounded weights, and channels of like size: what they change, and when they are taken.

Expected values come from execute(), the network in floats; weights are random with seed 1.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from anne.layouts.rows import MAX_BIAS
from anne_tools import convert
from anne_tools.conversion.correct import corrected
from anne_tools.conversion.equalise import equalised
from anne_tools.conversion.pack import pack
from anne_tools.conversion.quantize import quantize, split_activations
from anne_tools.cores.native import NativeModel
from anne_tools.layers import Conv, MaxPool
from anne_tools.layers.build import GraphBuilder
from anne_tools.layers.windows import Window
from anne_tools.network.execute import execute
from anne_tools.network.graph import Graph

RANDOM = np.random.default_rng(1)
N = 200


def random(*shape):
    return RANDOM.normal(0, 1, shape)


def dense_network(spread: float = 0.0) -> Graph:
    """24-32-16-4 with relu; units of the hidden layers differ in size by e^spread."""
    b = GraphBuilder((24,))
    for name, n_in, n_out in (("a", 24, 32), ("b", 32, 16)):
        size = np.exp(spread * random(n_out))
        b.dense(name, random(n_out, n_in) * size[:, None] / np.sqrt(n_in), random(n_out) * size, "relu")
    b.dense("c", random(4, 16) / np.exp(spread * random(16)), random(4))
    return b.build()


def image_network(spread: float) -> Graph:
    """Two convolutions, the second in two groups, with a pool between, then a flat dense layer."""
    b = GraphBuilder((6, 6, 3))
    for name, n_out, groups in (("a", 8, 1), ("b", 6, 2)):
        size = np.exp(spread * random(n_out))
        n_in = b.last.shape[-1] // groups
        weights = random(n_out, 3, 3, n_in) * size[:, None, None, None] / np.sqrt(9 * n_in)
        window = Window.same(b.last.shape[:2], (3, 3))
        b.add(Conv, name, weights.astype(np.float32), size * random(n_out), window, groups, "relu")
        b.add(MaxPool, f"{name}_pool", Window((2, 2), (2, 2)))
    b.reshape("flat", (-1,))
    b.dense("c", random(4, 6), random(4))
    return b.build()


def answers(graph: Graph, x: np.ndarray) -> np.ndarray:
    with NativeModel(pack(graph)) as model:
        return model.predict(x)


@pytest.mark.parametrize("dtype", ["int8", "int4"])
def test_the_mean_error_of_each_output_goes_away(dtype):
    graph, x = dense_network(), random(N, 24) + 2  # as inputs have a mean, rounded weights shift the sums
    quantized = quantize(graph, dtype, x)
    better = corrected(quantized, split_activations(graph, ("linear", "relu")), x)
    expected = execute(graph, x)
    before, after = (np.abs((answers(q, x) - expected).mean(axis=0)) for q in (quantized, better))
    step = float(quantized.output_tensors[0].quantization.scale[0])
    assert after.max() < max(before.max() / 4, step / 2)
    assert [
        np.array_equal(a.weights, b.weights) for a, b in zip(quantized.layers, better.layers, strict=True)
    ] == [True] * 3


def test_a_bias_at_the_end_of_its_range_stays():
    graph, x = dense_network(), random(N, 24) + 2
    quantized = quantize(graph, "int4", x)
    first = quantized.layers[0]
    heaviest = 128 * np.abs(first.weights.astype(np.int64)).sum(axis=1)
    first = replace(first, bias=(MAX_BIAS - heaviest).astype(np.int32))
    quantized.layers[0] = first
    better = corrected(quantized, graph, x).layers[0]
    assert np.all(np.abs(better.bias.astype(np.int64)) + heaviest <= MAX_BIAS)


def unlike(values: np.ndarray) -> float:
    """How many times the largest channel is as large as the smallest that is not 0."""
    most = np.abs(values).reshape(-1, values.shape[-1]).max(axis=0)
    return most.max() / most[most > 0].min()


@pytest.mark.parametrize("network, shape", [(dense_network, (24,)), (image_network, (6, 6, 3))])
def test_equal_channels_change_no_value_and_are_alike(network, shape):
    graph, x = network(2.0), random(N, *shape)
    like = equalised(graph, x)
    expected, traced = execute(graph, x, trace=True)
    got, traced_like = execute(like, x, trace=True)
    np.testing.assert_allclose(got, expected, rtol=0, atol=1e-6 * np.abs(expected).max())
    hidden = graph.layers[0].output
    assert unlike(traced_like[hidden]) < unlike(traced[hidden]) / 2


def test_what_an_output_of_the_network_has_is_not_scaled():
    b = GraphBuilder((8,))
    first = b.dense("first", random(6, 8) * np.exp(2 * random(6))[:, None], None, "relu")
    b.dense("second", random(4, 6))
    assert equalised(b.build(outputs=[first, b.last]), random(N, 8)) is None


def test_relu6_is_not_scaled_through():
    b = GraphBuilder((8,))
    b.dense("first", random(6, 8), None, "relu6")
    b.dense("second", random(4, 6))
    assert equalised(b.build(), random(N, 8)) is None


def test_where_channels_differ_the_report_says_what_was_gained():
    graph, x = dense_network(2.5), random(N, 24)
    converted = convert(graph, "int8", calibrate=x)
    assert any(
        "channels between layers were made of like size: error " in note for note in converted.report.notes
    )
    plain = answers(quantize(graph, "int8", x), x) - execute(graph, x)
    refined = converted.predict(x) - execute(graph, x)
    assert np.sqrt(np.mean(refined**2)) < 0.85 * np.sqrt(np.mean(plain**2))


def test_four_bits_gain_by_biases():
    graph, x = dense_network(), random(N, 24) + 3
    notes = convert(graph, "int4", calibrate=x).report.notes
    assert any("biases make up for the mean error of rounded weights: error " in note for note in notes)


def test_few_samples_say_nothing_of_means():
    graph, x = dense_network(2.5), random(20, 24)
    assert not any("error" in note for note in convert(graph, "int8", calibrate=x).report.notes)
