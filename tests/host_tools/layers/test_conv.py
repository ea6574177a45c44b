"""Conv in every type, graph to C core: against sums written down as they read, and against the reference."""

import numpy as np
import pytest
from anne_tools import convert
from anne_tools.conversion.pack import pack
from anne_tools.conversion.quantize import quantize
from anne_tools.cores.local import reference_outputs
from anne_tools.cores.native import NativeModel
from anne_tools.errors import ModelError
from anne_tools.layers import Conv
from anne_tools.layers.build import GraphBuilder
from anne_tools.layers.windows import Window
from anne_tools.network import tflm
from anne_tools.network.execute import execute

RANDOM = np.random.default_rng(11)
LAYOUTS = {
    "float32": "f32_aligned",
    "int8": "s8_quad",
    "int16": "s16",
    "int8-weights": "s8_f32",
    "int4": "s4",
}


def pair(least, most):
    return tuple(map(int, RANDOM.integers(least, most + 1, 2)))


def any_conv():
    """A random layer on a random image or signal, with any padding of either side that windows may have."""
    rank, groups = int(RANDOM.choice([2, 3])), int(RANDOM.choice([1, 1, 2, 3]))
    n_in, n_out = int(RANDOM.choice([1, 2, 3, 4, 8])), groups * int(RANDOM.integers(1, 10))
    kernel, stride, dilation = pair(1, 4), pair(1, 3), pair(1, 3)
    size = tuple(max(n, (k - 1) * d + 1) for n, k, d in zip(pair(1, 9), kernel, dilation, strict=True))
    if rank == 2:
        kernel, stride, dilation, size = ((1, p[1]) for p in (kernel, stride, dilation, size))
    before, after = (
        tuple(int(RANDOM.integers(0, (k - 1) * d + 1)) for k, d in zip(kernel, dilation, strict=True))
        for _ in range(2)
    )
    b = GraphBuilder((*size, n_in * groups)[3 - rank :])
    weights = np.float32(RANDOM.normal(size=(n_out, *kernel, n_in)))
    bias = np.float32(RANDOM.normal(size=n_out))
    b.add(Conv, "conv", weights, bias, Window(kernel, stride, dilation, before, after), groups)
    return b.build()


def sums(conv, x, made, weights, bias, outside=0):
    """Bias and products of weights with x (n, rows, columns, channels), pixel by pixel, tap by tap."""
    window, x = conv.window, x.reshape(len(x), *((1,) * (4 - x.ndim)), *x.shape[1:])
    y = np.zeros((len(x), *((1,) * (3 - len(made))), *made), weights.dtype) + bias
    n_in, n_out = weights.shape[3], len(weights) // conv.groups
    for at in np.ndindex(y.shape[1:]):
        first = at[2] // n_out * n_in
        for i, j in np.ndindex(window.kernel):
            row = at[0] * window.stride[0] - window.before[0] + i * window.dilation[0]
            column = at[1] * window.stride[1] - window.before[1] + j * window.dilation[1]
            inside = 0 <= row < x.shape[1] and 0 <= column < x.shape[2]
            seen = x[:, row, column, first : first + n_in] if inside else np.full((len(x), n_in), outside)
            y[:, *at] += seen @ weights[at[2], i, j]
    return y.reshape(len(x), *made)


@pytest.mark.parametrize("seed", range(25))
def test_floats_are_the_sums(seed):
    graph = any_conv()
    (conv,), made = graph.layers, graph.output_tensors[0].shape
    x = RANDOM.normal(size=(3, *graph.input_tensors[0].shape))
    expected = sums(conv, x, made, conv.weights.astype(float), conv.bias)
    terms = sums(conv, np.abs(x), made, np.abs(conv.weights.astype(float)), np.abs(conv.bias)).max()
    np.testing.assert_allclose(execute(graph, x), expected, rtol=0, atol=1e-12 * terms)
    with NativeModel(pack(quantize(graph, "float32"))) as model:
        got = model.run_raw(np.float32(x)).reshape(expected.shape)
    np.testing.assert_allclose(got, expected, rtol=0, atol=1e-6 * terms)


@pytest.mark.parametrize("dtype", ["int8", "int16", "int4"])
@pytest.mark.parametrize("seed", range(10))
def test_integers_are_the_sums_rescaled(dtype, seed):
    graph = any_conv()
    x = RANDOM.normal(size=(20, *graph.input_tensors[0].shape))
    graph = quantize(graph, dtype, x)
    (conv,), (source,), (target,) = graph.layers, graph.input_tensors, graph.output_tensors
    limits = np.iinfo(source.dtype)
    raw = RANDOM.integers(limits.min, limits.max + 1, (3, *source.shape)).astype(source.dtype)
    raw[0], raw[1] = limits.min, limits.max
    zero_point = source.quantization.zero_point
    weights, bias = conv.weights.astype(np.int64), conv.bias.astype(np.int64)
    expected = sums(conv, raw.astype(np.int64) - zero_point, target.shape, weights, bias)
    scales = source.quantization.scale[0], conv.weights_quantization.scale, target.quantization.scale[0]
    expected = tflm.rescale(expected, *tflm.dense_multipliers(*scales)) + target.quantization.zero_point
    expected = np.clip(expected, limits.min, limits.max)
    data = pack(graph)
    with NativeModel(data) as model:
        assert model.file.layers[0].layout == LAYOUTS[dtype]
        got = model.run_raw(raw)
    assert np.array_equal(got.reshape(expected.shape), expected)
    assert reference_outputs(data, raw).tobytes() == got.tobytes()


@pytest.mark.parametrize("dtype", ["float32", "int8-weights"])
@pytest.mark.parametrize("seed", range(10))
def test_the_reference_has_the_same_floats(dtype, seed):
    graph = any_conv()
    data = pack(quantize(graph, dtype))
    x = np.float32(RANDOM.normal(size=(3, *graph.input_tensors[0].shape)))
    with NativeModel(data) as model:
        assert model.file.layers[0].layout in (LAYOUTS[dtype], "f32")
        got = model.run_raw(x)
    expected = reference_outputs(data, x)
    np.testing.assert_allclose(got, expected, rtol=0, atol=2e-6 * np.abs(expected).max())


def test_weights_of_a_channel_have_a_scale():
    """As each output channel has its own, a channel of weights 1,000 times smaller loses nothing."""
    b = GraphBuilder((4, 4, 2))
    weights = np.float32(RANDOM.normal(size=(2, 3, 3, 2)))
    weights[1] /= 1000
    b.add(Conv, "conv", weights, np.zeros(2, np.float32), Window((3, 3)))
    conv = quantize(b.build(), "int8-weights").layers[0]
    assert conv.weights.dtype == np.int8
    assert np.abs(conv.weights.reshape(2, -1)).max(axis=1).tolist() == [127, 127]
    real, _ = conv.real_weights(None)
    assert np.abs(real - weights)[1].max() <= np.abs(weights[1]).max() / 254


@pytest.mark.parametrize(("before", "after"), [((0, 3), (0, 0)), ((0, 0), (0, 3)), ((1, 0), (0, 0))])
def test_windows_that_see_nothing_but_padding(before, after):
    """Windows of three columns begin two outside at most, and the last one inside: model files have no others."""
    b = GraphBuilder((4, 1))
    weights, window = np.zeros((1, 1, 3, 1), np.float32), Window((1, 3), (1, 1), (1, 1), before, after)
    with pytest.raises(ModelError, match=r"expected windows \(1, 3\) that reach into the image, got padding"):
        b.add(Conv, "conv", weights, np.zeros(1, np.float32), window)


def test_a_dense_layer_on_every_row_is_a_window_of_one_pixel():
    x, weights = RANDOM.normal(size=(6, 5, 3)), np.float32(RANDOM.normal(size=(4, 3)))
    b = GraphBuilder((5, 3))
    b.add(Conv, "rows", weights.reshape(4, 1, 1, 3), np.zeros(4, np.float32), Window((1, 1)))
    np.testing.assert_allclose(convert(b.build()).predict(x), x @ weights.T, atol=1e-5)


@pytest.mark.parametrize(
    ("shape", "weights", "groups", "problem"),
    [
        ((4, 4, 2), (3, 2, 2, 2), 1, r"expected weights \(n_out, 3, 3, n_in\), got shape \(3, 2, 2, 2\)"),
        ((4, 4, 2), (3, 3, 3), 1, r"expected weights \(n_out, 3, 3, n_in\), got shape \(3, 3, 3\)"),
        ((4, 4, 2), (3, 3, 3, 3), 1, r"expected 3 channels, got 2"),
        ((4, 4, 2), (3, 3, 3, 1), 2, r"expected groups that divide 3 channels, got 2"),
        ((4, 2, 2), (3, 3, 3, 2), 1, r"expected an input of at least the window's \(3, 3\)"),
        ((8,), (3, 3, 3, 2), 1, r"expected an image \(rows, columns, channels\) or a signal"),
        ((500, 500, 8), (16, 3, 3, 8), 1, r"expected at most 268435456 multiplications, got 285700608"),
    ],
)
def test_what_is_no_convolution(shape, weights, groups, problem):
    b = GraphBuilder(shape)
    with pytest.raises(ModelError, match=r"layer 0 \(conv\): " + problem):
        b.add(
            Conv,
            "conv",
            np.zeros(weights, np.float32),
            np.zeros(weights[0], np.float32),
            Window((3, 3)),
            groups,
        )
