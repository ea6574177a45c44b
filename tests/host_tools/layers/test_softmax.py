"""Softmax and log_softmax over the last axis, of any rank and in every type they have, against numpy and row by row."""

import numpy as np
import pytest
from anne_tools.conversion.pack import pack
from anne_tools.conversion.quantize import quantize
from anne_tools.cores.local import reference_outputs
from anne_tools.cores.native import NativeModel
from anne_tools.layers.build import GraphBuilder

RANDOM = np.random.default_rng(12)
SHAPES = [(5,), (1,), (3, 4), (4, 1), (2, 3, 7), (2, 1, 3, 5)]


def model_of(shape, activation, dtype="float32", spread=3):
    b = GraphBuilder(shape)
    b.activation("rows", activation)
    x = RANDOM.normal(0, spread, (40, *shape))
    return pack(quantize(b.build(), dtype, x if dtype != "float32" else None))


@pytest.mark.parametrize("activation", ["softmax", "log_softmax"])
@pytest.mark.parametrize("shape", SHAPES)
def test_floats(shape, activation):
    x = RANDOM.normal(0, 3, (20, *shape)).astype(np.float32)
    shifted = x.astype(np.float64) - x.max(axis=-1, keepdims=True)
    expected = shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
    expected = expected if activation == "log_softmax" else np.exp(expected)
    data = model_of(shape, activation)
    for got in (NativeModel(data).run_raw(x), reference_outputs(data, x)):
        np.testing.assert_allclose(got.reshape(expected.shape), expected, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("dtype", ["int8", "int16"])
@pytest.mark.parametrize("shape", SHAPES)
def test_rows_of_integers_are_softmaxes_of_their_own(shape, dtype):
    data = model_of(shape, "softmax", dtype)
    with NativeModel(data) as model:
        x = RANDOM.integers(model.input.least, model.input.greatest + 1, (20, *shape)).astype(dtype)
        got, scale = model.run_raw(x), model.input.scale
        one = model.file.outputs[0]
    np.testing.assert_array_equal(got, reference_outputs(data, x).reshape(got.shape))
    e = np.exp(scale * (x - x.max(axis=-1, keepdims=True).astype(float)))
    shares = e / e.sum(axis=-1, keepdims=True)
    steps = np.minimum(shares / one.scale, one.greatest - one.zero_point)  # 1 is beyond the greatest
    assert np.abs(got.reshape(x.shape).astype(int) - one.zero_point - steps).max() < (
        1.1 if dtype == "int8" else 4
    )


@pytest.mark.parametrize("activation", ["softmax", "log_softmax"])
def test_a_row_that_is_none_leaves_the_others(activation):
    x = np.array([[[0, np.nan], [0, np.inf], [-np.inf, -np.inf], [0, -np.inf], [1, 1]]], np.float32)
    data = model_of((5, 2), activation)
    last = [[1, 0], [0.5, 0.5]] if activation == "softmax" else [[0, -np.inf], [-np.log(2)] * 2]
    expected = [[np.nan] * 2] * 3 + last
    for got in (NativeModel(data).run_raw(x), reference_outputs(data, x)):
        np.testing.assert_allclose(got.reshape(5, 2), expected, rtol=1e-6)


@pytest.mark.parametrize("shape", [shape for shape in SHAPES if shape[-1] > 1])  # of one element they are 0
def test_logarithms_of_int8_are_half_a_step_off(shape):
    data = model_of(shape, "log_softmax", "int8", 9)
    with NativeModel(data) as model:
        assert [layer.kind for layer in model.file.layers] == ["activation"]
        x = RANDOM.integers(-128, 128, (20, *shape)).astype(np.int8)
        got, scale = model.run_raw(x), model.input.scale
        one = model.file.outputs[0]
    assert (one.scale, one.zero_point) == (16 / 256, 127)
    np.testing.assert_array_equal(got, reference_outputs(data, x).reshape(got.shape))
    shifted = scale * (x - x.max(axis=-1, keepdims=True).astype(float))
    expected = shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
    assert np.abs(got.reshape(x.shape) - np.maximum(16 * expected + 127, -128)).max() < 0.501


@pytest.mark.parametrize("dtype, spread", [("int16", 3), ("int8", 0.3)])
def test_logarithms_of_int16_or_of_a_small_range_are_floats_between_integers(dtype, spread):
    b = GraphBuilder((3,))
    b.activation("rows", "log_softmax")
    data = pack(quantize(b.build(), dtype, RANDOM.normal(0, spread, (40, 3))))
    with NativeModel(data) as model:
        assert [layer.kind for layer in model.file.layers] == ["quantize", "activation", "quantize"]
        x = RANDOM.normal(0, spread / 2, (20, 3))
        got = model.predict(x)
    expected = x - np.log(np.exp(x).sum(axis=1, keepdims=True))
    assert np.abs(got - expected).max() < (1e-3 if dtype == "int16" else 0.02)
