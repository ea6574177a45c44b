"""Quantised ONNX files (QDQ, as ONNX Runtime's quantiser writes them) as int8 networks, with the file's own integers.

Between a DequantizeLinear and the next QuantizeLinear stands float arithmetic on integers; both together are an int8
layer, as ONNX Runtime runs them, too, with or without a relu.
ONNX Runtime multiplies the sums by a float, this project by an integer and a shift (FORMAT.md), so a value can come out
one step beside, where it lies close to the middle between two. uint8 is int8 with all values and zero points 128 less.

What does not fit (two layers of floats in a row) is read as a float network by `Operators`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..errors import ModelError
from ..layers import room
from ..layers.tables import FIXED_OUTPUT
from ..layers.windows import Window
from ..network.tensor import Quantization
from . import budget
from .flow import Step, label
from .flow_images import Images
from .onnx_moves import REDUCTIONS
from .onnx_operators import ACTIVATIONS, OPERATORS, WITH_ALPHA, Operators
from .onnx_plan import operator
from .onnx_shapes import Node, step_of

NOTE = "int8 as in the file; each layer's values can be a step beside ONNX Runtime's, which rounds in another way"
MAX_BIAS = 1 << 28
# Operators that hand an int8 value on.
_SAME_VALUES = ("Reshape", "Flatten", "Squeeze", "Unsqueeze", "Transpose", "Identity", "Dropout")
TWO = {"Add": "add", "Sum": "add", "Sub": "subtract", "Mul": "multiply"}
# Operators that move or pick int8 values.
_MOVES = ("MaxPool", "Slice", "Split", "Gather")
# Operators that compute with int8 values alone.
_OF_VALUES = (
    "Add",
    "Sum",
    "Sub",
    "Mul",
    "Concat",
    "AveragePool",
    "GlobalAveragePool",
    "GlobalMaxPool",
    "Resize",
)
_OF_VALUES += ("Upsample", *REDUCTIONS)


class NotInt8Error(Exception):
    """Something that an int8 network of ours has no layer for."""


@dataclass(frozen=True)
class Constant:
    """A quantised constant: integers centred on their zero point, and a scale for all or one along `axis`."""

    integers: np.ndarray
    scale: np.ndarray
    axis: int


@dataclass(frozen=True)
class Pending:
    """A layer that waits for the scale of its output: a convolution if it has a `window`, else dense if it has
    `weights`, what the operator of a `node` makes if it has one, else an activation alone."""

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

    @property
    def is_activation(self) -> bool:
        """Whether it is an activation alone."""
        return self.weights is None and self.node is None


class QdqOperators(Operators):
    """Operators where values are int8. `inputs` are shapes by name; the QuantizeLinear of each makes it int8."""

    def __init__(
        self,
        inputs: dict[str, list[int]],
        images: set[str],
        opset: int,
        beside: Any,
        constants: dict[str, np.ndarray],
    ):
        super().__init__(Images(), opset, beside)
        for name, shape in inputs.items():
            self.flow.input(name, name, shape, is_image=name in images)
        self.flow.constants.update(constants)
        self.integers: dict[str, Any] = {}  # of an input, once there are some: the value
        self.quantized: dict[str, Constant] = {}
        self.pending: dict[str, Pending] = {}
        self.products: dict[str, Pending] = {}  # dense layers without bias, by their tensor

    def run(self, index: int, node: dict[str, Any]) -> None:
        """Do what one node says. NotInt8Error where no int8 layer does it."""
        step, op = step_of(index, node), operator(node)
        this = Node(step, node, self.flow)
        waits = [name for name in this.inputs if name in self.pending]
        if op == "QuantizeLinear":
            self._quantize(step, this)
        elif op == "DequantizeLinear":
            self._dequantize(step, this)
        elif op in ("Gemm", "MatMul"):
            self._dense(step, this)
        elif op == "Conv":
            self._convolution(step, this)
        elif op == "Add" and (waits or self._product_in(this)) and not self._all_int8(this):
            self._add(step, this, self.pending[waits[0]] if waits else self._product_in(this))
        elif op in _OF_VALUES and self._all_int8(this) and (op != "Sum" or this.count == 2):
            self.pending[step.output] = Pending(step, this.key(0), node=this)
        elif op in _MOVES and this.has(0) and self._is_int8(this.key(0)):
            OPERATORS[op](self, replace(step, dtype="int8", quantization=self._of(this.key(0))), this)
        elif op in ("Relu", "Clip") or op in ACTIVATIONS or op in WITH_ALPHA or op == "Softmax":
            self._bend(step, this, op, waits)
        elif op == "Pad" and this.has(0) and self._is_int8(this.key(0)) and not this.has(2):
            self.pad(replace(step, dtype="int8"), this)  # with zeros, which all scales have
        elif waits or (op not in _SAME_VALUES and any(name in self.flow.values for name in this.inputs)):
            raise NotInt8Error(f"{step.where} of floats")
        elif any(name in self.quantized for name in this.inputs):
            raise NotInt8Error(f"{step.where} of quantised constants")
        else:
            OPERATORS[op](self, step, this)

    def _quantize(self, step: Step, node: Node) -> None:
        quantization = self._quantization(node)
        key = node.key(0)
        if key in self.pending:
            return self._finish(self.pending[key], step.output, quantization)
        if key not in self.integers and self._is_unread_input(key):
            self.flow.quantized_input(replace(step, dtype="int8", quantization=quantization), key)
            self.integers[key] = step.output
            return None
        key = self.integers.get(key, key)
        if not self._is_int8(key):
            raise NotInt8Error(f"{step.where} of floats")
        if self._of(key) == quantization:
            return self.flow.same(step, key)
        return self._finish(Pending(step, key), step.output, quantization)

    def _dequantize(self, step: Step, node: Node) -> None:
        key = node.key(0)
        if key not in self.flow.constants:
            if not self._is_int8(key) or self._quantization(node) != self._of(key):
                raise NotInt8Error(f"{step.where} of floats")
            return self.flow.same(step, key)
        scale = node.constant(1, "the scale").astype(np.float64).reshape(-1)
        zero_point = (
            node.constant(2, "the zero point").astype(np.int64) if node.has(2) else np.zeros(1, np.int64)
        )
        budget.elements(step.where, self.flow.constants[key].shape)
        integers = self.flow.constants[key].astype(np.int64)
        axis = int(node.attribute("axis", 1))
        axis += integers.ndim if axis < 0 else 0
        if zero_point.size > 1:
            if len(set(zero_point.reshape(-1).tolist())) > 1:
                raise NotInt8Error(f"{step.where}: zero points that differ")
            zero_point = zero_point.reshape(-1)[:1]
        self.quantized[step.output] = Constant(integers - int(zero_point.reshape(-1)[0]), scale, axis)

    def _all_int8(self, node: Node) -> bool:
        """Whether all that flows into a node is int8, and nothing of it a quantised constant."""
        values = [name for name in node.inputs if name and name not in self.flow.constants]
        return bool(values) and all(map(self._is_int8, values))

    def _convolution(self, step: Step, node: Node) -> None:
        key, weights = node.key(0), self.quantized.get(node.key(1))
        if not self._is_int8(key) or weights is None:
            raise NotInt8Error(f"{step.where} of floats")
        taps = weights.integers
        if weights.scale.size > 1 and (weights.axis != 0 or weights.scale.size != len(taps)):
            raise NotInt8Error(f"{step.where}: scales along the inputs")
        if not taps.size or not -128 <= taps.min() <= taps.max() <= 127:
            raise NotInt8Error(f"{step.where}: weights beyond int8")
        window, groups = self.window(step, node, taps.shape[2:]), int(node.attribute("group", 1))
        made = Pending(step, key, taps.astype(np.int8), weights.scale, window=window, groups=groups)
        self.pending[step.output] = self._with_bias(made, node.key(2)) if node.has(2) else made

    def _dense(self, step: Step, node: Node) -> None:
        key, weights = node.key(0), self.quantized.get(node.key(1))
        if not self._is_int8(key) or weights is None or weights.integers.ndim != 2:
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

    def _product_in(self, node: Node) -> Pending | None:
        """Return the product without bias, rounded to int8 already, that a node reads."""
        tensors = [self.flow.values[name].tensor for name in node.inputs if name in self.flow.values]
        return next((self.products[tensor] for tensor in tensors if tensor in self.products), None)

    def _add(self, step: Step, node: Node, made: Pending) -> None:
        """Add a bias to a product; if that has been rounded in between, it no longer is, and is better for it."""
        other = next(
            (name for name in node.inputs if name in self.quantized or name in self.flow.constants), ""
        )
        if made.weights is None or made.bias is not None or made.activation != "linear":
            raise NotInt8Error(f"{step.where} of floats")
        self.pending[step.output] = self._with_bias(made, other)

    def _with_bias(self, made: Pending, name: str) -> Pending:
        """Return the dense layer with a bias in units of an input step times a weight step."""
        unit = float(self._of(made.key).scale[0]) * made.scale
        if name in self.quantized:
            bias = self.quantized[name]
            real = bias.integers.reshape(-1) * np.broadcast_to(bias.scale, bias.integers.size)
        elif name in self.flow.constants:
            real = self.flow.constant(made.step, name, "its bias").astype(np.float64).reshape(-1)
        else:
            raise NotInt8Error(f"{made.step.where}: a bias that is computed")
        n_out = len(made.weights)
        if real.size not in (1, n_out):
            raise ModelError(f"{made.step.where}: expected {n_out} values of bias, got {real.size}")
        steps = np.rint(np.broadcast_to(real, (n_out,)) / np.broadcast_to(unit, (n_out,)))
        if not (np.abs(steps) <= MAX_BIAS).all():
            raise NotInt8Error(f"{made.step.where}: a bias beyond int32")
        return replace(made, bias=steps.astype(np.int32))

    def _bend(self, step: Step, node: Node, op: str, waits: list[str]) -> None:
        """An activation: relu and relu6 of a dense layer or a sum that waits, or any of an int8 value."""
        name, alpha = ACTIVATIONS.get(op, op.lower()), 0.0
        if op in WITH_ALPHA:
            name, default = WITH_ALPHA[op]
            alpha = float(node.attribute("alpha", default))
        if op == "Clip":
            name = {(0.0, 6.0): "relu6", (0.0, math.inf): "relu"}.get(self.limits(step, node), "")
            if not name:
                raise NotInt8Error(f"{step.where} of integers to other limits than those of relu and relu6")
        if waits:
            made = self.pending[waits[0]]
            if name not in ("relu", "relu6") or made.is_activation or made.activation != "linear":
                raise NotInt8Error(f"{step.where} of floats")
            self.pending[step.output] = replace(made, activation=name)
        elif self._is_int8(node.key(0)):
            self.pending[step.output] = Pending(step, node.key(0), activation=name, alpha=alpha)
        else:
            raise NotInt8Error(f"{step.where} of floats")

    def _finish(self, made: Pending, output: Any, quantization: Quantization) -> None:
        """Append the layer that waited for its output's `quantization`."""
        step = replace(made.step, output=output, dtype="int8", quantization=quantization)
        if made.weights is not None:
            bias = np.zeros(len(made.weights), np.int32) if made.bias is None else made.bias
            bent, scale = made.activation, Quantization(made.scale)
            if made.window is not None:
                at = made.key, made.weights, bias, made.window, made.groups, bent, scale
                return self.flow.convolution(step, *at)
            self.flow.dense(step, made.key, made.weights, bias, bent, scale)
            if made.bias is None and bent == "linear":
                self.products[self.flow.values[output].tensor] = made
            return None
        if made.node is not None:
            return self._finish_operator(step, made)
        fixed = FIXED_OUTPUT.get(made.activation, {}).get("int8")
        if fixed and (quantization.scale[0], quantization.zero_point) != fixed:
            # such a table has a scale of its own; a second layer gives the file's
            inner = ("inner", output)
            self._finish(made, inner, Quantization(*fixed))
            self.flow.activation(step, inner, "linear")
        elif made.activation == "softmax":
            self.flow.softmax(step, made.key, -1)
        else:
            self.flow.activation(step, made.key, made.activation, made.alpha)

    def _finish_operator(self, step: Step, made: Pending) -> None:
        """Append what a node makes of int8 values; NotInt8Error where that is no int8 layer of ours."""
        node, output, quantization = made.node, step.output, step.quantization
        op, names = step.op, list(node.inputs)
        try:
            if op in TWO and len(names) == 2:  # refused where its output is too fine
                scales = [self._of(name).scale[0] for name in names]
                layer = room(TWO[op])("", ("a", "b"), "y")
                layer.factors(*map(float, scales), float(quantization.scale[0]), "int8")
            if op == "Concat":  # its inputs have its output's scale
                for at, name in enumerate(names):
                    if self._of(name) != quantization:
                        names[at] = (output, at)
                        self.flow.activation(replace(step, output=names[at]), name, "linear")
                node = node.reading(names)
            limited = made.activation == "linear" or (
                made.activation == "relu" and quantization.zero_point == -128
            )
            inner = replace(step, output=(output, "inner"))
            OPERATORS[op](self, inner, node)
            last = inner.output
            if self._of(last) != quantization:
                self.flow.activation(replace(step, output=(output, "rescaled")), last, "linear")
                last = (output, "rescaled")
            if limited:
                self.flow.same(step, last)
            else:
                self.flow.activation(step, last, made.activation)
        except ModelError as error:
            raise NotInt8Error(str(error)) from None

    def finish(self, outputs: list[str]) -> None:
        """Append the layers that wait for the file's outputs, whose scale the file does not say: it ends in floats."""
        for output in outputs:
            made = self.pending.get(output)
            alone = made is not None and made.is_activation
            fixed = FIXED_OUTPUT.get(made.activation, {}).get("int8") if alone else None
            if fixed and output not in self.flow.values:
                self._finish(made, output, Quantization(*fixed))
            if not self._is_int8(output):
                raise NotInt8Error(f"the output {label(output, '?')!r} in floats")

    def _is_int8(self, key: Any) -> bool:
        value = self.flow.values.get(key)
        return value is not None and self.flow.tensors[value.tensor].dtype == "int8"

    def _is_unread_input(self, key: Any) -> bool:
        value = self.flow.values.get(key)
        return value is not None and value.tensor in self.flow.inputs and value.tensor not in self.flow.read

    def _of(self, key: Any) -> Quantization:
        return self.flow.tensors[self.flow.values[key].tensor].quantization

    def _quantization(self, node: Node) -> Quantization:
        """Return the scale and zero point of a value, as int8 has them."""
        scale = node.constant(1, "the scale").astype(np.float64).reshape(-1)
        zero_point = node.constant(2, "the zero point").reshape(-1) if node.has(2) else np.zeros(1, np.uint8)
        if scale.size != 1 or zero_point.size != 1 or zero_point.dtype not in (np.int8, np.uint8):
            raise NotInt8Error(f"{node.step.where}: other types than int8 and uint8, or a scale a channel")
        if not (np.isfinite(scale[0]) and scale[0] > 0):
            raise ModelError(f"{node.step.where}: scales must be positive and finite")
        return Quantization(scale, int(zero_point[0]) - (128 if zero_point.dtype == np.uint8 else 0))
