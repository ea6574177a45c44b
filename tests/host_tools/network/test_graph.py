"""The graph checks itself: every mistake of an importer or a pass is named with layer, expected and got."""

from __future__ import annotations

import numpy as np
import pytest
from anne_tools.errors import ModelError
from anne_tools.layers import Activation, Add, Reshape
from anne_tools.layers.build import GraphBuilder
from anne_tools.network.activations import ACTIVATIONS
from anne_tools.network.execute import execute
from anne_tools.network.graph import Graph, Metadata, as_outputs
from anne_tools.network.tensor import Quantization, Tensor


def chain() -> Graph:
    """(2, 3) -> flatten -> 6 to 4, relu -> 4 to 2 -> softmax."""
    b = GraphBuilder((2, 3))
    b.reshape("flatten", (-1,))
    b.dense("hidden", np.ones((4, 6)), np.ones(4), "relu", source="Dense 'hidden'")
    b.dense("out", np.ones((2, 4)))
    b.activation("softmax", "softmax")
    return b.build()


def test_builder_computes_shapes_and_names_tensors():
    graph = chain()
    assert [graph.tensors[layer.output].shape for layer in graph.layers] == [(6,), (4,), (2,), (2,)]
    assert [layer.kind for layer in graph.layers] == ["reshape", "dense", "dense", "activation"]
    assert graph.inputs == ["input"] and graph.outputs == [graph.layers[-1].output]
    assert graph.layers[1].weights.dtype == np.float32 and graph.layers[2].bias.tolist() == [0, 0]


def test_tensor_size():
    assert Tensor("a", (2, 3, 4)).size == 24 and Tensor("scalar", ()).size == 1


def test_quantization_keeps_scales_as_an_array():
    assert Quantization(0.5).scale.tolist() == [0.5] and Quantization([1, 2]).scale.dtype == np.float64


def test_activations_are_different_ones():
    assert len(set(ACTIVATIONS)) == len(ACTIVATIONS) == 21 and ACTIVATIONS[0] == "linear"


@pytest.mark.parametrize(
    "shape, expected", [((-1,), (24,)), ((4, -1), (4, 6)), ((3, -1, 2), (3, 4, 2)), ((24,), (24,))]
)
def test_reshape_finds_the_one_free_dimension(shape, expected):
    b = GraphBuilder((2, 3, 4))
    assert b.reshape("r", shape).shape == expected


@pytest.mark.parametrize(
    "build, message",
    [
        (lambda b: b.dense("d", np.ones((3, 5))), "layer 0 (d): expected 5 inputs, got 4"),
        (lambda b: b.dense("d", np.ones(4)), "layer 0 (d): expected weights (n_out, n_in), got shape (4,)"),
        (
            lambda b: b.dense("d", np.ones((3, 4)), [1]),
            "layer 0 (d): expected 3 values of bias, got shape (1,)",
        ),
        (
            lambda b: b.dense("d", np.ones((3, 4)), None, "mish"),
            "layer 0 (d): unknown activation 'mish'; known: linear",
        ),
        (lambda b: b.dense("d", [[np.nan] * 4]), "layer 0 (d): 4 of 4 weights are NaN or infinite"),
        (lambda b: b.dense("d", np.ones((1, 4)), [np.inf]), "layer 0 (d): 1 of 1 bias are NaN or infinite"),
        (lambda b: b.activation("a", "elu", np.nan), "layer 0 (a): alpha must be finite, got nan"),
        (lambda b: b.scaling("s", [1, 2], 0), "layer 0 (s): expected 4 values of scale, got shape (2,)"),
        (lambda b: b.scaling("s", 1, [np.nan] * 4), "layer 0 (s): 4 of 4 offset are NaN or infinite"),
        (lambda b: b.reshape("r", (3,)), "layer 0 (r): cannot reshape (4,) to (3,)"),
        (lambda b: b.reshape("r", (3, -1)), "layer 0 (r): cannot reshape (4,) to (3, 1)"),
        (lambda b: b.build(), "the model has no layers"),
    ],
)
def test_builder_refuses_what_does_not_fit(build, message):
    with pytest.raises(ModelError) as error:
        build(GraphBuilder((4,)))
    assert message in str(error.value)


def test_dense_wants_a_flat_input():
    b = GraphBuilder((2, 3))
    with pytest.raises(
        ModelError, match=r"^layer 0 \(Dense 'd'\): expected a flat input, got shape \(2, 3\)"
    ):
        b.dense("d", np.ones((2, 3)), source="Dense 'd'")


def test_check_finds_a_layer_before_its_input():
    graph = chain()
    graph.layers.reverse()
    with pytest.raises(
        ModelError, match=r"layer 0 \(softmax\): its input 'out:out2' is not computed before it"
    ):
        graph.check()


def test_check_finds_a_tensor_computed_twice():
    graph = chain()
    graph.layers.append(graph.layers[-1])
    with pytest.raises(ModelError, match=r"layer 4 \(softmax\): its output 'softmax:out3' is computed twice"):
        graph.check()


def test_check_finds_a_wrong_shape():
    graph = chain()
    graph.tensors["hidden:out1"] = Tensor("hidden:out1", (5,))
    with pytest.raises(
        ModelError, match=r"layer 1 \(Dense 'hidden'\): expected output shape \(4,\), got \(5,\)"
    ):
        graph.check()


def test_check_finds_an_output_that_no_layer_computes():
    graph = chain()
    graph.outputs = ["other"]
    with pytest.raises(ModelError, match="output 'other' is computed by no layer"):
        graph.check()


@pytest.mark.parametrize("names", [["x", "x"], ["x"], ["x", "y", "z"]])
def test_check_finds_names_that_are_no_names_of_all_inputs(names):
    # by a name twice, one array would go into both
    b = GraphBuilder()
    b.add(Add, "sum", inputs=[b.input("a", (2,)), b.input("b", (2,))])
    with pytest.raises(ModelError, match="^input names: expected 2, each another, got 'x'"):
        b.build(Metadata(input_names=names))


def test_names_of_users_come_before_names_of_tensors():
    b = GraphBuilder()
    b.add(Add, "sum", inputs=[b.input("a", (1,)), b.input("b", (1,))])
    graph = b.build(Metadata(input_names=["b", "a"]))
    assert {name: x.tolist() for name, x in graph.split({"b": [[1]], "a": [[2]]}).items()} == {
        "a": [[1]],
        "b": [[2]],
    }


def test_consumers():
    graph = chain()
    graph.layers.append(Activation("also", "out:out2", "also", "relu"))
    assert [layer.name for layer in graph.consumers("out:out2")] == ["softmax", "also"]
    assert list(graph.consumers("nobody")) == []


def test_copy_can_be_changed_without_touching_the_original():
    graph = chain()
    other = graph.copy()
    other.layers[0].name = "changed"
    other.layers.pop()
    other.tensors.clear()
    other.outputs.clear()
    other.metadata.name = "changed"
    assert graph.layers[0].name == "flatten" and len(graph.layers) == 4
    assert graph.outputs and graph.tensors and graph.metadata.name == "model"
    assert other.layers[1].weights is graph.layers[1].weights


def test_metadata_is_kept_by_the_builder():
    b = GraphBuilder((), Tensor("pixels", (2, 2)))
    b.add(Reshape, "r", shape=(4,))
    graph = b.build(Metadata("net", labels=["a"]))
    assert graph.metadata.labels == ["a"] and graph.inputs == ["pixels"]


def test_sizes_beyond_64_bits_do_not_wrap_around():
    # 2^32 x 2^32 elements are 2^64, which int64 arithmetic takes for none
    shape = (1 << 32, 1 << 32)
    assert Tensor("x", shape).size == 1 << 64
    with pytest.raises(ModelError, match="expected at most 1048576 elements"):
        Graph(
            ["x"], ["y"], [Reshape("r", "x", "y")], {"x": Tensor("x", shape), "y": Tensor("y", (0,))}
        ).check()


def test_a_shape_of_many_axes_is_refused_before_its_size_is_computed():
    with pytest.raises(ModelError, match="^input: 100000 axes are more than the limit of 32$"):
        GraphBuilder((1000,) * 100_000)
    with pytest.raises(ModelError, match=r"^layer 0 \(r\): 100000 axes are more than the limit of 32$"):
        GraphBuilder((4,)).reshape("r", (1000,) * 100_000)


@pytest.mark.parametrize(
    "outputs, expected",
    [
        (["y"], ["y"]),
        (["y", "z", "y"], ["y", "z", "copy of y"]),
        (["a", "y"], ["a", "y"]),
        (["a", "b", "y"], ["a", "b", "y"]),
        (["b", "a", "y"], ["b", "copy of a", "y"]),
        (["y", "a"], ["y", "copy of a"]),
    ],
)
def test_outputs_are_each_once_and_inputs_first_and_in_order(outputs, expected):
    assert as_outputs(outputs, ["a", "b"], lambda name: f"copy of {name}") == expected


def test_an_output_twice_and_an_input_as_output_are_copied():
    b = GraphBuilder()
    a = b.input("a", (2,))
    y = b.activation("y", "relu", at=a)
    graph = b.build(outputs=[y, a, y])
    assert [layer.kind for layer in graph.layers] == ["activation"] * 3
    assert [part.tolist() for part in graph.split_outputs(execute(graph, np.array([[-1, 2]])))] == [
        [[0, 2]],
        [[-1, 2]],
        [[0, 2]],
    ]
