"""Layer norm and arg max, from the graph to both cores, against numpy; and what they refuse."""

import numpy as np
import pytest
from anne_tools import convert
from anne_tools.conversion.pack import pack
from anne_tools.conversion.quantize import quantize
from anne_tools.cores.local import reference_outputs
from anne_tools.cores.native import NativeModel
from anne_tools.errors import ModelError
from anne_tools.layers import ArgMax, LayerNorm
from anne_tools.layers.build import GraphBuilder
from anne_tools.network.execute import execute

RANDOM = np.random.default_rng(2425)
SHAPES = [(1,), (7,), (64,), (3, 5), (2, 3, 16), (2, 1, 2, 4)]


def one(shape, kind, *args):
    b = GraphBuilder(shape)
    b.add(kind, "layer", *args)
    return b.build()


def normed(x, gamma, beta, epsilon):
    d = x - x.mean(axis=-1, keepdims=True)
    return d / np.sqrt(np.square(d).mean(axis=-1, keepdims=True) + epsilon) * gamma + beta


@pytest.mark.parametrize("epsilon", [1e-3, 1e-12])
@pytest.mark.parametrize("middle, spread", [(0, 1), (1000, 1), (0, 1e-15), (0, 1e15), (-3, 1e-4)])
@pytest.mark.parametrize("shape", SHAPES)
def test_layer_norm(shape, middle, spread, epsilon):
    gamma, beta = RANDOM.normal(size=(2, shape[-1])).astype(np.float32)
    graph = one(shape, LayerNorm, gamma, beta, epsilon)
    x = RANDOM.normal(middle, spread, (20, *shape)).astype(np.float32)
    expected = normed(x.astype(np.float64), gamma, beta, float(np.float32(epsilon)))
    data = pack(graph)
    for got in (NativeModel(data).run_raw(x), reference_outputs(data, x)):
        np.testing.assert_allclose(
            got.reshape(expected.shape), expected, rtol=0, atol=2e-6 * np.abs(expected).max()
        )
    np.testing.assert_allclose(execute(graph, x.astype(np.float64)), expected, rtol=1e-6, atol=1e-6)


def test_rows_that_are_none():
    x = np.array([[0, np.nan], [np.inf, 0], [3e38, -3e38], [1e-40, 0], [5, 5], [1, 3]], np.float32)[None]
    data = pack(one((6, 2), LayerNorm, np.array([1.0, 2.0]), np.array([0.0, 1.0]), 1e-30))
    # 1 / 3e38 is a denormal, which is 0
    expected = [[np.nan] * 2, [np.nan] * 2, [0, 1], [0, 1], [0, 1], [-1, 3]]
    for got in (NativeModel(data).run_raw(x), reference_outputs(data, x)):
        np.testing.assert_allclose(got.reshape(6, 2), expected, rtol=1e-6)


@pytest.mark.parametrize("dtype", ["float32", "int8", "int16"])
@pytest.mark.parametrize("shape", SHAPES)
def test_arg_max(shape, dtype):
    x = RANDOM.normal(0, 1, (30, *shape)).astype(np.float32)
    data = pack(quantize(one(shape, ArgMax), dtype, x if dtype != "float32" else None))
    with NativeModel(data) as model:
        assert model.file.outputs[0].dtype == ("float32" if dtype == "float32" else "int16")
        raw = np.round(x) if dtype == "float32" else RANDOM.integers(-3, 4, x.shape)  # many are equal
        raw = raw.astype(dtype)
        expected = raw.argmax(axis=-1).reshape(30, -1)
        np.testing.assert_array_equal(model.run_raw(raw).reshape(30, -1), expected)
    np.testing.assert_array_equal(reference_outputs(data, raw).reshape(30, -1), expected)
    assert (
        convert(one(shape, ArgMax), dtype, calibrate=x if dtype != "float32" else None).predict(x).max()
        < shape[-1]
    )


def test_numbers_in_order():
    x = np.array(
        [[1, np.nan, np.inf], [-np.inf, -np.inf, -1e38], [-0.0, 0, -1], [2, -np.nan, np.nan], [0, 1e-40, 0]],
        np.float32,
    )[None]
    data = pack(one((5, 3), ArgMax))
    for got in (NativeModel(data).run_raw(x), reference_outputs(data, x)):
        assert got.ravel().tolist() == np.argmax(x, axis=-1).ravel().tolist() == [1, 2, 0, 1, 1]


@pytest.mark.parametrize(
    ("args", "problem"),
    [
        ((np.ones(2), np.zeros(3)), r"expected gamma of 3 values, got shape \(2,\)"),
        ((np.ones(3), np.zeros((1, 3))), r"expected beta of 3 values, got shape \(1, 3\)"),
        ((np.full(3, np.nan), np.zeros(3)), r"3 of 3 values of gamma are NaN or infinite"),
        ((np.ones(3), np.zeros(3), 0.0), r"expected an epsilon above 0, got 0\.0"),
        ((np.ones(3), np.zeros(3), np.inf), r"epsilon: expected a number that float32 can hold, got inf"),
    ],
)
def test_what_is_no_norm(args, problem):
    with pytest.raises(ModelError, match=problem):
        one((3,), LayerNorm, *args)


def test_types_that_they_do_not_have():
    x = RANDOM.normal(size=(5, 3))
    report = convert(one((3,), LayerNorm, np.ones(3), np.zeros(3)), "int8", calibrate=x).report
    assert [layer.kind for layer in report.layers] == ["quantize", "layer_norm", "quantize"]
    long = RANDOM.normal(size=(2, 32769))
    with pytest.raises(ModelError, match=r"layer: expected at most 32768 elements in a row, got 32769"):
        convert(one((32769,), ArgMax), "int8", calibrate=long)
