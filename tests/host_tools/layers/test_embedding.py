"""Embedding in every type, from the graph to the C core: rows of the table, whatever the numbers are."""

import numpy as np
import pytest
from anne_tools import convert
from anne_tools.conversion.pack import pack
from anne_tools.conversion.quantize import quantize
from anne_tools.cores.local import reference_outputs
from anne_tools.cores.native import NativeModel
from anne_tools.errors import ModelError
from anne_tools.layers import Embedding
from anne_tools.layers.build import GraphBuilder
from anne_tools.network.execute import execute
from anne_tools.network.graph import Graph
from anne_tools.network.tensor import Quantization, Tensor

RANDOM = np.random.default_rng(26)


def embedded(table, shape=(3,)):
    b = GraphBuilder(shape)
    b.add(Embedding, "rows", table)
    return b.build()


@pytest.mark.parametrize("dtype", ["float32", "int8", "int16"])
@pytest.mark.parametrize("shape", [(1,), (4,), (2, 3)])
def test_rows_of_the_table(dtype, shape):
    table = RANDOM.normal(size=(9, 5))
    x = RANDOM.integers(0, 9, (20, *shape)).astype(np.float32)
    graph = embedded(table, shape)
    data = pack(quantize(graph, dtype, x))
    with NativeModel(data) as model:
        assert model.input.dtype == "float32" and model.output.dtype == dtype
        got = model.run_raw(x)
        assert reference_outputs(data, x).tobytes() == got.tobytes()
        bound = {"float32": 1e-6}.get(dtype, 0.51 * model.output.scale)
        np.testing.assert_allclose(model.predict(x), table[x.astype(int)], rtol=0, atol=bound)
    np.testing.assert_array_equal(execute(graph, x), table[x.astype(int)])


def test_numbers_that_the_table_has_not():
    table = np.arange(6.0).reshape(3, 2)
    x = np.array([[-1.0, 3.0, np.inf], [-np.inf, np.nan, 1.9]], np.float32)
    expected = table[[[0, 2, 2], [0, 0, 1]]]
    data = pack(embedded(table))
    with NativeModel(data) as model:
        np.testing.assert_array_equal(model.run_raw(x), expected)
        np.testing.assert_array_equal(reference_outputs(data, x), expected)
    np.testing.assert_array_equal(execute(embedded(table), x[1:, 1:].repeat(2)[None, :3]), table[[[0, 0, 1]]])


@pytest.mark.parametrize("dtype", ["int8", "int16"])
def test_integers_as_numbers(dtype):
    table = RANDOM.integers(-128, 128, (200, 3)).astype(np.int8)
    q = Quantization(0.25, 3)
    tensors = {
        "x": Tensor("x", (6,), dtype, Quantization(1.0)),
        "y": Tensor("y", (6, 3), "int8", q),
    }
    graph = Graph(["x"], ["y"], [Embedding("rows", "x", "y", table, q)], tensors)
    x = RANDOM.integers(-128, 128, (5, 6)).astype(dtype)
    x[0, :2] = 127, np.iinfo(dtype).max
    data = pack(graph.check())
    with NativeModel(data) as model:
        expected = table[np.clip(x.astype(int), 0, 199)]
        assert model.run_raw(x).tobytes() == reference_outputs(data, x).tobytes() == expected.tobytes()
    tensors["x"] = Tensor("x", (6,), dtype, Quantization(0.5))
    with pytest.raises(ModelError, match=r"expected whole numbers, .* got scale 0\.5 and zero point 0"):
        pack(graph)


def test_a_network_that_reads_words():
    table, x = RANDOM.normal(size=(30, 4)), RANDOM.integers(0, 30, (60, 5))
    b = GraphBuilder((5,))
    b.add(Embedding, "words", table)
    b.reshape("flat", (-1,))
    b.dense("scores", RANDOM.normal(size=(2, 20)), RANDOM.normal(size=2))
    exact = execute(b.build(), x)
    for dtype, bound in (("float32", 1e-5), ("int8", 0.3), ("int16", 0.01), ("int8-weights", 0.1)):
        model = convert(b.build(), dtype, calibrate=x)
        assert np.abs(model.predict(x) - exact).max() < bound, dtype


@pytest.mark.parametrize(
    ("table", "problem"),
    [
        (np.zeros(3), r"expected a table \(rows, width\), got shape \(3,\)"),
        (np.zeros((0, 3)), r"expected a table \(rows, width\), got shape \(0, 3\)"),
        (np.array([[np.nan, 1]]), r"1 of 2 values are NaN or infinite"),
    ],
)
def test_what_is_no_table(table, problem):
    with pytest.raises(ModelError, match=problem):
        embedded(table)
