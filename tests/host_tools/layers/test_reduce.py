"""Reduce in every type, from the graph to both cores, against numpy; and what is no reduction."""

import numpy as np
import pytest
from anne_tools import convert
from anne_tools.conversion.pack import pack
from anne_tools.conversion.quantize import quantize
from anne_tools.cores.local import reference_outputs
from anne_tools.cores.native import NativeModel
from anne_tools.errors import ModelError
from anne_tools.layers import Reduce
from anne_tools.layers.build import GraphBuilder
from anne_tools.network.execute import execute

RANDOM = np.random.default_rng(11)
OPERATIONS = {"mean": np.mean, "sum": np.sum, "max": np.max, "min": np.min}


def reduced(shape, operation, axes):
    b = GraphBuilder(shape)
    b.add(Reduce, "reduce", operation, axes)
    return b.build()


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("dtype", ["float32", "int8", "int16"])
@pytest.mark.parametrize("rank", [1, 2, 3, 4])
def test_both_cores_reduce_as_numpy_does(dtype, operation, rank):
    for bits in [*range(1, 1 << rank)] * (3 if rank < 4 else 1):
        axes = tuple(axis for axis in range(rank) if bits >> axis & 1)
        shape = tuple(int(n) for n in RANDOM.choice([1, 2, 3, 5, 18], rank))
        graph = reduced(shape, operation, axes)
        x = RANDOM.uniform(-1, 1, (9, *shape)).astype(np.float32)
        data = pack(quantize(graph, dtype, x if dtype != "float32" else None))
        with NativeModel(data) as model:
            source, target = model.input, model.file.outputs[0]
            raw = x if dtype == "float32" else RANDOM.integers(source.least, source.greatest + 1, x.shape)
            raw = raw.astype(dtype)
            got, reference = model.run_raw(raw), reference_outputs(data, raw)
        real = source.scale * (raw.astype(np.float64) - source.zero_point)
        expected = OPERATIONS[operation](real, axis=tuple(axis + 1 for axis in axes)).reshape(got.shape)
        if dtype == "float32":
            largest = np.abs(real).max() * (1 if operation != "sum" else real[0].size / got[0].size)
            np.testing.assert_allclose(got, expected, rtol=1e-7, atol=1e-7 * largest)
            np.testing.assert_allclose(reference, got, rtol=1e-7, atol=1e-7 * largest)
            np.testing.assert_allclose(execute(graph, x), expected, rtol=0, atol=1e-6 * largest)
        else:
            np.testing.assert_array_equal(reference, got)
            steps = np.clip(expected / target.scale + target.zero_point, target.least, target.greatest)
            # rounded twice, the first time to at most half a step
            assert np.abs(got - steps).max() <= (0 if operation in ("max", "min") else 0.76) + 1e-9


def test_numbers_that_are_none():
    x = np.array([[1, np.nan, -np.inf], [np.inf, 2, -np.nan], [np.inf, -np.inf, 3]], np.float32)
    expected = {
        "mean": [np.nan] * 3,
        "sum": [np.nan] * 3,
        "max": [np.nan, np.nan, np.inf],
        "min": [np.nan, np.nan, -np.inf],
    }
    for operation, values in expected.items():
        data = pack(reduced((3,), operation, (0,)))
        with NativeModel(data) as model:
            np.testing.assert_array_equal(model.run_raw(x).ravel(), values)
        np.testing.assert_array_equal(reference_outputs(data, x).ravel(), values)


def test_a_mean_of_an_image_keeps_what_int8_can_tell():
    x = RANDOM.uniform(-1, 1, (200, 7, 7, 16)).astype(np.float32)
    graph = reduced((7, 7, 16), "mean", (0, 1))
    expected = x.mean(axis=(1, 2))
    got = convert(graph, "int8", calibrate=x).predict(x)
    span = expected.max() - expected.min()
    # a step of the output is a 255th of its range; the inputs' steps, 2 / 255, add noise of a 24th of that
    assert np.abs(got - expected).max() < span / 255 / 2 + 4 * (2 / 255) / 12**0.5 / 7


@pytest.mark.parametrize(
    ("operation", "axes", "problem"),
    [
        ("product", (0,), r"expected one of mean, sum, max, min, got product"),
        ("mean", (), r"expected axes of 2, each once, got \(\)"),
        ("mean", (2,), r"expected axes of 2, each once, got \(2,\)"),
        ("mean", (-1,), r"expected axes of 2, each once, got \(-1,\)"),
        ("mean", (1, 1), r"expected axes of 2, each once, got \(1, 1\)"),
    ],
)
def test_what_is_no_reduction(operation, axes, problem):
    with pytest.raises(ModelError, match=problem):
        reduced((2, 3), operation, axes)


def test_more_than_a_sum_of_int16_holds():
    x = RANDOM.uniform(-1, 1, (2, 65536)).astype(np.float32)
    with pytest.raises(
        ModelError, match=r"reduce: expected at most 65535 elements in a mean of int16, got 65536"
    ):
        convert(reduced((65536,), "mean", (0,)), "int16", calibrate=x)
    assert convert(reduced((65536,), "max", (0,)), "int16", calibrate=x).predict(x).shape == (2, 1)
