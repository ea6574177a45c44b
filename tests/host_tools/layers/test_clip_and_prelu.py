"""Clip, prelu and quantize from the graph to both cores, against NumPy."""

import numpy as np
import pytest
from anne_tools.conversion.pack import pack
from anne_tools.conversion.quantize import quantize
from anne_tools.cores.local import reference_outputs
from anne_tools.cores.native import NativeModel
from anne_tools.errors import ModelError
from anne_tools.layers import Activation, Clip, Prelu, Quantize
from anne_tools.layers.build import GraphBuilder
from anne_tools.network.graph import Graph
from anne_tools.network.tensor import Quantization, Tensor

RANDOM = np.random.default_rng(16)


def outputs(graph, dtype, x):
    """What the C core gives for real inputs, having found that the reference gives the same."""
    data = pack(quantize(graph, dtype, x))
    with NativeModel(data) as native:
        tensor = native.input
        if tensor.dtype == "float32":
            raw = x.astype(np.float32)
        else:
            q = np.rint(x / tensor.scale) + tensor.zero_point
            raw = np.clip(q, tensor.least, tensor.greatest).astype(tensor.dtype)
        assert np.array_equal(native.run_raw(raw).ravel(), reference_outputs(data, raw).ravel())
        return native.predict(x)


@pytest.mark.parametrize("dtype", ["float32", "int8", "int16"])
@pytest.mark.parametrize("limits", [(-1.0, 1.0), (0.0, 0.5), (-np.inf, 0.25), (-0.25, np.inf), (0.5, 0.5)])
def test_clip_limits_as_numpy_does(limits, dtype):
    b = GraphBuilder((2, 9))
    b.add(Clip, "clip", *limits)
    x = np.float32(RANDOM.uniform(-2, 2, (8, 2, 9)))
    step = {"float32": 0, "int8": 4 / 255, "int16": 2 / 32767}[dtype]
    np.testing.assert_allclose(outputs(b.build(), dtype, x), np.clip(x, *limits), atol=1.01 * step)


def test_what_is_no_number_stays_so():
    b = GraphBuilder((4,))
    b.add(Clip, "clip", -1.0, 1.0)
    x = np.array([[np.nan, np.inf, -np.inf, 0.5]], np.float32)
    with NativeModel(pack(b.build())) as native:
        np.testing.assert_array_equal(native.predict(x), [[np.nan, 1, -1, 0.5]])


@pytest.mark.parametrize("limits", [(1.0, 0.0), (np.nan, 1.0)])
def test_limits_the_wrong_way_round(limits):
    with pytest.raises(ModelError, match=r"clip\): expected a least and a greatest value"):
        GraphBuilder((4,)).add(Clip, "clip", *limits)


@pytest.mark.parametrize("dtype", ["float32", "int8", "int16", "int8-weights"])
@pytest.mark.parametrize("of_slope", [(4,), (2, 3, 4), (1, 1, 4), (1,), (2, 3, 1)])
def test_prelu_bends_as_numpy_does(of_slope, dtype):
    slope = np.float32(RANDOM.uniform(-1, 1, of_slope))
    b = GraphBuilder((2, 3, 4))
    b.add(Prelu, "prelu", slope)
    x = np.float32(RANDOM.uniform(-2, 2, (8, 2, 3, 4)))
    expected = np.where(x < 0, slope * x, x)
    step = {"int8": 4 / 255, "int16": 2 / 32767}.get(dtype, 0)
    np.testing.assert_allclose(outputs(b.build(), dtype, x), expected, atol=2 * step)


def test_a_slope_that_does_not_fit():
    with pytest.raises(ModelError, match=r"prelu\): expected shapes that are equal"):
        GraphBuilder((2, 4)).add(Prelu, "prelu", np.zeros(3))


def test_a_network_that_is_partly_float():
    # int8 -> float32, an activation there, -> int16
    tensors = [
        Tensor("a", (5,), "int8", Quantization(0.5, 3)),
        Tensor("b", (5,)),
        Tensor("c", (5,)),
        Tensor("d", (5,), "int16", Quantization(2.0**-10)),
    ]
    layers = [Quantize("real", "a", "b"), Activation("tanh", "b", "c", "tanh"), Quantize("back", "c", "d")]
    graph = Graph(["a"], ["d"], layers, {t.name: t for t in tensors}).check()
    data = pack(quantize(graph, "float32"))
    q = np.arange(-128, 127, 51, dtype=np.int8)[None, :5]
    expected = np.rint(np.tanh(0.5 * (q.astype(float) - 3)) * 1024)
    with NativeModel(data) as native:
        assert native.run_raw(q).tolist() == expected.tolist()
    assert reference_outputs(data, q).tolist() == expected.tolist()


def test_floats_of_floats():
    b = GraphBuilder((3,))
    b.add(Quantize, "quantize")
    with pytest.raises(ModelError, match="expected another type of output than float32"):
        pack(b.build())
