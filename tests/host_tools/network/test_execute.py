"""The numpy forward pass: activations against their definitions in Python's math, layers against arithmetic by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from anne_tools.errors import ModelError
from anne_tools.layers import Activation, Add, Dense
from anne_tools.layers.build import GraphBuilder
from anne_tools.network.activations import ACTIVATIONS, activate
from anne_tools.network.execute import execute
from anne_tools.network.graph import Graph
from anne_tools.network.layer import Layer
from anne_tools.network.tensor import Quantization, Tensor

ALPHA = 0.3
# Each activation for one number, straight from its definition.
DEFINITIONS = {
    "linear": lambda x: x,
    "relu": lambda x: max(x, 0),
    "relu6": lambda x: min(max(x, 0), 6),
    "leaky_relu": lambda x: x if x >= 0 else ALPHA * x,
    "elu": lambda x: x if x >= 0 else ALPHA * (math.exp(x) - 1),
    "sigmoid": lambda x: 1 / (1 + math.exp(-x)),
    "hard_sigmoid": lambda x: min(max(x / 6 + 0.5, 0), 1),
    "tanh": math.tanh,
    "softplus": lambda x: math.log(1 + math.exp(x)),
    "swish": lambda x: x / (1 + math.exp(-x)),
    "hard_swish": lambda x: x * min(max(x + 3, 0), 6) / 6,
    "gelu": lambda x: x * 0.5 * (1 + math.erf(x / math.sqrt(2))),
    "exp": math.exp,
    "log": lambda x: math.log(x) if x > 0 else math.nan if x < 0 else -math.inf,
    "sqrt": lambda x: math.sqrt(x) if x >= 0 else math.nan,
    "rsqrt": lambda x: 1 / math.sqrt(x) if x > 0 else math.nan if x < 0 else math.inf,
    "abs": abs,
    "negative": lambda x: -x,
    "square": lambda x: x**2,
}
# Not finite outside of their domains, or of large arguments.
NOT_ALWAYS_FINITE = ("exp", "log", "sqrt", "rsqrt")
POINTS = np.array([-20, -3.5, -3, -1, -0.1, 0, 0.1, 1, 2.9, 3, 5.9, 6, 6.1, 20])


def test_every_activation_of_the_graph_is_defined():
    assert set(ACTIVATIONS) == {*DEFINITIONS, "softmax", "log_softmax"}


@pytest.mark.parametrize("activation", DEFINITIONS)
def test_activation_by_definition(activation):
    expected = [DEFINITIONS[activation](x) for x in POINTS]
    np.testing.assert_allclose(activate(activation, POINTS, ALPHA), expected, rtol=1e-7, atol=1e-15)


@pytest.mark.parametrize("activation", DEFINITIONS)
def test_activation_in_float32_stays_float32_and_close(activation):
    got = activate(activation, POINTS.astype(np.float32), ALPHA)
    expected = [DEFINITIONS[activation](x) for x in POINTS]
    assert got.dtype == np.float32
    np.testing.assert_allclose(got, expected, rtol=1e-5, atol=2e-6)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_large_arguments_neither_overflow_nor_warn(activation, dtype):
    x = np.array([[-1e4, -100, 0, 100, 1e4]], dtype)
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        got = activate(activation, x, ALPHA)
    assert activation in NOT_ALWAYS_FINITE or np.all(np.isfinite(got))


def test_what_is_not_finite_is_as_in_numpy():
    x = np.array([-np.inf, -1, -1e-40, -0.0, 0, 1e-40, np.inf, np.nan], np.float32)
    inf, nan = np.inf, np.nan
    expected = {
        "exp": [0, np.exp(np.float32(-1)), 1, 1, 1, 1, inf, nan],
        # 1e-40, which is denormal, counts as 0
        "log": [nan, nan, -inf, -inf, -inf, -inf, inf, nan],
        "sqrt": [nan, nan, -0.0, -0.0, 0, 0, inf, nan],
        "rsqrt": [nan, nan, -inf, -inf, inf, inf, 0, nan],
    }
    for name, values in expected.items():
        np.testing.assert_array_equal(activate(name, x), np.array(values, np.float32), name)
        np.testing.assert_array_equal(np.signbit(activate(name, x[2:7])), np.signbit(values[2:7]), name)
    assert activate("exp", np.array([89], np.float32)) == inf


def test_softmax_over_the_last_axis():
    x = np.log([[[1.0, 3.0], [2.0, 2.0]]])  # exp gives 1, 3 and 2, 2
    np.testing.assert_allclose(activate("softmax", x), [[[0.25, 0.75], [0.5, 0.5]]])
    np.testing.assert_allclose(activate("softmax", np.array([[1000.0, 1000.0]])), [[0.5, 0.5]])


@pytest.mark.parametrize("activation", [name for name in ACTIVATIONS if name != "linear"])
def test_activation_against_torch(activation):
    torch = pytest.importorskip("torch")
    functions = {
        "leaky_relu": lambda x: torch.nn.functional.leaky_relu(x, ALPHA),
        "elu": lambda x: torch.nn.functional.elu(x, ALPHA),
        "sigmoid": torch.sigmoid,
        "hard_sigmoid": torch.nn.functional.hardsigmoid,
        "tanh": torch.tanh,
        "softplus": lambda x: torch.nn.functional.softplus(x, threshold=1000),
        "swish": torch.nn.functional.silu,
        "hard_swish": torch.nn.functional.hardswish,
        "softmax": lambda x: torch.softmax(x, -1),
        "log_softmax": lambda x: torch.log_softmax(x, -1),
        **{
            name: getattr(torch, name)
            for name in ("exp", "log", "sqrt", "rsqrt", "abs", "negative", "square")
        },
    }
    function = functions.get(activation) or getattr(torch.nn.functional, activation)
    x = np.random.default_rng(1).normal(0, 4, (20, 30))
    np.testing.assert_allclose(
        activate(activation, x, ALPHA), function(torch.tensor(x)).numpy(), rtol=1e-12, atol=1e-15
    )


def test_unknown_activation():
    with pytest.raises(ModelError, match="^unknown activation 'softmin'; known: linear, relu,"):
        activate("softmin", POINTS)


def small_graph() -> Graph:
    """(2, 2) -> * (1, 10) + 1 -> flatten -> two neurons, relu -> softplus."""
    b = GraphBuilder((2, 2))
    b.scaling("scale", [1, 10], 1.0)
    b.reshape("flatten", (-1,))
    b.dense("dense", [[1, 0, 0, 0.5], [0, -1, 0, 0]], [0, 5], "relu")
    b.activation("last", "softplus")
    return b.build()


def test_layers_by_hand():
    # [[1, 2], [3, 4]] -> [[2, 21], [4, 41]]: 2 + 20.5 = 22.5; -21 + 5 -> 0
    output, tensors = execute(small_graph(), [[[1, 2], [3, 4]]], trace=True)
    scale, flatten, dense, last = (tensors[layer.output] for layer in small_graph().layers)
    np.testing.assert_array_equal(tensors["input"], [[[1, 2], [3, 4]]])
    np.testing.assert_array_equal(scale, [[[2, 21], [4, 41]]])
    np.testing.assert_array_equal(flatten, [[2, 21, 4, 41]])
    np.testing.assert_array_equal(dense, [[22.5, 0]])
    np.testing.assert_allclose(last, [[math.log(1 + math.exp(22.5)), math.log(2)]])
    np.testing.assert_array_equal(output, last)


def test_many_samples_are_computed_as_one_by_one():
    x = np.random.default_rng(1).normal(size=(7, 2, 2))
    graph = small_graph()
    np.testing.assert_allclose(execute(graph, x), np.concatenate([execute(graph, [sample]) for sample in x]))
    assert execute(graph, np.zeros((0, 2, 2))).shape == (0, 2)


def test_arithmetic_is_in_the_type_asked_for():
    assert execute(small_graph(), np.ones((1, 2, 2))).dtype == np.float64
    output, tensors = execute(small_graph(), np.ones((1, 2, 2)), trace=True, dtype=np.float32)
    assert {array.dtype for array in tensors.values()} == {
        np.dtype(np.float32)
    } and output.dtype == np.float32


@pytest.mark.parametrize("shape", [(2, 2), (1, 4), (1, 2, 3), (1, 1, 2, 2), ()])
def test_input_of_another_shape(shape):
    with pytest.raises(ModelError, match=r"^input input: expected shape \(n_samples, 2, 2\), got \("):
        execute(small_graph(), np.zeros(shape))


def test_integer_weights_count_as_the_real_numbers_they_stand_for():
    # weights 0.5 * (2, 4) and 0.25 * (-4, 8); bias in steps of 0.1 * 0.5 and 0.1 * 0.25: 20 -> 1, 80 -> 2
    per_row = Quantization([0.5, 0.25])
    layer = Dense(
        "dense",
        "in",
        "out",
        np.array([[2, 4], [-4, 8]], np.int8),
        np.array([20, 80], np.int32),
        weights_quantization=per_row,
    )
    tensors = {
        "in": Tensor("in", (2,), "int8", Quantization(0.1)),
        "out": Tensor("out", (2,), "int8", Quantization(1)),
    }
    weights, bias = layer.real_weights(tensors["in"].quantization)
    np.testing.assert_array_equal(weights, [[1, 2], [-1, 2]])
    np.testing.assert_allclose(bias, [1, 2])
    np.testing.assert_allclose(execute(Graph(["in"], ["out"], [layer], tensors), [[3, 5]]), [[14, 9]])
    with pytest.raises(ModelError, match="dense: integer bias, but the input 'in' has no quantization"):
        layer.real_weights(None)


def test_integer_weights_with_a_float_bias():
    layer = Dense(
        "d", "in", "out", np.array([[4]], np.int8), np.array([0.5]), weights_quantization=Quantization(0.5)
    )
    weights, bias = layer.real_weights(None)
    assert weights.tolist() == [[2.0]] and bias.tolist() == [0.5]


def test_several_inputs_and_outputs():
    tensors = {name: Tensor(name, (1,)) for name in ("a", "b", "relu", "tanh")}
    layers = [Activation("x", "a", "relu", "relu"), Activation("y", "b", "tanh", "tanh")]
    graph = Graph(["a", "b"], ["relu", "tanh"], layers, tensors).check()
    both, every = execute(graph, {"a": [[-1]], "b": [[1]]}, trace=True)
    assert both.tolist() == [[0, math.tanh(1)]] and every["tanh"].tolist() == [[math.tanh(1)]]
    assert execute(graph, [[[-1]], [[1]]]).tolist() == both.tolist()  # a list, in the inputs' order
    assert execute(graph, np.array([[-1, 1]])).tolist() == both.tolist()  # joined
    assert [part.tolist() for part in graph.split_outputs(both)] == [[[0]], [[math.tanh(1)]]]


def test_every_input_is_needed():
    tensors = {name: Tensor(name, (1,)) for name in ("a", "b", "y")}
    graph = Graph(["a", "b"], ["y"], [Add("sum", ("a", "b"), "y")], tensors).check()
    assert execute(graph, {"a": [[3]], "b": [[4]]}).tolist() == [[7]]
    graph.metadata.input_names = ["left", "right"]
    with pytest.raises(ModelError, match="^execute: expected inputs left, right; right missing$"):
        execute(graph, {"left": [[1]]})
    with pytest.raises(ModelError, match="^execute: expected inputs left, right; got middle$"):
        execute(graph, {"left": [[1]], "right": [[1]], "middle": [[1]]})
    with pytest.raises(ModelError, match="^execute: expected inputs left, right; right missing, got rigth$"):
        execute(graph, {"left": [[1]], "rigth": [[1]]})
    for strange, got in ((None, "NoneType"), (5, "int"), ((x for x in [1, 2]), "generator"), ("ab", "str")):
        with pytest.raises(
            ModelError, match=f"^execute: expected a list or mapping of inputs left, right; got {got}$"
        ):
            execute(graph, strange)
    with pytest.raises(ModelError, match=r"or an array of all, joined \(n_samples, 2\); got shape \(2, 1\)$"):
        execute(graph, np.ones((2, 1)))
    with pytest.raises(ModelError, match=r"^execute: expected 2 inputs \(left, right\), got 1$"):
        execute(graph, [[1]])
    with pytest.raises(ModelError, match=r"^input right: expected shape \(n_samples, 1\), got \(1, 2\)$"):
        execute(graph, {"left": [[1]], "right": [[1, 2]]})


def test_a_kind_of_layer_must_say_what_it_means():
    with pytest.raises(TypeError, match="abstract"):
        Layer("odd", "a", "b")
