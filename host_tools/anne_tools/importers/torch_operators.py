"""What each operator of an exported program does to the flow: one method an operator, named in OPERATORS."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from ..errors import ModelError
from . import torch_images, torch_moves
from .flow import Key, Step
from .torch_calls import Call
from .torch_files import Ref
from .torch_modules import with_norm
from .torch_moves import MoveOperators

ACTIVATIONS = {
    "relu": "relu",
    "relu6": "relu6",
    "sigmoid": "sigmoid",
    "tanh": "tanh",
    "silu": "swish",
    "hardswish": "hard_swish",
    "hardsigmoid": "hard_sigmoid",
}
UNARY = {
    **{name: name for name in ("exp", "log", "sqrt", "rsqrt", "abs", "square")},
    "neg": "negative",
}
ARITHMETIC = {"add": "+", "sub": "-", "rsub": "-", "mul": "*", "div": "/"}
NO_EFFECT = (
    "alias",
    "clone",
    "contiguous",
    "detach",
    "dropout",
    "feature_dropout",
    "alpha_dropout",
    "identity",
    "lift_fresh_copy",
)


class Operators(MoveOperators):
    """The operators that are supported; they read and write the values of `flow`."""

    def linear(self, step: Step, call: Call) -> None:
        """input @ weight.T + bias."""
        bias = call.constant("bias") if call.get("bias") is not None else None
        self.flow.dense(step, call.key("input"), call.constant("weight"), bias)

    def matmul(self, step: Step, call: Call) -> None:
        """self @ other, mm: a value and a constant."""
        weights = call.constant("other" if call.get("other") is not None else "mat2")
        self.flow.dense(step, call.key("self"), weights.T, None)

    def addmm(self, step: Step, call: Call) -> None:
        """self + mat1 @ mat2, where only mat1 is computed."""
        if call.get("alpha", 1) != 1 or call.get("beta", 1) != 1:
            raise ModelError(f"{step.where}: alpha and beta other than 1 are not supported")
        self.flow.dense(step, call.key("mat1"), call.constant("mat2").T, call.constant("self"))

    def activation(self, step: Step, call: Call) -> None:
        """An activation without parameters."""
        self.flow.activation(step, call.key("self"), ACTIVATIONS[step.op])

    def leaky_relu(self, step: Step, call: Call) -> None:
        """leaky_relu with its slope."""
        self.flow.activation(step, call.key("self"), "leaky_relu", call.number("negative_slope", 0.01))

    def prelu(self, step: Step, call: Call) -> None:
        """prelu with one slope for all, or one for each channel."""
        slope, rank = call.constant("weight"), len(call.shape("self"))
        if slope.size > 1:
            slope = slope.reshape(-1, *[1] * max(0, rank - 2))
        self.flow.prelu(step, call.key("self"), slope)

    def elu(self, step: Step, call: Call) -> None:
        """elu with alpha; its other scales must be 1."""
        if call.number("scale", 1) != 1 or call.number("input_scale", 1) != 1:
            raise ModelError(f"{step.where}: scales other than 1 are not supported")
        self.flow.activation(step, call.key("self"), "elu", call.number("alpha", 1.0))

    def gelu(self, step: Step, call: Call) -> None:
        """gelu; its approximation by tanh is read as the exact form."""
        if call.get("approximate", "none") != "none":
            self.flow.notes.append("gelu: the tanh approximation became the exact form (at most 0.0005 off)")
        self.flow.activation(step, call.key("self"), "gelu")

    def softplus(self, step: Step, call: Call) -> None:
        """softplus with beta 1; beyond the threshold PyTorch gives x, which is the same in float32."""
        if call.number("beta", 1) != 1 or call.number("threshold", 20) < 15:
            raise ModelError(f"{step.where}: expected beta 1 and a threshold of 20")
        self.flow.activation(step, call.key("self"), "softplus")

    def clamp(self, step: Step, call: Call) -> None:
        """clamp, hardtanh: 0 to 6 is relu6, 0 to infinity relu."""
        default = (-1.0, 1.0) if step.op == "hardtanh" else (-math.inf, math.inf)
        names = ("min_val", "max_val") if step.op == "hardtanh" else ("min", "max")
        low, high = (call.number(name, value) for name, value in zip(names, default, strict=True))
        if not low <= high:
            raise ModelError(f"{step.where} to {low:g} ... {high:g} is not supported")
        self.flow.clip(step, call.key("self"), low, high)

    def extreme(self, step: Step, call: Call) -> None:
        """maximum, minimum of two values, or of one and a constant number."""
        keys = [self._operand(step, call, name) for name in ("self", "other")]
        self.flow.extreme(step, step.op in ("maximum", "max"), keys)

    def most(self, step: Step, call: Call) -> None:
        """max, min: of all elements, of an axis with the places of what was found, or with a constant."""
        if call.get("other") is not None:
            return self.extreme(step, call)
        rank, operation = len(call.shape("self")), step.op
        if call.get("dim") is None:
            return self.flow.reduce(step, call.key("self"), operation, range(rank), False)
        axis, keepdims = call.axis("dim", 0, rank), bool(call.get("keepdim", False))
        values, places = (replace(step, output=(step.output, index)) for index in range(2))
        self.flow.reduce(values, call.key("self"), operation, [axis], keepdims)
        if operation == "max" and call.is_read(1):
            self.flow.arg_max(places, call.key("self"), axis, keepdims)
        return None

    def unary(self, step: Step, call: Call) -> None:
        """exp, log, sqrt, rsqrt, neg, abs, square."""
        self.flow.unary(step, call.key("self"), UNARY[step.op])

    def power(self, step: Step, call: Call) -> None:
        """pow with 2, 1, 1/2 or -1/2."""
        names = {2.0: "square", 0.5: "sqrt", -0.5: "rsqrt"}
        number = call.number("exponent", None)
        if number == 1:
            return self.flow.same(step, call.key("self"))
        if number not in names:
            raise ModelError(f"{step.where}: supported are the exponents 2, 1, 0.5 and -0.5, got {number:g}")
        return self.flow.unary(step, call.key("self"), names[number])

    def item(self, step: Step, call: Call) -> None:
        """One of several values that a call has made."""
        self.flow.same(step, (call.key("self"), call.integer("index", 0)))

    def softmax(self, step: Step, call: Call) -> None:
        """softmax, log_softmax along `dim`."""
        name = "log_softmax" if "log" in step.op else "softmax"
        self.flow.softmax(step, call.key("self"), call.integer("dim", -1), name)

    def arithmetic(self, step: Step, call: Call) -> None:
        """add, sub, mul, div of a value, and a number, a constant or another value; alpha times what is added."""
        if call.get("rounding_mode") is not None:
            raise ModelError(f"{step.where} with rounding is not supported")
        left, right = (self._operand(step, call, name) for name in ("self", "other"))
        if step.op == "rsub":
            left, right = right, left
        if call.get("alpha", 1) != 1:
            scaled = replace(step, output=(step.output, "scaled"))
            self.flow.arithmetic(scaled, "*", right, self._operand(step, call, "alpha"))
            right = scaled.output
        self.flow.arithmetic(step, ARITHMETIC[step.op], left, right)

    def _operand(self, step: Step, call: Call, name: str) -> Key:
        value = call.get(name)
        if isinstance(value, Ref):
            return value.name
        key = step.output, name
        self.flow.constants[key] = np.array(call.number(name, None))
        return key

    def same(self, step: Step, call: Call) -> None:
        """No effect when the network is used rather than trained."""
        if call.get("train", False):
            raise ModelError(f"{step.where} is in training mode; call model.eval() before the export")
        self.flow.same(step, call.first())

    def reshape(self, step: Step, call: Call) -> None:
        """view, reshape."""
        self.flow.reshape(
            step, call.key("self"), call.integers("size" if call.get("size") is not None else "shape")
        )

    def flatten(self, step: Step, call: Call) -> None:
        """Axes from start_dim to end_dim become one."""
        shape = call.shape("self")
        start, end = call.axis("start_dim", 0, len(shape)), call.axis("end_dim", -1, len(shape))
        self.flow.reshape(
            step, call.key("self"), shape[:start] + (math.prod(shape[start : end + 1]),) + shape[end + 1 :]
        )

    def unflatten(self, step: Step, call: Call) -> None:
        """One axis becomes several."""
        shape, sizes = call.shape("self"), call.integers("sizes")
        axis = call.axis("dim", 0, len(shape))
        self.flow.reshape(step, call.key("self"), [*shape[:axis], *sizes, *shape[axis + 1 :]])

    def expand(self, step: Step, call: Call) -> None:
        """expand, expand_as: rows and columns of an image from one of each."""
        shape = call.shape("self")
        wanted = call.shape("other") if step.op == "expand_as" else call.integers("size")
        wanted = tuple(n if w == -1 else w for n, w in zip(shape, wanted, strict=False))
        self.flow.spread(step, call.key("self"), wanted)

    def weight_norm(self, step: Step, call: Call) -> None:
        """The weights of a layer with weight_norm: constants."""
        size, direction = call.constant("g"), call.constant("v")
        self.flow.constants[step.output] = with_norm(step.where, size, direction)

    def squeeze(self, step: Step, call: Call) -> None:
        """Axes of 1 go, but for the batch axis unless it is named."""
        shape = call.shape("self")
        dims = call.get("dim")
        if dims is None:
            axes = [i for i in range(1, len(shape)) if shape[i] == 1]
        else:
            dims = dims if isinstance(dims, list) else [dims]
            axes = [d + len(shape) if isinstance(d, int) and d < 0 else d for d in dims]
        kept = [d for i, d in enumerate(shape) if i not in axes or d != 1]
        self.flow.reshape(step, call.key("self"), kept or [1])

    def unsqueeze(self, step: Step, call: Call) -> None:
        """A new axis of 1."""
        shape = list(call.shape("self"))
        shape.insert(call.axis("dim", 0, len(shape) + 1), 1)
        self.flow.reshape(step, call.key("self"), shape)

    def permute(self, step: Step, call: Call) -> None:
        """permute, transpose, t."""
        rank = len(call.shape("self"))
        order = list(range(rank))
        if step.op == "permute":
            order = [d + rank if d < 0 else d for d in call.integers("dims")]
        elif rank > 1:
            a, b = (
                (call.axis("dim0", 0, rank), call.axis("dim1", 1, rank)) if step.op == "transpose" else (0, 1)
            )
            order[a], order[b] = order[b], order[a]
        self.flow.transpose(step, call.key("self"), order)

    def size(self, step: Step, call: Call) -> None:
        """One size of a value, for a batch of 1."""
        shape = call.shape("self")
        self.flow.constants[step.output] = np.array(shape[call.axis("dim", 0, len(shape))])


OPERATORS: dict[str, Callable[[Operators, Step, Call], None]] = {
    **torch_images.OPERATORS,
    **torch_moves.OPERATORS,
    "linear": Operators.linear,
    "matmul": Operators.matmul,
    "mm": Operators.matmul,
    "addmm": Operators.addmm,
    "leaky_relu": Operators.leaky_relu,
    "prelu": Operators.prelu,
    "elu": Operators.elu,
    "gelu": Operators.gelu,
    "softplus": Operators.softplus,
    "clamp": Operators.clamp,
    "clamp_min": Operators.clamp,
    "hardtanh": Operators.clamp,
    "softmax": Operators.softmax,
    "_softmax": Operators.softmax,
    "log_softmax": Operators.softmax,
    "_log_softmax": Operators.softmax,
    "view": Operators.reshape,
    "_unsafe_view": Operators.reshape,
    "reshape": Operators.reshape,
    "flatten": Operators.flatten,
    "squeeze": Operators.squeeze,
    "unsqueeze": Operators.unsqueeze,
    "permute": Operators.permute,
    "transpose": Operators.permute,
    "t": Operators.permute,
    "unflatten": Operators.unflatten,
    "expand": Operators.expand,
    "expand_as": Operators.expand,
    "_weight_norm": Operators.weight_norm,
    "sym_size": Operators.size,
    "maximum": Operators.extreme,
    "minimum": Operators.extreme,
    "max": Operators.most,
    "min": Operators.most,
    "pow": Operators.power,
    "getitem": Operators.item,
    **dict.fromkeys(UNARY, Operators.unary),
    **dict.fromkeys(ACTIVATIONS, Operators.activation),
    **dict.fromkeys(ARITHMETIC, Operators.arithmetic),
    **dict.fromkeys(NO_EFFECT, Operators.same),
}
