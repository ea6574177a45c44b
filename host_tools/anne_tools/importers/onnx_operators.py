"""What each ONNX operator is in a Graph, one method an operator; `onnx` decides which are run, and in which order.

Constants are folded; shapes computed in the file are computed here. MatMul and Add become Dense; BatchNormalization,
and constants that are added or multiplied, become Scaling. Source: ONNX operators, https://onnx.ai/onnx/operators/.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np

from ..errors import ModelError
from . import budget, onnx_ml
from .flow import Step, label
from .onnx_plan import operator
from .onnx_shapes import Node, Shapes, step_of

NO_EFFECT = ("Identity", "Dropout")
# Operators of one input without parameters
ACTIVATIONS = {
    "Relu": "relu",
    "Sigmoid": "sigmoid",
    "Tanh": "tanh",
    "Softplus": "softplus",
    "HardSwish": "hard_swish",
}
# Operators of one input with a parameter `alpha`, and its default
WITH_ALPHA = {"LeakyRelu": ("leaky_relu", 0.01), "Elu": ("elu", 1.0)}
ARITHMETIC = {"Add": "+", "Sub": "-", "Mul": "*", "Div": "/"}
FLOATS_NOTE = (
    "quantised in a way that fits no int8 network of ours: read as floats with the weights as they are; values between "
    "layers are neither rounded to integers nor limited to the range of the calibration"
)


class Operators(Shapes):
    """The operators over one flow; `opset` is the version of ONNX's own, `beside` reads data in a second file."""

    def run(self, index: int, node: dict[str, Any]) -> None:
        """Do what one node says. ModelError where it cannot be done."""
        step = step_of(index, node)
        if not step.output:
            raise ModelError(f"{step.where} has no output")
        OPERATORS[operator(node)](self, step, Node(step, node, self.flow))

    # Operators

    def gemm(self, step: Step, node: Node) -> None:
        """alpha * A @ B + beta * C, where A flows (not transposed) and B, C are constants."""
        if node.attribute("transA", 0):
            raise ModelError(f"{step.where}: transA is not supported")
        weights = node.constant(1, "B").astype(np.float64) * node.attribute("alpha", 1.0)
        if weights.ndim != 2:
            raise ModelError(f"{step.where}: expected a matrix B, got shape {weights.shape}")
        bias = node.constant(2, "C").astype(np.float64) * node.attribute("beta", 1.0) if node.has(2) else None
        self.flow.dense(step, node.key(0), weights if node.attribute("transB", 0) else weights.T, bias)

    def matmul(self, step: Step, node: Node) -> None:
        """A @ B where A flows and B is a constant."""
        weights = node.constant(1, "the matrix on the right")
        if weights.ndim != 2:
            raise ModelError(f"{step.where}: expected a matrix on the right, got shape {weights.shape}")
        self.flow.dense(step, node.key(0), weights.T, None)

    def activation(self, step: Step, node: Node) -> None:
        """An activation without parameters."""
        self.flow.activation(step, node.key(0), ACTIVATIONS[step.op])

    def with_alpha(self, step: Step, node: Node) -> None:
        """LeakyRelu, Elu."""
        name, default = WITH_ALPHA[step.op]
        self.flow.activation(step, node.key(0), name, float(node.attribute("alpha", default)))

    def prelu(self, step: Step, node: Node) -> None:
        """PRelu with one slope for all is leaky_relu."""
        slope = node.constant(1, "the slope").astype(np.float64).reshape(-1)
        if not slope.size or (slope != slope[0]).any():
            raise ModelError(f"{step.where}: one slope for all is supported, got {slope.size}")
        self.flow.activation(step, node.key(0), "leaky_relu", float(slope[0]))

    def hard_sigmoid(self, step: Step, node: Node) -> None:
        """HardSigmoid with alpha 1/6, beta 1/2, as PyTorch and Keras 3 have it; a Graph has no others."""
        alpha, beta = node.attribute("alpha", 0.2), node.attribute("beta", 0.5)
        if not (math.isclose(alpha, 1 / 6, rel_tol=1e-5) and beta == 0.5):
            raise ModelError(f"{step.where}: expected alpha 1/6 and beta 1/2, got {alpha:.6g} and {beta:.6g}")
        self.flow.activation(step, node.key(0), "hard_sigmoid")

    def gelu(self, step: Step, node: Node) -> None:
        """Gelu; its approximation by tanh is read as the exact form."""
        if node.attribute("approximate", "none") != "none":
            self.flow.notes.append("gelu: the tanh approximation became the exact form (at most 0.0005 off)")
        self.flow.activation(step, node.key(0), "gelu")

    def swish(self, step: Step, node: Node) -> None:
        """Swish with alpha 1."""
        if node.attribute("alpha", 1.0) != 1.0:
            raise ModelError(f"{step.where}: expected alpha 1, got {node.attribute('alpha', 1.0):g}")
        self.flow.activation(step, node.key(0), "swish")

    def clip(self, step: Step, node: Node) -> None:
        """Clip as an activation."""
        self.flow.activation(step, node.key(0), self.clipped(step, node))

    def clipped(self, step: Step, node: Node) -> str:
        """Return the activation that a Clip is: to (0, 6) relu6, to (0, infinity) relu."""
        low, high = (
            float(node.constant(i, name).reshape(-1)[0])
            if node.has(i)
            else float(node.attribute(name, default))
            for i, name, default in ((1, "min", -math.inf), (2, "max", math.inf))
        )
        if low != 0 or not (high == 6 or high >= 65504):  # the largest float16
            raise ModelError(
                f"{step.where}: clipping to {low:g} ... {high:g} is not supported; supported: 0 ... 6"
            )
        return "relu6" if high == 6 else "relu"

    def magnitude(self, step: Step, node: Node) -> None:
        """Abs of what is never negative, which has no effect."""
        if not self.flow.is_between(step, node.key(0), "relu"):
            raise ModelError(f"{step.where} is supported of values that are never negative only")
        self.flow.same(step, node.key(0))

    def reduce_sum(self, step: Step, node: Node) -> None:
        """ReduceSum of the probabilities in a row."""
        rank = len(self.flow.value(step, node.key(0)).shape)
        if node.axes(rank) != [rank - 1] or not node.attribute("keepdims", 1):
            raise ModelError(f"{step.where}: supported is the last axis with keepdims, got {node.axes(rank)}")
        self.flow.row_sum(step, node.key(0))

    def softmax(self, step: Step, node: Node) -> None:
        """Softmax; before opset 13 over all axes from `axis` on, since then along it."""
        axis = int(node.attribute("axis", -1 if self.opset >= 13 else 1))
        if self.opset < 13:
            shape = self.flow.value(step, node.key(0)).shape
            axis += len(shape) if axis < 0 else 0
            if math.prod(shape[:axis]) != 1:
                raise ModelError(f"{step.where}: from axis {axis} of shape {shape} is not supported")
            axis = -1
        self.flow.softmax(step, node.key(0), axis)

    def arithmetic(self, step: Step, node: Node) -> None:
        """Add, Sub, Mul, Div."""
        self.flow.arithmetic(step, ARITHMETIC[step.op], node.key(0), node.key(1))

    def sum(self, step: Step, node: Node) -> None:
        """Sum: the first two are added, then the third, and so on."""
        budget.operations(node.count)
        total = node.key(0)
        if node.count == 1:
            return self.flow.same(step, total)
        for position in range(1, node.count):
            is_last = position == node.count - 1
            each = step if is_last else replace(step, output=(step.output, position))
            self.flow.arithmetic(each, "+", total, node.key(position))
            total = each.output

    def batch_normalization(self, step: Step, node: Node) -> None:
        """(x - mean) / sqrt(variance + epsilon) * scale + offset along axis 1."""
        scale, offset, mean, variance = (
            node.constant(i, what) for i, what in enumerate(("scale", "B", "mean", "var"), 1)
        )
        epsilon = node.attribute("epsilon", 1e-5)
        self.flow.batch_norm(step, node.key(0), scale, offset, mean, variance, epsilon)

    def same(self, step: Step, node: Node) -> None:
        """No effect when the network is used rather than trained."""
        self.flow.same(step, node.key(0))

    def cast(self, step: Step, node: Node) -> None:
        """Cast: of constants it is done, of values between float types it is dropped."""
        types = {1: np.float32, 6: np.int32, 7: np.int64, 10: np.float16, 11: np.float64, 16: np.float32}
        to = node.attribute("to", 0)
        if node.key(0) in self.flow.constants and to in types:
            self.flow.constants[step.output] = self.flow.fold(
                step, np.ndarray.astype, node.constant(0, "x"), types[to]
            )
        elif to in (1, 10, 11, 16):
            self.flow.same(step, node.key(0))
        else:
            raise ModelError(f"{step.where} to type {to} is not supported; supported: float")

    def erf(self, step: Step, node: Node) -> None:
        """Erf, as a part of gelu."""
        self.flow.erf(step, node.key(0))

    def greater(self, step: Step, node: Node) -> None:
        """Greater, as a part of softplus."""
        self.flow.greater(step, node.key(0), node.constant(1, "the threshold"))

    def where(self, step: Step, node: Node) -> None:
        """Where, as a part of softplus."""
        self.flow.where(step, node.key(0), node.key(1), node.key(2))

    def pad(self, step: Step, node: Node) -> None:
        """Pad with a constant; before opset 11 all its numbers are attributes."""
        if (mode := node.attribute("mode", "constant")) != "constant":
            raise ModelError(f"{step.where}: mode {label(mode, '?')} is not supported; supported: constant")
        rank = len(self.flow.value(step, node.key(0)).shape)
        axes, value = list(range(rank)), np.zeros(1)
        if self.opset < 11:
            pads, value = node.attribute("pads", []), np.array([node.attribute("value", 0.0)])
        else:
            pads = node.constant(1, "the padding").reshape(-1).tolist()
        if node.has(2):
            value = node.constant(2, "the value").reshape(-1)
        if node.has(3):
            axes = node.constant(3, "the axes").reshape(-1).tolist()
        if value.size != 1 or not all(isinstance(n, int) for n in (*pads, *axes)):
            raise ModelError(f"{step.where}: expected one value, and padding and axes of integers")
        if any(not -rank <= a < rank for a in axes) or len({a % rank for a in axes}) != len(axes):
            raise ModelError(f"{step.where}: expected axes of {rank}, each once, got {axes[:16]}")
        if len(pads) != 2 * len(axes):
            raise ModelError(
                f"{step.where}: expected two numbers for each of {len(axes)} axes, got {pads[:16]}"
            )
        widths = [(0, 0)] * rank
        for axis, before, after in zip(axes, pads, pads[len(axes) :], strict=False):
            widths[axis] = before, after
        self.flow.pad(step, node.key(0), widths, float(value[0]))

    def concat(self, step: Step, node: Node) -> None:
        """Concat of constant vectors, as shapes are put together; of 1 - p and p, a classifier's two probabilities."""
        if node.count == 2 and all(key in self.flow.values for key in node.inputs):
            return self.flow.both_classes(step, node.key(0), node.key(1))
        parts = [node.constant(i, "what is joined") for i in range(node.count)]
        if not parts or any(part.ndim != 1 or part.size > 64 for part in parts):
            raise ModelError(f"{step.where} is supported for constant shapes only")
        budget.elements(step.where, (sum(part.size for part in parts),))
        self.flow.constants[step.output] = np.concatenate(parts)

    def quantize(self, step: Step, node: Node) -> None:
        """QuantizeLinear of a value that stays a float, which the range of the integers may limit as a relu does."""
        scale, zero_point = node.constant(1, "the scale"), np.zeros(1, np.uint8)
        if node.has(2):
            zero_point = node.constant(2, "the zero point").reshape(-1)
        if scale.size != 1 or zero_point.size != 1 or zero_point.dtype.kind not in "iu":
            raise ModelError(f"{step.where}: expected one scale and a zero point of integers")
        self.flow.notes[:] = dict.fromkeys([*self.flow.notes, FLOATS_NOTE])
        limits, zero = np.iinfo(zero_point.dtype), int(zero_point[0])
        most = (limits.max - zero) * float(scale.reshape(())[()])
        # ONNX Runtime's quantiser leaves a relu or relu6 out where these limits do the same
        name = "relu6" if math.isclose(most, 6, rel_tol=1e-3) else "relu"
        if zero == limits.min and not self.flow.is_between(step, node.key(0), name):
            self.flow.activation(step, node.key(0), name)
        else:
            self.flow.same(step, node.key(0))

    def dequantize(self, step: Step, node: Node) -> None:
        """DequantizeLinear of a constant, such as weights of a QDQ file; of a value that stayed a float, nothing."""
        if node.key(0) in self.flow.values:
            return self.flow.same(step, node.key(0))
        values, scale = (
            node.constant(0, "x").astype(np.float64),
            node.constant(1, "the scale").astype(np.float64),
        )
        zero_point = node.constant(2, "the zero point").astype(np.float64) if node.has(2) else np.zeros(())
        axis = int(node.attribute("axis", 1))
        if scale.size > 1:
            scale, zero_point = (_along(step, a, values.ndim, axis) for a in (scale, zero_point))
        elif values.ndim == 0:
            scale, zero_point = scale.reshape(()), zero_point.reshape(())
        made = self.flow.fold(
            step, lambda v, s, z: ((v - z) * s).astype(np.float32), values, scale, zero_point
        )
        self.flow.constants[step.output] = made


def _along(step: Step, values: np.ndarray, rank: int, axis: int) -> np.ndarray:
    """Return a vector shaped so that it spreads along `axis` of `rank`."""
    if not -rank <= axis < rank:
        raise ModelError(f"{step.where}: axis {axis} does not exist, there are {rank}")
    if values.size == 1:
        return values.reshape(())
    shape = [1] * rank
    shape[axis] = -1
    return values.reshape(shape)


_QDQ_HINT = (
    "quantise with onnxruntime.quantization.quantize_static and QuantFormat.QDQ, or convert the float model"
)
HINTS = {
    "LogSoftmax": "export the network with Softmax, or without either: the largest score stays the largest",
    **dict.fromkeys(
        ("DynamicQuantizeLinear", "MatMulInteger", "QLinearMatMul", "com.microsoft.QGemm"), _QDQ_HINT
    ),
}
OPERATORS = {
    "Gemm": Operators.gemm,
    "MatMul": Operators.matmul,
    "PRelu": Operators.prelu,
    "HardSigmoid": Operators.hard_sigmoid,
    "Gelu": Operators.gelu,
    "Swish": Operators.swish,
    "Clip": Operators.clip,
    "Softmax": Operators.softmax,
    "Sum": Operators.sum,
    "BatchNormalization": Operators.batch_normalization,
    "Reshape": Operators.reshape,
    "Flatten": Operators.flatten,
    "Squeeze": Operators.squeeze,
    "Unsqueeze": Operators.unsqueeze,
    "Transpose": Operators.transpose,
    "Cast": Operators.cast,
    "Abs": Operators.magnitude,
    "ReduceSum": Operators.reduce_sum,
    "Pad": Operators.pad,
    "Erf": Operators.erf,
    "Greater": Operators.greater,
    "Where": Operators.where,
    "Constant": Operators.constant,
    "ConstantOfShape": Operators.constant_of_shape,
    "Shape": Operators.shape,
    "Gather": Operators.gather,
    "Slice": Operators.slice,
    "Concat": Operators.concat,
    "QuantizeLinear": Operators.quantize,
    "DequantizeLinear": Operators.dequantize,
    **dict.fromkeys(ACTIVATIONS, Operators.activation),
    **dict.fromkeys(WITH_ALPHA, Operators.with_alpha),
    **dict.fromkeys(ARITHMETIC, Operators.arithmetic),
    **dict.fromkeys(NO_EFFECT, Operators.same),
}
OPERATORS |= onnx_ml.OPERATORS
# Those that work element by element, as parts of what an activation is spelled out with.
ELEMENTWISE = {
    *ACTIVATIONS,
    *WITH_ALPHA,
    *NO_EFFECT,
    "Abs",
    "Cast",
    "Clip",
    "Erf",
    "Greater",
    "HardSigmoid",
    "PRelu",
    "ReduceSum",
}
