"""Concatenate in every type, from the graph to the C core, against numpy; and how integers come to one scale."""

import numpy as np
import pytest
from anne_tools import convert
from anne_tools.conversion.pack import pack
from anne_tools.conversion.quantize import quantize
from anne_tools.cores.local import reference_outputs
from anne_tools.cores.native import NativeModel
from anne_tools.cores.packed import packed
from anne_tools.data.samples import joined
from anne_tools.errors import ModelError
from anne_tools.layers import Activation, Concatenate
from anne_tools.layers.build import GraphBuilder
from anne_tools.network.execute import execute

RANDOM = np.random.default_rng(26)


@pytest.mark.parametrize("dtype", ["float32", "int8", "int16"])
@pytest.mark.parametrize("rank", [1, 2, 3, 4])
def test_both_cores_concatenate_as_numpy_does(dtype, rank):
    for _ in range(20):
        axis, n_inputs = int(RANDOM.integers(-rank, rank)), int(RANDOM.integers(1, 6))
        shape = RANDOM.integers(1, 5, rank)
        b = GraphBuilder()
        for i in range(n_inputs):
            shape[axis] = RANDOM.integers(1, 5)
            b.input(f"x{i}", tuple(map(int, shape)))
        inputs = list(b.tensors.values())
        b.add(Concatenate, "joined", axis, inputs=inputs)
        x = joined([RANDOM.normal(size=(5, *tensor.shape)) for tensor in inputs])
        data = pack(quantize(b.build(), dtype, x))
        with NativeModel(data) as model:
            if dtype == "float32":
                raw = [RANDOM.normal(size=(5, *t.shape)).astype(dtype) for t in model.inputs]
            else:
                raw = [
                    RANDOM.integers(t.least, t.greatest, (5, *t.shape)).astype(dtype) for t in model.inputs
                ]
            expected = np.concatenate(raw, axis % rank + 1)
            assert len(model.file.layers) == 1
            assert model.run_raw(packed(raw)).tobytes() == expected.tobytes()
            assert reference_outputs(data, packed(raw)).tobytes() == expected.tobytes()


def branches(activation="linear", outer=False):
    """Two dense layers of unlike range side by side; the second may be an output of the network, too."""
    b = GraphBuilder((3,))
    x = b.last
    small = b.dense("small", np.eye(3), activation=activation)
    large = b.dense("large", 10 * np.eye(3), at=x)
    both = b.add(Concatenate, "joined", 0, inputs=[small, large])
    return b.build(outputs=[both, large] if outer else None)


X = RANDOM.uniform(-1, 1, (50, 3))


def test_what_only_it_reads_has_its_scale_from_the_start():
    graph = quantize(branches(), "int8", X)
    assert [layer.kind for layer in graph.layers] == ["dense", "dense", "concatenate"]
    small, large = (graph.tensors[name] for name in graph.layers[2].inputs)
    assert small.means_the_same(large) and small.means_the_same(graph.output_tensors[0])
    with NativeModel(pack(graph)) as model:
        off = np.abs(model.predict(X) - execute(branches(), X)).max()
        assert off <= 1.1 * model.output.scale  # half a step of the input, ten times, and of the output


def test_what_others_read_is_rescaled():
    graph = quantize(branches(outer=True), "int8", X)
    kinds = [layer.kind for layer in graph.layers]
    assert kinds == ["dense", "dense", "concatenate"]  # the wider one has the range of both anyhow
    b = GraphBuilder((3,))
    small = b.dense("small", np.eye(3))
    large = b.dense("large", 10 * np.eye(3))
    both = b.add(Concatenate, "joined", 0, inputs=[large, small])
    graph = quantize(b.build(outputs=[both, small]), "int8", X)
    rescaling = graph.layers[2]
    assert isinstance(rescaling, Activation) and rescaling.activation == "linear"
    assert rescaling.input == graph.layers[1].input == small.name
    assert not graph.tensors[small.name].means_the_same(graph.tensors[rescaling.output])


def test_a_scale_of_its_kind_is_rescaled():
    # a softmax has the scale 1/256, whatever it is joined to
    b = GraphBuilder((3,))
    x = b.last
    share = b.activation("share", "softmax")
    b.add(Concatenate, "joined", 0, inputs=[share, b.dense("large", 10 * np.eye(3), at=x)])
    graph = quantize(b.build(), "int8", X)
    assert [layer.kind for layer in graph.layers] == ["activation", "dense", "activation", "concatenate"]
    with NativeModel(pack(graph)) as model:
        assert np.abs(model.predict(X) - execute(b.build(), X)).max() <= 1.1 * model.output.scale


def test_concatenations_of_concatenations_have_one_scale():
    b = GraphBuilder((3,))
    x = b.last
    parts = [b.dense(f"{n}", n * np.eye(3), at=x) for n in (1, 5, 20)]
    inner = b.add(Concatenate, "inner", 0, inputs=parts[:2])
    rows = b.reshape("rows", (6, 1), at=inner)
    b.add(Concatenate, "outer", 0, inputs=[rows, b.reshape("more", (3, 1), at=parts[2])])
    graph = quantize(b.build(), "int8", X)
    assert not any(isinstance(layer, Activation) for layer in graph.layers)
    assert all(graph.tensors[t.name].means_the_same(graph.output_tensors[0]) for t in (*parts, inner, rows))


@pytest.mark.parametrize(
    ("shapes", "axis", "problem"),
    [
        ([(2, 3), (2, 3)], 2, r"expected an axis of its 2, got 2"),
        ([(2, 3), (1, 2)], 0, r"expected inputs of one shape but along axis 0, got \(2, 3\) and \(1, 2\)"),
        ([(2, 3), (6,)], 0, r"expected inputs of one shape but along axis 0, got \(2, 3\) and \(6,\)"),
    ],
)
def test_what_does_not_fit(shapes, axis, problem):
    b = GraphBuilder()
    inputs = [b.input(f"x{i}", shape) for i, shape in enumerate(shapes)]
    with pytest.raises(ModelError, match=problem):
        b.add(Concatenate, "joined", axis, inputs=inputs)


def test_a_graph_is_converted_in_every_type():
    for dtype in ("float32", "int8", "int16", "int8-weights", "int4"):
        model = convert(branches(), dtype, calibrate=X)
        assert np.abs(model.predict(X) - execute(branches(), X)).max() < (2 if dtype == "int4" else 0.2)
