"""What operators between integers of a QDQ file are: int8 layers, each with the scale of the QuantizeLinear behind it.

`onnx_qdq` decides what is read so; what has no int8 form here says so by NotInt8Error, and is computed in floats.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..errors import ModelError
from ..layers import Prelu, room
from ..layers.tables import FIXED_OUTPUT
from ..layers.windows import Window
from ..network.tensor import Quantization, value_quantization
from .flow import Step
from .onnx_moves import REDUCTIONS
from .onnx_operators import ACTIVATIONS, OPERATORS, UNARY, WITH_ALPHA, Operators
from .onnx_shapes import Node

MAX_BIAS = 1 << 28
TWO = {"Add": "add", "Sum": "add", "Sub": "subtract", "Mul": "multiply"}
# Operators that move or pick int8 values.
MOVES = ("MaxPool", "Slice", "Split", "Gather")
# Operators that compute with int8 values alone.
OF_VALUES = (
    "Add",
    "Sum",
    "Sub",
    "Mul",
    "Concat",
    "AveragePool",
    "GlobalAveragePool",
    "GlobalMaxPool",
    "Resize",
    "Upsample",
    "Clip",
    "PRelu",
    "Softmax",
    *REDUCTIONS,
)
# Operators that one table of 256 bytes is.
BENDS = {**ACTIVATIONS, **UNARY, "HardSigmoid": "hard_sigmoid", "Gelu": "gelu", "Swish": "swish"}
BENDS |= {op: name for op, (name, _) in WITH_ALPHA.items()}


class NotInt8Error(Exception):
    """Something that an int8 network of ours has no layer for."""


@dataclass(frozen=True)
class Constant:
    """A quantised constant: integers centred on their zero point, and a scale for all or one along `axis`.

    With the zero point, they are those of int8.
    """

    integers: np.ndarray
    scale: np.ndarray
    axis: int
    zero_point: int = 0

    @property
    def real(self) -> np.ndarray:
        """What they stand for."""
        scale = self.scale
        if scale.size > 1:
            scale = scale.reshape([-1 if i == self.axis else 1 for i in range(self.integers.ndim)])
        elif self.integers.ndim == 0:
            scale = scale.reshape(())
        return (self.integers * scale).astype(np.float32)


@dataclass(frozen=True)
class Pending:
    """A layer that waits for the scale of its output: a convolution if it has a `window`, else dense if it has
    `weights`, what the operator of a `node` makes if it has one, else an activation alone.

    Its values are limited to `limits` at last; `nodes` are those of the file that it is made of.
    """

    step: Step
    key: Any
    weights: np.ndarray | None = None
    scale: np.ndarray | None = None
    bias: np.ndarray | None = None
    activation: str = "linear"
    alpha: float = 0.0
    window: Window | None = None
    groups: int = 1
    node: Node | None = None
    transposed: tuple[int, int] | None = None
    limits: tuple[float, float] | None = None
    nodes: tuple = ()

    @property
    def is_activation(self) -> bool:
        """Whether it is an activation alone."""
        return self.weights is None and self.node is None

    @property
    def n_out(self) -> int:
        """The channels that it makes."""
        return len(self.weights) if self.transposed is None else self.weights.shape[1] * self.groups


class Int8Layers(Operators):
    """Those layers over one flow."""

    def __init__(self, *args):
        super().__init__(*args)
        self.quantized: dict[str, Constant] = {}
        self.pending: dict[str, Pending] = {}
        self.products: dict[str, Pending] = {}  # dense layers without bias, by their tensor

    # What waits

    def convolution(self, step: Step, node: Node) -> None:
        """Conv, ConvTranspose of an int8 value and quantised weights."""
        key, weights = node.key(0), self.quantized.get(node.key(1))
        if not self.is_int8(key) or weights is None:
            raise NotInt8Error(f"{step.where} of floats")
        is_transposed = step.op == "ConvTranspose"
        taps, axis = weights.integers, int(is_transposed)
        if weights.scale.size > 1 and (weights.axis != axis or weights.scale.size != taps.shape[axis]):
            raise NotInt8Error(f"{step.where}: scales along the inputs")
        if not taps.size or not -128 <= taps.min() <= taps.max() <= 127:
            raise NotInt8Error(f"{step.where}: weights beyond int8")
        groups, scale, more = int(node.attribute("group", 1)), weights.scale, None
        if is_transposed:
            window, more = self.cut_window(step, node, taps.shape)
            if groups < 1 or groups > len(taps):
                raise ModelError(f"{step.where}: {groups} groups of {len(taps)} channels")
            scale = np.tile(scale, groups) if scale.size > 1 else scale
        else:
            window = self.window(step, node, taps.shape[2:])
        made = Pending(step, key, taps.astype(np.int8), scale, window=window, groups=groups, transposed=more)
        self.pending[step.output] = self._with_bias(made, node.key(2)) if node.has(2) else made

    def matrix(self, step: Step, node: Node) -> None:
        """Gemm, MatMul of an int8 value and quantised weights."""
        key, weights = node.key(0), self.quantized.get(node.key(1))
        if not self.is_int8(key) or weights is None or weights.integers.ndim != 2:
            raise NotInt8Error(f"{step.where} of floats")
        settings = [node.attribute("alpha", 1.0), node.attribute("beta", 1.0), node.attribute("transA", 0)]
        if settings != [1.0, 1.0, 0]:
            raise NotInt8Error(f"{step.where} with alpha, beta or transA")
        turned = bool(node.attribute("transB", 0))
        rows = weights.integers if turned else weights.integers.T
        if weights.scale.size > 1 and (
            weights.axis != (0 if turned else 1) or weights.scale.size != len(rows)
        ):
            raise NotInt8Error(f"{step.where}: scales along the inputs")
        if rows.size and not -128 <= rows.min() <= rows.max() <= 127:
            raise NotInt8Error(f"{step.where}: weights beyond int8")
        made = Pending(step, key, rows.astype(np.int8), weights.scale)
        if node.count > 2 and node.has(2):
            made = self._with_bias(made, node.key(2))
        self.pending[step.output] = made

    def product_in(self, node: Node) -> Pending | None:
        """Return the product without bias, rounded to int8 already, that a node reads."""
        tensors = [self.flow.values[name].tensor for name in node.inputs if name in self.flow.values]
        return next((self.products[tensor] for tensor in tensors if tensor in self.products), None)

    def add_bias(self, step: Step, node: Node, made: Pending) -> None:
        """Add a bias to a product; if that has been rounded in between, it no longer is, and is better for it."""
        other = next(
            (name for name in node.inputs if name in self.quantized or name in self.flow.constants), ""
        )
        if made.weights is None or made.bias is not None or made.activation != "linear":
            raise NotInt8Error(f"{step.where} of floats")
        self.pending[step.output] = self._with_bias(made, other)

    def _with_bias(self, made: Pending, name: str) -> Pending:
        """Return the dense layer with a bias in units of an input step times a weight step."""
        unit = float(self.of(made.key).scale[0]) * made.scale
        if name in self.quantized:
            bias = self.quantized[name]
            real = bias.integers.reshape(-1) * np.broadcast_to(bias.scale, bias.integers.size)
        elif name in self.flow.constants:
            real = self.flow.constant(made.step, name, "its bias").astype(np.float64).reshape(-1)
        else:
            raise NotInt8Error(f"{made.step.where}: a bias that is computed")
        n_out = made.n_out
        if real.size not in (1, n_out):
            raise ModelError(f"{made.step.where}: expected {n_out} values of bias, got {real.size}")
        steps = np.rint(np.broadcast_to(real, (n_out,)) / np.broadcast_to(unit, (n_out,)))
        if not (np.abs(steps) <= MAX_BIAS).all():
            raise NotInt8Error(f"{made.step.where}: a bias beyond int32")
        return replace(made, bias=steps.astype(np.int32))

    def bend(self, step: Step, node: Node, waits: list[str]) -> None:
        """An activation: limits of a layer that waits, or any of an int8 value."""
        op = step.op
        limits = {"Relu": (0.0, math.inf)}.get(op) or (self.limits(step, node) if op == "Clip" else None)
        if waits:
            made = self.pending[waits[0]]
            if limits is None or made.is_activation or made.activation != "linear" or made.limits:
                raise NotInt8Error(f"{step.where} of floats")
            name = {(0.0, 6.0): "relu6", (0.0, math.inf): "relu"}.get(limits, "linear")
            more = {"limits": limits} if name == "linear" else {"activation": name}
            self.pending[step.output] = replace(made, **more)
        elif not self.is_int8(node.key(0)):
            raise NotInt8Error(f"{step.where} of floats")
        elif op == "Clip":
            self.pending[step.output] = Pending(step, node.key(0), limits=limits)
        else:
            self.pending[step.output] = Pending(step, node.key(0), **self._bent(step, node))

    def _bent(self, step: Step, node: Node) -> dict[str, Any]:
        """The activation of a node, as fields of Pending."""
        if step.op in WITH_ALPHA:
            name, default = WITH_ALPHA[step.op]
            return {"activation": name, "alpha": float(node.attribute("alpha", default))}
        if step.op == "HardSigmoid":
            at = node.attribute("alpha", 0.2), node.attribute("beta", 0.5)
            if not (math.isclose(at[0], 1 / 6, rel_tol=1e-5) and at[1] == 0.5):
                raise NotInt8Error(f"{step.where} with other factors")
        if step.op == "Gelu" and node.attribute("approximate", "none") != "none":
            raise NotInt8Error(f"{step.where} by tanh")
        if step.op == "Swish" and node.attribute("alpha", 1.0) != 1.0:
            raise NotInt8Error(f"{step.where} with alpha")
        return {"activation": BENDS[step.op]}

    # What the scale of its output is known of

    def done(self, made: Pending, output: Any, quantization: Quantization) -> None:
        """Append the layer that waited for its output's `quantization`; NotInt8Error where there is none."""
        step = replace(made.step, output=output, dtype="int8", quantization=quantization)
        if made.limits:  # what is limited after it has been rounded is the same
            whole, limits = (output, "whole"), made.limits
            made = replace(made, limits=None)
            self.done(made, whole, quantization)
            return self.flow.clip(step, whole, *limits)
        if made.weights is not None:
            return self._weighted(step, made)
        if made.node is not None:
            return self._operator(step, made)
        if made.activation == "linear" and self.of(made.key) == quantization:
            return self.flow.same(step, made.key)
        return self.flow.activation(step, made.key, made.activation, made.alpha)

    def _weighted(self, step: Step, made: Pending) -> None:
        bias = np.zeros(made.n_out, np.int32) if made.bias is None else made.bias
        bent, scale = made.activation, Quantization(made.scale)
        if made.transposed is not None:
            at = made.key, made.weights, bias, made.window, made.transposed, made.groups
            return self.flow.transposed_convolution(step, *at, bent, scale)
        if made.window is not None:
            at = made.key, made.weights, bias, made.window, made.groups
            return self.flow.convolution(step, *at, bent, scale)
        self.flow.dense(step, made.key, made.weights, bias, bent, scale)
        if made.bias is None and bent == "linear":
            self.products[self.flow.values[step.output].tensor] = made
        return None

    def _operator(self, step: Step, made: Pending) -> None:
        """Append what a node makes of int8 values."""
        node, output, quantization = made.node, step.output, step.quantization
        op, names = step.op, list(node.inputs)
        try:
            if op in TWO and len(names) == 2 and any(name in self.quantized for name in names):
                return self._with_constant(step, names, made.activation)
            if op == "PRelu":
                return self._prelu(step, node)
            if op == "Softmax":
                return self._softmax(step, node)
            if op in TWO and len(names) == 2:  # refused where its output is too fine
                scales = [self.of(name).scale[0] for name in names]
                layer = room(TWO[op])("", ("a", "b"), "y")
                layer.factors(*map(float, scales), float(quantization.scale[0]), "int8")
            if op == "Concat":  # its inputs have its output's scale
                for at, name in enumerate(names):
                    if self.of(name) != quantization:
                        names[at] = (output, at)
                        self.flow.activation(replace(step, output=names[at]), name, "linear")
                node = node.reading(names)
            limited = made.activation == "linear" or (
                made.activation == "relu" and quantization.zero_point == -128
            )
            inner = replace(step, output=(output, "inner"))
            OPERATORS[op](self, inner, node)
            last = inner.output
            if self.of(last) != quantization:
                self.flow.activation(replace(step, output=(output, "rescaled")), last, "linear")
                last = (output, "rescaled")
            if limited:
                self.flow.same(step, last)
            else:
                self.flow.activation(step, last, made.activation)
        except ModelError as error:
            raise NotInt8Error(str(error)) from None

    def _with_constant(self, step: Step, names: list, activation: str) -> None:
        """The sum, difference or product of a value and a quantised constant."""
        on_left = names[0] in self.quantized
        constant, key = (self.quantized[names[not on_left]], names[on_left])
        integers, q = self._integers(step, constant)
        x = self.flow.as_it_lies(step, key)
        spread = self.flow.spread_over(step, x, integers)
        kind = room(TWO[step.op])
        scales = [float(self.of(key).scale[0]), float(q.scale[0])]
        kind("", ("a", "b"), "y").factors(
            *scales[:: -1 if on_left else 1], float(step.quantization.scale[0]), "int8"
        )
        if integers.size == 1:
            row = integers.reshape(1).astype(np.int8)
            made = self.flow.alike(step, kind, x, activation, 0.0, row, on_left, q)
        else:
            x, (row,) = self.flow.rows_of(step, x, spread)
            made = self.flow.by_rows(
                step, x, len(row), kind, activation, 0.0, row.astype(np.int8), on_left, q
            )
        self.flow.values[step.output] = made

    def _prelu(self, step: Step, node: Node) -> None:
        """PRelu with quantised slopes, or with floats, which become int8 here."""
        name, x = node.key(1), self.flow.as_it_lies(step, node.key(0))
        if name in self.quantized:
            integers, q = self._integers(step, self.quantized[name])
        else:
            slope = self.flow.constant(step, name, "the slope").astype(np.float64)
            if not slope.size or not np.isfinite(slope).all():
                raise ModelError(f"{step.where}: expected finite slopes")
            q = value_quantization(float(slope.min()), float(slope.max()), "int8")
            integers = np.clip(np.rint(slope / q.scale[0]) + q.zero_point, -128, 127)
        x, (row,) = self.flow.rows_of(step, x, self.flow.spread_over(step, x, integers))
        self.flow.values[step.output] = self.flow.by_rows(step, x, len(row), Prelu, row.astype(np.int8), q)

    def _softmax(self, step: Step, node: Node) -> None:
        """Softmax, whose table has a scale of its own; a second layer gives the file's."""
        fixed = Quantization(*FIXED_OUTPUT["softmax"]["int8"])
        inner = replace(step, output=(step.output, "inner"), quantization=fixed)
        self.softmax(inner, node)
        if fixed == step.quantization:
            return self.flow.same(step, inner.output)
        return self.flow.activation(step, inner.output, "linear")

    def _integers(self, step: Step, constant: Constant) -> tuple[np.ndarray, Quantization]:
        """Return a constant of one scale as integers of int8, and what they stand for."""
        integers = constant.integers + constant.zero_point
        if (
            constant.scale.size != 1
            or not integers.size
            or not -128 <= integers.min() <= integers.max() <= 127
        ):
            raise ModelError(f"{step.where}: a constant of several scales, or of others than int8")
        return integers, Quantization(constant.scale, constant.zero_point)

    # What is known

    def all_int8(self, node: Node) -> bool:
        """Whether all that flows into a node is int8, and nothing of it a quantised constant."""
        values = [name for name in node.inputs if name and name not in self.flow.constants]
        return bool(values) and all(map(self.is_int8, values))

    def is_with_constant(self, node: Node) -> bool:
        """Whether a node takes an int8 value and a quantised constant."""
        names = list(node.inputs)
        return (
            len(names) == 2
            and sorted(map(self.is_int8, names)) == [False, True]
            and any(name in self.quantized for name in names)
        )

    def is_int8(self, key: Any) -> bool:
        """Whether the value `key` is there, in integers."""
        value = self.flow.values.get(key)
        return value is not None and bool(value.tensor) and self.flow.tensors[value.tensor].dtype == "int8"

    def of(self, key: Any) -> Quantization:
        """Return the scale and zero point of an int8 value."""
        return self.flow.tensors[self.flow.values[key].tensor].quantization
