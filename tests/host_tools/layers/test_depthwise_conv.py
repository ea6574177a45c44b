"""Depthwise convolutions in every type, from the graph to both cores, against sums written out; and what is none."""

import numpy as np
import pytest
from anne_tools.errors import ModelError
from anne_tools.layers import DepthwiseConv
from anne_tools.layers.build import GraphBuilder
from anne_tools.layers.windows import Window
from anne_tools.network.execute import execute
from one_layer import assert_cores_agree

RANDOM = np.random.default_rng(8)


def depthwise(shape, weights, bias, window, *args):
    b = GraphBuilder(shape)
    b.add(DepthwiseConv, "depthwise", np.float32(weights), np.float32(bias), window, *args)
    return b.build()


def any_network(signal=False):
    """A layer of random shape, and its window."""
    size = tuple(map(int, RANDOM.integers(1, 9, 2)))
    size = (1, size[1]) if signal else size
    channels, multiplier = int(RANDOM.integers(1, 5)), int(RANDOM.integers(1, 4))
    kernel = tuple(int(RANDOM.integers(1, min(n, 4) + 1)) for n in size)
    stride, dilation = tuple(map(int, RANDOM.integers(1, 4, 2))), tuple(map(int, RANDOM.integers(1, 3, 2)))
    window = Window.same(size, kernel, stride, dilation)
    if RANDOM.random() < 0.5 and all((k - 1) * d < n for k, d, n in zip(kernel, dilation, size, strict=True)):
        window = Window(kernel, stride, dilation)
    n_out = channels * multiplier
    shape = (size[1], channels) if signal else (*size, channels)
    weights, bias = RANDOM.normal(size=(n_out, *kernel)), RANDOM.normal(size=n_out)
    return depthwise(shape, weights, bias, window, str(RANDOM.choice(["linear", "relu", "relu6"]))), window


def written_out(layer, x, made):
    """What one sample gives, tap by tap, from the formula of FORMAT.md's "Windows"."""
    w, x = layer.window, x if x.ndim == 3 else x[None]
    y = np.zeros(made if len(made) == 3 else (1, *made))
    for o in range(y.shape[2]):
        for row, column in np.ndindex(y.shape[:2]):
            total = float(layer.bias[o])
            for i, j in np.ndindex(*w.kernel):
                at = row * w.stride[0] - w.before[0] + i * w.dilation[0]
                across = column * w.stride[1] - w.before[1] + j * w.dilation[1]
                if 0 <= at < x.shape[0] and 0 <= across < x.shape[1]:
                    total += float(layer.weights[o, i, j]) * x[at, across, o // (y.shape[2] // x.shape[2])]
            y[row, column, o] = total
    y = np.maximum(y, 0) if layer.activation != "linear" else y
    return (np.minimum(y, 6) if layer.activation == "relu6" else y).reshape(made)


@pytest.mark.parametrize("signal", [False, True])
def test_numpy_gives_the_sums_written_out(signal):
    for _ in range(30):
        graph, _ = any_network(signal)
        x = RANDOM.normal(size=(2, *graph.input_tensors[0].shape))
        made = graph.output_tensors[0].shape
        expected = [written_out(graph.layers[0], sample, made) for sample in x]
        np.testing.assert_allclose(execute(graph, x), expected, atol=1e-6)


@pytest.mark.parametrize("dtype", ["float32", "int8-weights", "int8", "int16"])
@pytest.mark.parametrize("signal", [False, True])
def test_both_cores_give_the_same(dtype, signal):
    for _ in range(20):
        graph, _ = any_network(signal)
        x = RANDOM.normal(size=(8, *graph.input_tensors[0].shape))
        assert_cores_agree(graph, dtype, x, RANDOM)


@pytest.mark.parametrize(
    ("weights", "bias", "window", "problem"),
    [
        (
            (4, 2, 2),
            4,
            Window((3, 3)),
            r"expected weights \(n_out, kernel_h, kernel_w\) of a kernel \(3, 3\), got",
        ),
        ((4, 4), 4, Window((4, 4)), r"expected weights \(n_out, kernel_h, kernel_w\)"),
        ((5, 2, 2), 5, Window((2, 2)), r"expected a multiple of 2 channels, got weights of 5"),
        ((4, 2, 2), 5, Window((2, 2)), r"expected 4 values of bias, got shape \(5,\)"),
        ((2, 5, 5), 2, Window((5, 5)), r"expected an input of at least the window's \(5, 5\)"),
    ],
)
def test_what_does_not_fit(weights, bias, window, problem):
    with pytest.raises(ModelError, match=r"layer 0 \(depthwise\): " + problem):
        depthwise((4, 4, 2), np.ones(weights), np.ones(bias), window)


def test_numbers_that_are_none():
    with pytest.raises(ModelError, match="1 of 4 weights are NaN or infinite"):
        depthwise((2, 2, 1), [[[1, np.nan], [1, 1]]], [0], Window((2, 2)))


def test_too_many_multiplications():
    with pytest.raises(ModelError, match="expected at most 268435456 multiplications, got"):
        depthwise((1000, 1000, 1), np.ones((1, 20, 20)), [0], Window((20, 20)))
