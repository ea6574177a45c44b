"""Each pass: what becomes of the layers, and that execute() gives the same (relative error at most 1e-6).

The graphs before the pass are the expectation; weights are random with seed 1.
"""

from __future__ import annotations

import numpy as np
import pytest
from anne_tools.conversion import passes
from anne_tools.layers import Activation, Add, Dense, Prelu, Reshape
from anne_tools.layers.build import GraphBuilder
from anne_tools.network.execute import execute
from anne_tools.network.graph import Graph
from anne_tools.network.tensor import Quantization, Tensor

RANDOM = np.random.default_rng(1)


def random(*shape):
    return RANDOM.normal(0, 1, shape)


def same(before: Graph, after: Graph, tolerance: float) -> None:
    """Both graphs give the same outputs for 50 random inputs."""
    x = random(50, *before.tensors[before.inputs[0]].shape)
    expected = execute(before, x)
    got = execute(after.check(), x)
    assert got.shape == expected.shape
    np.testing.assert_allclose(got, expected, rtol=0, atol=tolerance * np.abs(expected).max())


def kinds(graph: Graph) -> list[str]:
    return [layer.kind for layer in graph.layers]


def run(one_pass, builder: GraphBuilder, tolerance=1e-6, **options) -> tuple[Graph, list[str]]:
    """Build, pass, check that the original was not touched and that nothing changed in meaning."""
    before = builder.build()
    layers, names = list(before.layers), list(before.tensors)
    after, notes = one_pass(before, **options)
    assert before.layers == layers and list(before.tensors) == names
    same(before, after, tolerance)
    return after, notes


# drop_no_ops


def test_dropout_equal_reshape_and_unit_scaling_are_dropped():
    b = GraphBuilder((4,))
    b.scaling("one", 1.0, 0.0, source="Rescaling 'one'")
    b.dense("hidden", random(3, 4), random(3), "relu")
    b.activation("dropout", "linear", source="Dropout 'dropout'")
    b.reshape("flatten", (3,))
    b.dense("out", random(2, 3), random(2))
    b.activation("last", "linear")
    graph, notes = run(passes.drop_no_ops, b)
    assert kinds(graph) == ["dense", "dense"]
    assert notes[1] == "Dropout 'dropout': dropped, it changes nothing when the network runs"
    assert len(notes) == 4 and len(graph.tensors) == 3


def test_the_last_layer_left_is_kept():
    b = GraphBuilder((4,))
    b.activation("a", "linear")
    b.activation("b", "linear")
    graph, notes = run(passes.drop_no_ops, b)
    assert kinds(graph) == ["activation"] and len(notes) == 1


def test_what_changes_something_is_not_dropped():
    b = GraphBuilder((4,))
    b.scaling("factor", [1, 1, 1, 2], 0.0)
    b.scaling("offset", 1.0, 1e-9)
    b.reshape("square", (2, 2))
    b.activation("relu", "relu")
    assert run(passes.drop_no_ops, b)[1] == []


def test_linear_activation_between_different_quantizations_is_not_dropped():
    graph = quantized_chain(Activation, Quantization(0.5), Quantization(0.25))
    assert passes.drop_no_ops(graph)[1] == []
    graph = quantized_chain(Activation, Quantization(0.5, 3), Quantization(0.5, 3))
    assert len(passes.drop_no_ops(graph)[0].layers) == 1


def quantized_chain(layer_class, first: Quantization, second: Quantization) -> Graph:
    """input (int8, first) -> layer -> (int8, second) -> relu."""
    tensors = [
        Tensor("in", (2,), "int8", first),
        Tensor("mid", (2,), "int8", second),
        Tensor("out", (2,), "int8", second),
    ]
    layers = [layer_class("requantise", "in", "mid", "linear"), Activation("relu", "mid", "out", "relu")]
    return Graph(["in"], ["out"], layers, {tensor.name: tensor for tensor in tensors}).check()


# merge_reshapes


def test_reshapes_are_merged():
    b = GraphBuilder((2, 6))
    b.reshape("a", (3, 4))
    b.reshape("b", (4, 3))
    b.reshape("c", (-1,))
    b.dense("out", random(2, 12))
    graph, notes = run(passes.merge_reshapes, b)
    assert kinds(graph) == ["reshape", "dense"] and len(notes) == 2
    assert graph.tensors[graph.layers[0].output].shape == (12,)


# fuse_activations


@pytest.mark.parametrize("activation", ["relu", "softmax", "elu"])
def test_activation_is_fused_into_a_linear_dense(activation):
    b = GraphBuilder((4,))
    b.dense("hidden", random(3, 4), random(3))
    b.activation("a", activation, 0.7, source="ELU 'a'")
    graph, notes = run(passes.fuse_activations, b)
    (dense,) = graph.layers
    assert (dense.activation, dense.alpha) == (activation, 0.7)
    assert notes == [f"ELU 'a' ({activation}): made the activation of hidden"]


def test_activation_after_an_activation_is_not_fused():
    b = GraphBuilder((4,))
    b.dense("hidden", random(3, 4), random(3), "tanh")
    b.activation("a", "relu")
    assert run(passes.fuse_activations, b)[1] == []


def test_activation_after_a_prelu_stays_a_layer():  # which can have none of its own
    b = GraphBuilder((4,))
    b.add(Prelu, "slopes", np.float32(random(4)))
    b.activation("a", "relu")
    assert run(passes.fuse_activations, b)[1] == []


# fold_scalings


@pytest.mark.parametrize("scale, offset", [(random(4), random(4)), (0.5, -2.0), (random(4), 0.0)])
def test_scaling_before_dense_is_folded(scale, offset):
    b = GraphBuilder((4,))
    b.scaling("scaler", scale, offset, source="StandardScaler")
    b.dense("hidden", random(3, 4), random(3), "sigmoid", source="Dense 'hidden'")
    graph, notes = run(passes.fold_scalings, b)
    assert kinds(graph) == ["dense"]
    assert notes == ["StandardScaler: folded into the weights of Dense 'hidden'"]


def test_scaling_before_dense_by_hand():
    # (2 x0 + 1, 4 x1 - 1) through weights (3, 5), bias 7: 3 (2 x0 + 1) + 5 (4 x1 - 1) + 7 = 6 x0 + 20 x1 + 5
    b = GraphBuilder((2,))
    b.scaling("scaler", [2, 4], [1, -1])
    b.dense("out", [[3, 5]], [7])
    (dense,) = passes.fold_scalings(b.build())[0].layers
    np.testing.assert_array_equal(dense.weights, [[6, 20]])
    np.testing.assert_array_equal(dense.bias, [5])


@pytest.mark.parametrize("scale, offset", [(random(3), random(3)), (0.5, -2.0)])
def test_scaling_after_linear_dense_is_folded(scale, offset):
    b = GraphBuilder((4,))
    b.dense("hidden", random(3, 4), random(3))
    b.scaling("bn", scale, offset)
    b.activation("relu", "relu")
    assert kinds(run(passes.fold_scalings, b)[0]) == ["dense", "activation"]


def test_scaling_between_activation_and_dense_goes_into_the_next_layer():
    b = GraphBuilder((4,))
    b.dense("hidden", random(3, 4), random(3), "relu")
    b.scaling("bn", random(3), random(3))
    b.dense("out", random(2, 3), random(2))
    graph, _ = run(passes.fold_scalings, b)
    assert kinds(graph) == ["dense", "dense"] and graph.layers[0].activation == "relu"


def test_scalings_are_merged():
    b = GraphBuilder((4,))
    b.scaling("a", random(4), random(4))
    b.scaling("b", 2.0, random(4))
    b.activation("relu", "relu")
    assert kinds(run(passes.fold_scalings, b)[0]) == ["scaling", "activation"]


@pytest.mark.parametrize("scale", [1 / 255, random(3)])
def test_scaling_of_an_image_before_flatten_is_folded(scale):
    b = GraphBuilder((2, 2, 3))
    b.scaling("rescale", scale, 0.5)
    b.reshape("flatten", (-1,))
    b.dense("out", random(2, 12), random(2))
    assert kinds(run(passes.fold_scalings, b)[0]) == ["reshape", "dense"]


def test_scaling_with_a_huge_offset_stays_for_the_sake_of_precision():
    # Years with mean 2000 and deviation 0.5: folded, 11 of float32's 24 bits would be lost.
    b = GraphBuilder((1,))
    b.scaling("scaler", 2.0, -4000.0)
    b.dense("out", [[1.0]])
    assert run(passes.fold_scalings, b)[1] == []


def test_scaling_that_float32_weights_cannot_hold_stays():
    b = GraphBuilder((1,))
    b.scaling("scaler", 1e30, 0.0)
    b.dense("out", [[1e20]])
    assert run(passes.fold_scalings, b)[1] == []


def test_scaling_of_the_output_after_an_activation_stays():
    b = GraphBuilder((4,))
    b.dense("out", random(3, 4), random(3), "sigmoid")
    b.scaling("units", 10.0, 1.0)
    assert run(passes.simplify, b)[1] == []


@pytest.mark.parametrize("flatten_first", [False, True])
def test_scaling_of_the_input_stays_if_told_so(flatten_first):
    b = GraphBuilder((4, 1))
    if flatten_first:
        b.reshape("flatten", (-1,))
    b.scaling("a", 2.0, 1.0)
    b.scaling("b", 3.0, 1.0)
    if not flatten_first:
        b.reshape("flatten", (-1,))
    b.dense("hidden", random(3, 4), random(3))
    b.scaling("bn", random(3), random(3))
    b.activation("relu", "relu")
    graph, _ = run(passes.simplify, b, fold_input_scaling=False)
    first_two = ["reshape", "scaling"] if flatten_first else ["scaling", "reshape"]
    assert kinds(graph) == [*first_two, "dense"]
    assert kinds(run(passes.simplify, b)[0]) == ["reshape", "dense"]


# spread_scalings


def residual(b: GraphBuilder, activation: str = "linear"):
    """Two dense layers of one input, and their sum."""
    b.dense("left", random(3, 4), random(3), at=b.first, source="Dense 'left'")
    left = b.last
    b.dense("right", random(3, 4), random(3), at=b.first, source="Dense 'right'")
    return left, b.add(Add, "sum", activation, inputs=[left, b.last])


def test_scaling_of_a_sum_goes_into_both_dense_layers():
    b = GraphBuilder((4,))
    residual(b)
    b.scaling("norm", random(3), random(3), source="BatchNormalization 'norm'")
    b.activation("relu", "relu")
    graph, notes = run(passes.simplify, b)
    assert kinds(graph) == ["dense", "dense", "add"] and graph.layers[2].activation == "relu"
    assert notes[0] == ("BatchNormalization 'norm': folded into the weights of Dense 'left', Dense 'right'")


def test_scaling_of_a_sum_by_hand():
    # ((2 x + 1) + (3 x + 4)) 10 + 7 = (20 x + 17) + (30 x + 40)
    b = GraphBuilder((1,))
    left = b.dense("left", [[2.0]], [1.0], at=b.first)
    right = b.dense("right", [[3.0]], [4.0], at=b.first)
    b.add(Add, "sum", inputs=[left, right])
    b.scaling("norm", 10.0, 7.0)
    graph, _ = run(passes.spread_scalings, b)
    assert [(layer.weights.item(), layer.bias.item()) for layer in graph.layers[:2]] == [(20, 17), (30, 40)]


def test_scaling_of_a_sum_of_three_goes_into_all():
    b = GraphBuilder((4,))
    _, two = residual(b)
    third = b.dense("third", random(3, 4), random(3), at=b.first)
    b.add(Add, "all", inputs=[third, two])
    b.scaling("norm", random(3), random(3))
    b.dense("out", random(2, 3))
    # the next layer could take it, too, and is asked first
    assert kinds(run(passes.fold_scalings, b)[0]).count("scaling") == 0
    assert kinds(run(passes.spread_scalings, b)[0]).count("scaling") == 0
    b.dense("second", random(2, 3), at=b.tensors[b.layers[-2].output])
    graph, _ = run(passes.spread_scalings, b)
    assert kinds(graph).count("scaling") == 0


def test_scaling_goes_into_all_dense_layers_that_read_it():
    b = GraphBuilder((4,))
    b.activation("tanh", "tanh")
    norm = b.scaling("norm", random(4), random(4), source="BatchNormalization 'norm'")
    one = b.dense("one", random(3, 4), random(3), "relu", at=norm)
    two = b.dense("two", random(3, 4), random(3), at=norm)
    b.add(Add, "sum", inputs=[one, two])
    graph, notes = run(passes.simplify, b)
    assert kinds(graph) == ["activation", "dense", "dense", "add"]
    assert notes == ["BatchNormalization 'norm': folded into the weights of one, two"]


@pytest.mark.parametrize("why", ["relu", "read elsewhere", "given out", "no dense layer", "twice the same"])
def test_scaling_of_a_sum_stays_where_another_needs_what_it_would_change(why):
    b = GraphBuilder((4,))
    left, total = residual(b, "relu" if why == "relu" else "linear")
    if why == "no dense layer":
        total = b.add(Add, "more", inputs=[total, b.activation("tanh", "tanh", at=left)])
    if why == "twice the same":
        total = b.add(Add, "twice", inputs=[total, total])
    norm = b.scaling("norm", random(3), random(3), at=total)
    outputs = [norm]
    if why == "read elsewhere":
        outputs.append(b.activation("tanh", "tanh", at=left))
    if why == "given out":
        outputs.append(total)
    before = b.build(outputs=outputs)
    after, notes = passes.spread_scalings(before)
    assert notes == [] and after.layers == before.layers


def test_scaling_stays_where_not_only_dense_layers_read_it():
    b = GraphBuilder((3,))
    b.activation("tanh", "tanh")
    norm = b.scaling("norm", random(3), random(3))
    b.add(Add, "sum", inputs=[norm, b.dense("dense", random(3, 3))])
    assert run(passes.simplify, b)[1] == []


# integer_scalings


def test_scaling_between_layers_becomes_a_dense_layer_with_its_activation():
    b = GraphBuilder((3,))
    dense = b.dense("dense", random(3, 3), random(3), "tanh")
    b.add(Add, "sum", inputs=[b.first, dense])
    scale, offset = random(3), random(3)
    b.scaling("norm", scale, offset, source="BatchNormalization 'norm'")
    b.activation("relu", "relu")
    graph, notes = run(passes.integer_scalings, b)
    assert kinds(graph) == ["dense", "add", "dense"]
    norm = graph.layers[2]
    assert norm.weights.tolist() == np.diag(np.float32(scale)).tolist()
    assert (norm.activation, norm.source) == ("relu", "BatchNormalization 'norm'")
    assert (
        notes[0]
        == "BatchNormalization 'norm': made a dense layer, as integers between layers have no scaling"
    )


def test_scaling_of_rows_becomes_a_depthwise_convolution():
    # each of 2 rows of 3 by the same 3 factors
    b = GraphBuilder((2, 3))
    b.activation("tanh", "tanh")
    b.scaling("norm", [1, 2, 3], [4, 5, 6])
    graph, notes = run(passes.integer_scalings, b)
    assert kinds(graph) == ["activation", "depthwise_conv"]
    assert graph.layers[1].weights.ravel().tolist() == [1, 2, 3]
    assert notes == ["norm: made a depthwise conv layer, as integers between layers have no scaling"]


@pytest.mark.parametrize("shape", [(2, 2, 3, 4), (800,)])
def test_what_is_no_image_becomes_rows_for_it(shape):
    # 800 factors are 800 weights, of a dense layer they would be 640,000
    b = GraphBuilder(shape)
    b.activation("tanh", "tanh")
    b.scaling("norm", random(shape[-1]), random(shape[-1]))
    graph, _ = run(passes.integer_scalings, b)
    assert kinds(graph) == ["activation", "reshape", "depthwise_conv", "reshape"]
    assert graph.layers[2].n_weights == shape[-1]


def test_others_that_read_a_scaled_input_get_it_rounded():
    b = GraphBuilder((3,))
    x = b.first
    norm = b.scaling("norm", random(3), random(3))
    total = b.add(Add, "sum", inputs=[x, norm])
    b.add(Add, "again", inputs=[total, x])
    graph, _ = run(passes.integer_scalings, b)
    assert kinds(graph) == ["scaling", "scaling", "add", "add"]
    assert graph.layers[2].inputs[0] == graph.layers[3].inputs[1] == graph.layers[1].output


def test_a_scaled_input_may_be_reshaped_first():
    b = GraphBuilder((2, 3))
    flat = b.reshape("flatten", (6,))
    b.add(Add, "sum", inputs=[flat, b.scaling("norm", random(6), random(6))])
    graph = b.build()
    assert passes.scaled_tensors(graph) == {graph.inputs[0], flat.name}
    assert kinds(run(passes.integer_scalings, b)[0]) == ["reshape", "scaling", "scaling", "add"]


def test_names_of_new_tensors_are_free():
    b = GraphBuilder()
    x, other = b.input("x", (3,)), b.input("x:rounded", (3,))
    norm = b.scaling("norm", random(3), random(3), at=x)
    b.add(Add, "sum", inputs=[x, b.add(Add, "others", inputs=[norm, other])])
    before = b.build()
    after, _ = passes.integer_scalings(before)
    samples = {"x": random(5, 3), "x:rounded": random(5, 3)}
    np.testing.assert_allclose(execute(after, samples), execute(before, samples), rtol=1e-6, atol=1e-6)


def test_what_integers_have_stays_as_it_is():
    b = GraphBuilder((3,))
    b.scaling("scaler", random(3), random(3))
    b.dense("dense", random(3, 3), random(3), "tanh")
    graph, notes = passes.integer_scalings(b.build())
    assert kinds(graph) == ["scaling", "dense"] and notes == []


# balance_inputs


def test_inputs_of_unlike_ranges_are_balanced_each_by_itself():
    b = GraphBuilder()
    x, y, z = b.input("x", (2,)), b.input("y", (2,)), b.input("z", (2,))
    parts = [b.dense(name, random(3, 2), random(3), at=at) for name, at in (("a", x), ("b", x), ("c", y))]
    total = b.add(Add, "sum", inputs=parts[:2])
    total = b.add(Add, "all", inputs=[total, parts[2]])
    b.dense("d", random(3, 2), at=z)
    b.add(Add, "last", inputs=[b.last, total])
    before = b.build()
    # x: 0 .. 1000 and 0 .. 1; y: -1 .. 1; z: 100 .. 102
    least, most = np.array([0, 0, -1, -1, 100, 100]), np.array([1000, 1, 1, 1, 102, 102])
    after = passes.balance_inputs(before, least, most)
    scalings = {layer.input: layer for layer in after.layers if layer.kind == "scaling"}
    assert list(scalings) == ["x", "z"]
    assert scalings["x"].scale.tolist() == [1 / 500, 2] and scalings["x"].offset.tolist() == [-1, -1]
    assert scalings["z"].scale.tolist() == [1, 1] and scalings["z"].offset.tolist() == [-101, -101]
    samples = least + np.random.default_rng(2).uniform(0, 1, (50, 6)) * (most - least)
    expected = execute(before, samples)
    np.testing.assert_allclose(execute(after, samples), expected, rtol=0, atol=1e-5 * np.abs(expected).max())


def test_inputs_that_others_than_dense_layers_read_are_not_balanced():
    b = GraphBuilder((2,))
    b.add(Add, "sum", inputs=[b.first, b.dense("dense", random(2, 2))])
    assert passes.balance_inputs(b.build(), np.array([0, 0]), np.array([1000, 1])) is None


# merge_dense


def test_linear_dense_is_multiplied_into_the_next_where_that_is_smaller():
    b = GraphBuilder((6,))
    b.dense("pca", random(5, 6), random(5), source="PCA")
    b.dense("hidden", random(3, 5), random(3), "relu")
    graph, notes = run(passes.merge_dense, b)
    (dense,) = graph.layers
    assert dense.weights.shape == (3, 6) and dense.activation == "relu"
    assert notes == ["PCA, hidden: multiplied into one dense layer"]


def test_bottleneck_stays():
    # 6 -> 1 -> 6 has 12 weights, multiplied it would have 36
    b = GraphBuilder((6,))
    b.dense("encode", random(1, 6), random(1))
    b.dense("decode", random(6, 1), random(6))
    assert run(passes.merge_dense, b)[1] == []


def test_dense_with_an_activation_is_not_multiplied():
    b = GraphBuilder((6,))
    b.dense("a", random(5, 6), random(5), "relu")
    b.dense("b", random(3, 5), random(3))
    assert run(passes.merge_dense, b)[1] == []


# All together


def test_simplify_a_typical_network():
    b = GraphBuilder((4, 2))
    b.scaling("normalization", random(2), random(2))
    b.reshape("a", (2, 4))
    b.reshape("flatten", (-1,))
    b.dense("hidden", random(6, 8), random(6))
    b.scaling("bn", random(6), random(6))
    b.activation("relu", "relu")
    b.activation("dropout", "linear")
    b.dense("out", random(3, 6), random(3))
    b.activation("softmax", "softmax")
    graph, notes = run(passes.simplify, b)
    assert kinds(graph) == ["reshape", "dense", "dense"]
    assert [layer.activation for layer in graph.layers[1:]] == ["relu", "softmax"]
    assert all(
        layer.weights.dtype == np.float32 and layer.bias.dtype == np.float32 for layer in graph.layers[1:]
    )
    assert len(notes) == 7
    assert passes.simplify(graph)[1] == []


def test_simplify_random_chains(monkeypatch):
    # Without the last rounding to float32: outputs may be small differences, and mistakes could hide in it.
    monkeypatch.setattr(passes, "rounded", lambda graph: graph)
    for _ in range(100):
        b = GraphBuilder((2, 3))
        for index in range(RANDOM.integers(1, 9)):
            kind = RANDOM.integers(5)
            shape = b.last.shape
            if kind == 0:
                b.scaling(f"s{index}", random(shape[-1]), random(shape[-1]))
            elif kind == 1:
                b.reshape(f"r{index}", (-1,) if RANDOM.integers(2) else shape[::-1])
            elif kind == 2:
                b.activation(f"a{index}", ("linear", "relu", "tanh")[RANDOM.integers(3)])
            else:
                b.reshape(f"f{index}", (-1,))
                n_out = RANDOM.integers(1, 8)
                b.dense(f"d{index}", random(n_out, b.last.size), random(n_out), ("linear", "relu")[kind - 3])
        run(passes.simplify, b, tolerance=1e-11)


def test_quantized_layers_are_left_alone_but_reshapes_are_merged():
    q = Quantization(0.5, 3)
    tensors = [Tensor(name, (4,), "int8", q) for name in ("in", "flat", "dense", "out")] + [
        Tensor("mid", (2, 2), "int8", q)
    ]
    weights, bias = np.eye(4, dtype=np.int8), np.ones(4, np.int32)
    layers = [
        Reshape("a", "in", "mid"),
        Reshape("b", "mid", "flat"),
        Dense("first", "flat", "dense", weights, bias, weights_quantization=q),
        Activation("relu", "dense", "out", "relu"),
    ]
    graph = Graph(["in"], ["out"], layers, {tensor.name: tensor for tensor in tensors}).check()
    simple, notes = passes.simplify(graph)
    assert kinds(simple) == ["dense", "activation"]
    assert simple.layers[0].weights is weights and simple.layers[0].bias is bias
    assert len(notes) == 2


def test_tensor_read_twice_or_given_out_is_not_touched():
    # in -> dense -> relu, and the dense layer's own output is an output, too: fusing would take it away.
    b = GraphBuilder((3,))
    hidden = b.dense("hidden", random(2, 3), random(2)).name
    b.activation("relu", "relu")
    graph = b.build()
    graph.outputs.append(hidden)
    assert passes.simplify(graph)[1] == []
    graph.outputs.remove(hidden)
    graph.layers.append(Activation("tanh", hidden, "second", "tanh"))
    graph.tensors["second"] = Tensor("second", (2,))
    graph.outputs.append("second")
    assert passes.simplify(graph)[1] == []
