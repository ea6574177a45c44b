"""Operators in Keras's functional models: keras.ops of Keras 3, functions of TensorFlow in Keras 2.

In files they are layers of their own kind, whose arguments stand in the call; `keras_model` names them ops.Mean and
tf.math.reduce_mean.
"""

from __future__ import annotations

from collections.abc import Callable

from ..layers.build import GraphBuilder
from .keras_activations import FUNCTIONS, limit, softmax
from .keras_arithmetic import binary, clip, negative, power
from .keras_moves import (
    concatenate,
    expand_dims,
    get_item,
    pad_operator,
    reshape_operator,
    split,
    squeeze,
    transpose_operator,
)
from .keras_pools import arg_max
from .keras_pools import operator as reducing
from .keras_step import Step

Importer = Callable[[GraphBuilder, Step], None]


def unary(activation: str) -> Importer:
    """Return the importer of a function of one value."""

    def run(b: GraphBuilder, step: Step) -> None:
        function = FUNCTIONS.get(activation)
        if function is None or not function.limits:
            b.activation(step.name, activation, source=step.source)
        else:
            limit(b, step, function)

    return run


def softmax_operator(activation: str) -> Importer:
    def run(b: GraphBuilder, step: Step) -> None:
        softmax(b, step, step.argument(1, "axis", default=-1), activation)

    return run


def with_slope(activation: str, default: float) -> Importer:
    """Return the importer of leaky_relu or elu, which have a number."""

    def run(b: GraphBuilder, step: Step) -> None:
        alpha = step.argument(1, "negative_slope", "alpha", default=default)
        if not isinstance(alpha, (int, float)):
            step.refuse(f"expected a number for alpha, got {str(alpha)[:80]}")
        b.activation(step.name, activation, float(alpha), source=step.source)

    return run


def gelu(b: GraphBuilder, step: Step) -> None:
    if step.argument(1, "approximate", default=True):
        step.refuse("gelu by tanh (approximate=True) is not supported; use approximate=False")
    b.activation(step.name, "gelu", source=step.source)


def nothing(b: GraphBuilder, step: Step) -> None:
    b.activation(step.name, "linear", source=step.source)


_UNARY = {
    "Absolute": "abs",
    "Abs": "abs",
    "Exp": "exp",
    "HardSigmoid": "hard_sigmoid",
    "HardSilu": "hard_swish",
    "HardTanh": "hard_tanh",
    "Log": "log",
    "Relu": "relu",
    "Relu6": "relu6",
    "Rsqrt": "rsqrt",
    "Sigmoid": "sigmoid",
    "Silu": "swish",
    "Softplus": "softplus",
    "Sqrt": "sqrt",
    "Square": "square",
    "Tanh": "tanh",
}
_KERAS_OPS: dict[str, Importer] = {
    **{name: unary(activation) for name, activation in _UNARY.items()},
    "Add": binary("add"),
    "Argmax": arg_max,
    "Clip": clip,
    "Concatenate": concatenate,
    "Divide": binary("divide"),
    "Elu": with_slope("elu", 1.0),
    "ExpandDims": expand_dims,
    "Gelu": gelu,
    "GetItem": get_item,
    "LeakyRelu": with_slope("leaky_relu", 0.2),
    "LogSoftmax": softmax_operator("log_softmax"),
    "Max": reducing("max"),
    "Maximum": binary("maximum"),
    "Mean": reducing("mean"),
    "Min": reducing("min"),
    "Minimum": binary("minimum"),
    "Multiply": binary("multiply"),
    "Negative": negative,
    "Pad": pad_operator,
    "Power": power,
    "Reshape": reshape_operator,
    "Softmax": softmax_operator("softmax"),
    "Split": split,
    "Squeeze": squeeze,
    "Subtract": binary("subtract"),
    "Sum": reducing("sum"),
    "Transpose": transpose_operator,
    "TrueDivide": binary("divide"),
}
_TENSORFLOW: dict[str, Importer] = {
    **{f"math.{name}": unary(name) for name in ("abs", "exp", "log", "rsqrt", "sqrt", "square")},
    **{
        f"{where}.{name}": unary(name) for where in ("math", "nn") for name in ("sigmoid", "tanh", "softplus")
    },
    "__operators__.add": binary("add"),
    "__operators__.getitem": get_item,
    "clip_by_value": clip,
    "compat.v1.pad": pad_operator,
    "compat.v1.squeeze": squeeze,
    "compat.v1.transpose": transpose_operator,
    "concat": concatenate,
    "expand_dims": expand_dims,
    "identity": nothing,
    "math.add": binary("add"),
    "math.divide": binary("divide"),
    "math.maximum": binary("maximum"),
    "math.minimum": binary("minimum"),
    "math.multiply": binary("multiply"),
    "math.negative": negative,
    "math.pow": power,
    "math.reduce_max": reducing("max"),
    "math.reduce_mean": reducing("mean"),
    "math.reduce_min": reducing("min"),
    "math.reduce_sum": reducing("sum"),
    "math.subtract": binary("subtract"),
    "math.truediv": binary("divide"),
    "nn.elu": with_slope("elu", 1.0),
    "nn.leaky_relu": with_slope("leaky_relu", 0.2),
    "nn.log_softmax": softmax_operator("log_softmax"),
    "nn.relu": unary("relu"),
    "nn.relu6": unary("relu6"),
    "nn.silu": unary("swish"),
    "nn.softmax": softmax_operator("softmax"),
    "nn.swish": unary("swish"),
    "pad": pad_operator,
    "reshape": reshape_operator,
    "squeeze": squeeze,
    "transpose": transpose_operator,
}
OPERATORS = {f"ops.{name}": run for name, run in _KERAS_OPS.items()}
OPERATORS |= {f"tf.{name}": run for name, run in _TENSORFLOW.items()}
