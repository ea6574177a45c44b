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
from . import budget, onnx_images, onnx_ml, onnx_moves
from .flow import Step
from .onnx_moves import MoveOperators
from .onnx_plan import operator
from .onnx_shapes import Node, step_of

NO_EFFECT = ("Identity", "Dropout")
# Operators of one input without parameters
ACTIVATIONS = {
    "Relu": "relu",
    "Sigmoid": "sigmoid",
    "Tanh": "tanh",
    "Softplus": "softplus",
    "HardSwish": "hard_swish",
}
UNARY = {"Exp": "exp", "Log": "log", "Sqrt": "sqrt", "Neg": "negative", "Abs": "abs"}
# Operators of one input with a parameter `alpha`, and its default
WITH_ALPHA = {"LeakyRelu": ("leaky_relu", 0.01), "Elu": ("elu", 1.0)}
ARITHMETIC = {"Add": "+", "Sub": "-", "Mul": "*", "Div": "/"}
FLOATS_NOTE = (
    "quantised in a way that fits no int8 network of ours: read as floats with the weights as they are; values between "
    "layers are neither rounded to integers nor limited to the range of the calibration"
)


class Operators(MoveOperators):
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
        """PRelu: a slope for all, for each channel, or for each element."""
        slope = node.constant(1, "the slope").astype(np.float64)
        rank = len(node.shape(0))
        if slope.ndim == 1 and rank > 2 and slope.size == node.shape(0)[1] != node.shape(0)[-1]:
            slope = slope.reshape(-1, *[1] * (rank - 2))  # before opset 7 a slope was a channel's
        if not slope.size:
            raise ModelError(f"{step.where}: expected a slope, got none")
        self.flow.prelu(step, node.key(0), slope)

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
        """Clip."""
        self.flow.clip(step, node.key(0), *self.limits(step, node))

    def limits(self, step: Step, node: Node) -> tuple[float, float]:
        """Return the least and the greatest value of a Clip; what no float16 exceeds is infinite."""
        low, high = (
            float(node.constant(i, name).reshape(-1)[0])
            if node.has(i)
            else float(node.attribute(name, default))
            for i, name, default in ((1, "min", -math.inf), (2, "max", math.inf))
        )
        if not low <= high:
            raise ModelError(f"{step.where}: clipping to {low:g} ... {high:g} is not supported")
        return (low if low > -65504 else -math.inf), (high if high < 65504 else math.inf)

    def extreme(self, step: Step, node: Node) -> None:
        """Min, Max of values and constant numbers."""
        budget.operations(node.count)
        self.flow.extreme(step, step.op == "Max", [node.key(i) for i in range(node.count)])

    def unary(self, step: Step, node: Node) -> None:
        """Exp, Log, Sqrt, Neg, Abs; Abs of what is never negative has no effect."""
        if step.op == "Abs" and self.flow.is_between(step, node.key(0), "relu"):
            return self.flow.same(step, node.key(0))
        return self.flow.unary(step, node.key(0), UNARY[step.op])

    def power(self, step: Step, node: Node) -> None:
        """Pow with 2, 1, 1/2 or -1/2."""
        exponent = node.constant(1, "the exponent")
        names = {2.0: "square", 0.5: "sqrt", -0.5: "rsqrt"}
        number = float(exponent.reshape(-1)[0]) if exponent.size == 1 else math.nan
        if number == 1:
            return self.flow.same(step, node.key(0))
        if number not in names:
            raise ModelError(f"{step.where}: supported are the exponents 2, 1, 0.5 and -0.5, got {number:g}")
        return self.flow.unary(step, node.key(0), names[number])

    def arithmetic(self, step: Step, node: Node) -> None:
        """Add, Sub, Mul, Div."""
        self.flow.arithmetic(step, ARITHMETIC[step.op], node.key(0), node.key(1))

    def modulo(self, step: Step, node: Node) -> None:
        """Mod of constants, which sizes of an export are."""
        c = [node.constant(i, "its input").astype(np.int64) for i in range(2)]
        if not c[1].all():
            raise ModelError(f"{step.where} by zero")
        self.flow.constants[step.output] = self.flow.fold(step, np.mod, *c)

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
        elif to in (1, 10, 11, 16) or (
            to in (6, 7) and self.flow.as_it_lies(step, node.key(0)).pattern == "whole"
        ):
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
    **dict.fromkeys(
        ("DynamicQuantizeLinear", "MatMulInteger", "QLinearMatMul", "com.microsoft.QGemm"), _QDQ_HINT
    ),
}
# Of operators that are supported with constants.
JOINT_HINTS = {
    "Div": "if that is a part of a layer norm, export with opset 17 or later, which have it whole",
    "MatMul": "of attention, say; convolutions over time may do its work",
}
OPERATORS = {
    "Gemm": Operators.gemm,
    "MatMul": Operators.matmul,
    "PRelu": Operators.prelu,
    "HardSigmoid": Operators.hard_sigmoid,
    "Gelu": Operators.gelu,
    "Swish": Operators.swish,
    "Min": Operators.extreme,
    "Max": Operators.extreme,
    "Pow": Operators.power,
    "Clip": Operators.clip,
    "Sum": Operators.sum,
    "Mod": Operators.modulo,
    "Reshape": Operators.reshape,
    "Flatten": Operators.flatten,
    "Squeeze": Operators.squeeze,
    "Unsqueeze": Operators.unsqueeze,
    "Transpose": Operators.transpose,
    "Cast": Operators.cast,
    "Erf": Operators.erf,
    "Greater": Operators.greater,
    "Where": Operators.where,
    "Constant": Operators.constant,
    "ConstantOfShape": Operators.constant_of_shape,
    "Shape": Operators.shape,
    "QuantizeLinear": Operators.quantize,
    "DequantizeLinear": Operators.dequantize,
    **dict.fromkeys(UNARY, Operators.unary),
    **dict.fromkeys(ACTIVATIONS, Operators.activation),
    **dict.fromkeys(WITH_ALPHA, Operators.with_alpha),
    **dict.fromkeys(ARITHMETIC, Operators.arithmetic),
    **dict.fromkeys(NO_EFFECT, Operators.same),
}
OPERATORS |= onnx_images.OPERATORS | onnx_moves.OPERATORS | onnx_ml.OPERATORS
# Those that work element by element, as parts of what an activation is spelled out with.
ELEMENTWISE = {
    *ACTIVATIONS,
    *WITH_ALPHA,
    *NO_EFFECT,
    *UNARY,
    "Cast",
    "Clip",
    "Erf",
    "Greater",
    "Max",
    "Min",
    "Pow",
    "HardSigmoid",
    "PRelu",
    "ReduceSum",
}
