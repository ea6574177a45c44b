"""Pools in every type, from the graph to both cores, against a loop over windows; and what no pool is."""

import itertools

import numpy as np
import pytest
from anne_tools import convert
from anne_tools.conversion.pack import pack
from anne_tools.conversion.quantize import quantize
from anne_tools.cores.local import reference_outputs
from anne_tools.cores.native import NativeModel
from anne_tools.errors import ModelError
from anne_tools.layers import AveragePool, MaxPool
from anne_tools.layers.build import GraphBuilder
from anne_tools.layers.windows import Window
from anne_tools.network.execute import execute

RANDOM = np.random.default_rng(910)


def pool(shape, kind, *args, **kwargs):
    b = GraphBuilder(shape)
    b.add(kind, "pool", *args, **kwargs)
    return b.build()


def any_window(rank):
    """A shape, and a window that fits on it."""
    while True:
        size = [int(RANDOM.integers(1, 9)) if rank == 3 else 1, int(RANDOM.integers(1, 9))]
        kernel, stride, dilation = ([int(v) for v in RANDOM.integers(1, 4, 2)] for _ in range(3))
        if rank == 2:
            kernel[0] = 1
        reach = [(k - 1) * d for k, d in zip(kernel, dilation, strict=True)]
        before, after = ([int(RANDOM.integers(0, r + 1)) for r in reach] for _ in range(2))
        before = [b if d <= n else 0 for b, d, n in zip(before, dilation, size, strict=True)]
        window = Window(*map(tuple, (kernel, stride, dilation, before, after)))
        shape = (*size, int(RANDOM.choice([1, 2, 5, 8, 17, 35])))[3 - rank :]
        try:
            made = window.image_shape(shape, shape[-1], "pool")
        except ModelError:
            continue
        last = [(m - 1) * s - b for m, s, b in zip(((1,) + made)[-3:-1], stride, before, strict=True)]
        if all(at < n for at, n in zip(last, size, strict=True)):
            return shape, window


def expected_of(x, window, counted, join):
    """`join` of each window's pixels inside an image (rows, columns, channels) and of how many taps count."""
    rows, columns, _ = x.shape
    made = window.image_shape(x.shape, 1, "")[:2]
    y = []
    for i, j in itertools.product(*map(range, made)):
        taps = [
            (i * window.stride[0] - window.before[0] + k * window.dilation[0],
             j * window.stride[1] - window.before[1] + m * window.dilation[1])
            for k, m in itertools.product(*map(range, window.kernel))
        ]  # fmt: skip
        inside = [x[a, b] for a, b in taps if 0 <= a < rows and 0 <= b < columns]
        n = len(inside)
        if counted:
            n = sum(a < rows + counted[0] and b < columns + counted[1] for a, b in taps)
        y.append(join(np.array(inside), n))
    return np.array(y).reshape(*made, -1)


def rounded(quotients):
    return np.copysign(np.floor(np.abs(quotients) + 0.5), quotients).astype(int)


@pytest.mark.parametrize("counts", [None, False, True], ids=["max", "average", "average of padding"])
@pytest.mark.parametrize("dtype", ["float32", "int8", "int16"])
@pytest.mark.parametrize("rank", [2, 3])
def test_both_cores_pool_as_a_loop_does(dtype, rank, counts):
    for _ in range(30):
        shape, window = any_window(rank)
        counted = tuple(int(RANDOM.integers(0, a + 1)) for a in window.after) if counts else None
        args = (MaxPool, window) if counts is None else (AveragePool, window, counts)
        graph = pool(shape, *args, **({"counted": counted} if counts else {}))
        x = RANDOM.uniform(-1, 1, (3, *shape)).astype(np.float32)
        data = pack(quantize(graph, dtype, x if dtype != "float32" else None))
        with NativeModel(data) as model:
            zero_point = model.input.zero_point
            if dtype != "float32":
                x = RANDOM.integers(model.input.least, model.input.greatest + 1, x.shape).astype(dtype)
                x[0], x[1] = model.input.least, model.input.greatest

            def join(inside, n, zero_point=zero_point):
                if counts is None:
                    return inside.max(axis=0)
                total = inside.sum(axis=0, dtype=float) + zero_point * (n - len(inside))
                return total / n if dtype == "float32" else rounded(total / n)

            images = x.reshape(len(x), *((1,) * (3 - rank)), *shape)
            expected = np.array([expected_of(image, window, counted, join) for image in images])
            got = model.run_raw(x).reshape(expected.shape)
            tolerance = 1e-7 if dtype == "float32" else 0
            np.testing.assert_allclose(got, expected, rtol=0, atol=tolerance)
            reference = reference_outputs(data, x).reshape(got.shape)
            np.testing.assert_allclose(got, reference, rtol=0, atol=tolerance)
            if dtype == "float32":
                np.testing.assert_allclose(
                    execute(graph, x).reshape(got.shape), expected, rtol=1e-6, atol=1e-7
                )


@pytest.mark.parametrize("kind", [MaxPool, AveragePool])
@pytest.mark.parametrize("activation", ["relu", "relu6", "tanh"])
def test_activations(kind, activation):
    graph = pool((4, 4, 3), kind, Window((2, 2), (2, 2)), activation=activation)
    x = RANDOM.uniform(-9, 9, (40, 4, 4, 3)).astype(np.float32)
    expected = execute(graph, x)
    assert np.abs(convert(graph).predict(x) - expected).max() < 1e-5
    error = np.abs(convert(graph, "int8", calibrate=x).predict(x) - expected).max()
    assert error < 18 / 255 + 0.01  # half a step of what comes in, as much of what goes out, and tanh's


@pytest.mark.parametrize("kind", [MaxPool, AveragePool])
def test_numbers_that_are_none(kind):
    graph = pool((4, 1), kind, Window((1, 2)))
    x = np.array([[1, np.nan, 2, 3], [1, np.inf, -np.inf, 3], [-np.nan, 1, 3e38, 3e38]], np.float32)
    expected = {
        MaxPool: [[np.nan, np.nan, 3], [np.inf, np.inf, 3], [np.nan, 3e38, 3e38]],
        AveragePool: [[np.nan, np.nan, 2.5], [np.inf, np.nan, -np.inf], [np.nan, 1.5e38, 3e38]],
    }[kind]
    data = pack(graph)
    for got in (NativeModel(data).run_raw(x[..., None]), reference_outputs(data, x[..., None])):
        np.testing.assert_allclose(got.reshape(3, 3), expected, rtol=1e-6)


@pytest.mark.parametrize(
    ("kind", "shape", "args", "problem"),
    [
        (MaxPool, (5,), [Window((1, 2))], r"expected an image .* or a signal .*, got \(5,\)"),
        (MaxPool, (2, 2, 1), [Window((3, 1))], r"expected an input of at least the window's \(3, 1\)"),
        (MaxPool, (2, 1), [Window((1, 2), (1, 1), (1, 3), (0, 1), (0, 3))],
         r"expected a dilation of 1 to 2 where there is padding, got 3"),
        (AveragePool, (1, 40000, 1), [Window((1, 32769))], r"expected at most 32768 elements in a window"),
        (AveragePool, (4, 1), [Window((1, 2)), True, "linear", 0.0, (0, -1)], r"expected padding from 0 on"),
        (MaxPool, (4, 1), [Window((1, 2)), "sine"], r"unknown activation 'sine'"),
    ],
)  # fmt: skip
def test_what_is_no_pool(kind, shape, args, problem):
    with pytest.raises(ModelError, match=problem):
        pool(shape, kind, *args)
