"""Transposed convolutions in every type, from the graph to both cores, against sums written out; and what is none."""

import numpy as np
import pytest
from anne_tools.errors import ModelError
from anne_tools.layers import ConvTranspose
from anne_tools.layers.build import GraphBuilder
from anne_tools.layers.windows import Window
from anne_tools.network.execute import execute
from one_layer import assert_cores_agree

RANDOM = np.random.default_rng(21)


def transposed(shape, weights, bias, window, *args):
    b = GraphBuilder(shape)
    b.add(ConvTranspose, "up", np.float32(weights), np.float32(bias), window, *args)
    return b.build()


def any_network(signal=False):
    """A layer of random shape, some of whose output is cut off or added."""
    size = tuple(map(int, RANDOM.integers(1, 6, 2)))
    size = (1, size[1]) if signal else size
    n_in, n_out = map(int, RANDOM.integers(1, 6, 2))
    draw = [tuple(map(int, RANDOM.integers(low, high, 2))) for low, high in ((1, 4), (1, 4), (1, 3))]
    kernel, stride, dilation = (((1, part[1]) if signal else part) for part in draw)
    full = [(n - 1) * s + (k - 1) * d + 1 for n, s, k, d in zip(size, stride, kernel, dilation, strict=True)]
    before = tuple(int(RANDOM.integers(0, min(n, 3))) for n in full)
    after = tuple(int(RANDOM.integers(0, min(n - b, 3))) for n, b in zip(full, before, strict=True))
    padding = (0 if signal else int(RANDOM.integers(0, 3)), int(RANDOM.integers(0, 3)))
    shape = (size[1], n_in) if signal else (*size, n_in)
    weights, bias = RANDOM.normal(size=(n_out, *kernel, n_in)), RANDOM.normal(size=n_out)
    activation = str(RANDOM.choice(["linear", "relu", "relu6"]))
    return transposed(
        shape, weights, bias, Window(kernel, stride, dilation, before, after), padding, activation
    )


def written_out(layer, x, made):
    """What one sample gives, from the definition: each pixel of the input adds to the output."""
    w, x = layer.window, x if x.ndim == 3 else x[None]
    made_image = made if len(made) == 3 else (1, *made)
    y = np.zeros(made_image) + layer.bias
    for row, column, i, j in np.ndindex(*x.shape[:2], *w.kernel):
        at = row * w.stride[0] + i * w.dilation[0] - w.before[0]
        across = column * w.stride[1] + j * w.dilation[1] - w.before[1]
        if 0 <= at < made_image[0] and 0 <= across < made_image[1]:
            y[at, across] += layer.weights[:, i, j].astype(np.float64) @ x[row, column]
    y = np.maximum(y, 0) if layer.activation != "linear" else y
    return (np.minimum(y, 6) if layer.activation == "relu6" else y).reshape(made)


@pytest.mark.parametrize("signal", [False, True])
def test_numpy_gives_the_sums_written_out(signal):
    for _ in range(40):
        graph = any_network(signal)
        x = RANDOM.normal(size=(2, *graph.input_tensors[0].shape))
        made = graph.output_tensors[0].shape
        expected = [written_out(graph.layers[0], sample, made) for sample in x]
        np.testing.assert_allclose(execute(graph, x), expected, atol=1e-6)


def test_a_signal_twice_as_long_by_hand():
    # of 1, 2, 3 with the window 1, 10: 1, 10, 2, 20, 3, 30; all above 0.5
    graph = transposed((3, 1), [[[[1], [10]]]], [0.5], Window((1, 2), (1, 2)))
    expected = [1.5, 10.5, 2.5, 20.5, 3.5, 30.5]
    assert execute(graph, np.array([[[1.0], [2], [3]]])).ravel().tolist() == expected


@pytest.mark.parametrize("dtype", ["float32", "int8-weights", "int8", "int16"])
@pytest.mark.parametrize("signal", [False, True])
def test_both_cores_give_the_same(dtype, signal):
    for _ in range(20):
        graph = any_network(signal)
        x = RANDOM.normal(size=(8, *graph.input_tensors[0].shape))
        assert_cores_agree(graph, dtype, x, RANDOM)


@pytest.mark.parametrize(
    ("weights", "bias", "window", "args", "problem"),
    [
        (
            (4, 2, 2, 2),
            4,
            Window((3, 3)),
            (),
            r"expected weights \(n_out, kernel_h, kernel_w, n_in\) of a kernel",
        ),
        ((4, 2, 2), 4, Window((2, 2)), (), r"expected weights \(n_out, kernel_h, kernel_w, n_in\)"),
        ((4, 2, 2, 3), 4, Window((2, 2)), (), r"expected 3 channels, got 2"),
        ((4, 2, 2, 2), 5, Window((2, 2)), (), r"expected 4 values of bias, got shape \(5,\)"),
        (
            (4, 2, 2, 2),
            4,
            Window((2, 2), after=(5, 0)),
            (),
            r"expected positive sizes, .* got an output \(0, 5\)",
        ),
        (
            (4, 2, 2, 2),
            4,
            Window((2, 2), before=(-1, 0)),
            (),
            r"expected positive sizes, and nothing negative",
        ),
        ((4, 2, 2, 2), 4, Window((2, 2)), ((0, -1),), r"expected positive sizes, and nothing negative"),
        ((4, 2, 2, 2), 4, Window((2, 2), (0, 1)), (), r"expected positive sizes"),
    ],
)
def test_what_does_not_fit(weights, bias, window, args, problem):
    with pytest.raises(ModelError, match=r"layer 0 \(up\): " + problem):
        transposed((4, 4, 2), np.ones(weights), np.ones(bias), window, *args)


def test_what_is_no_image():
    with pytest.raises(ModelError, match=r"expected an image \(rows, columns, channels\) or a signal"):
        transposed((4,), np.ones((1, 1, 1, 4)), [0], Window((1, 1)))


def test_too_many_multiplications():
    with pytest.raises(ModelError, match="expected at most 268435456 multiplications, got"):
        transposed((1000, 1000, 1), np.ones((1, 20, 20, 1)), [0], Window((20, 20)))
