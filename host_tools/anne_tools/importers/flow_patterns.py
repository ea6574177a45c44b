"""Small arithmetic that frameworks spell out, recognised: x * sigmoid(x) is swish, x * (1 + erf(x / sqrt 2)) / 2 is
gelu, and so on.

A value remembers how it was made of another one. The layers that a pattern no longer needs stay, unused.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from ..errors import ModelError
from ..layers import Activation, Dense, Reshape
from ..network.layer import Layer
from . import budget
from .flow_axes import Arranged
from .flow_values import Key, Step, Value

MATMULS = ("MatMul", "matmul")
# How far from what they stand for the constants of a pattern may be: bfloat16 rounds as much, float16 less.
ROUNDING = 2**-9


class Patterns(Arranged):
    """The part of a Flow that looks at how values were made."""

    def erf(self, step: Step, key: Key) -> None:
        """The error function, as part of gelu."""
        x = self.as_it_lies(step, key)
        if x.pattern != "scaled" or not _is_about(x.factor, math.sqrt(0.5)):
            raise ModelError(f"{step.where} is supported as part of gelu only")
        self.values[step.output] = Value("", x.shape, "erf", x.base)

    def greater(self, step: Step, key: Key, threshold: np.ndarray) -> None:
        """value > threshold, as part of softplus, which PyTorch computes as x beyond 20."""
        x = self.as_it_lies(step, key)
        if threshold.size != 1 or float(threshold.reshape(())) < 15:
            raise ModelError(f"{step.where} is supported as part of softplus only")
        self.values[step.output] = Value("", x.shape, "x > threshold", x)

    def where(self, step: Step, condition: Key, left: Key, right: Key) -> None:
        """The left value where the condition holds, else the right: x beyond the threshold of softplus(x)."""
        c, x, y = (self._any_value(step, key) for key in (condition, left, right))
        if (
            c.pattern != "x > threshold"
            or y.pattern != "softplus"
            or not c.base.tensor == x.tensor == y.base.tensor
        ):
            raise ModelError(f"{step.where} is supported as part of softplus only")
        self.values[step.output] = y

    def are_both_classes(self, left: Key, right: Key) -> bool:
        """Whether the values are 1 - p and p of one sigmoid's output p."""
        no, yes = self.values[left], self.values[right]
        made = self._maker(yes)
        return (
            no.pattern == "1 - x"
            and no.base.tensor == yes.tensor
            and math.prod(yes.shape) == 1
            and isinstance(made, Activation)
            and made.activation == "sigmoid"
        )

    def both_classes(self, step: Step, right: Key) -> None:
        """1 - p and p of one sigmoid's output p side by side: the sigmoids of -z and z."""
        sigmoid = self._maker(self.value(step, right))
        z = Value(sigmoid.input, (1, 1))
        both, bias = np.array([[-1.0], [1.0]], np.float32), np.zeros(2, np.float32)
        last = self._maker(z)
        if isinstance(last, Dense) and last.activation == "linear" and last.weights_quantization is None:
            z, bias, both = (
                Value(last.input, (1, last.weights.shape[1])),
                both[:, 0] * last.bias,
                both @ last.weights,
            )
        scores = self._layer(step, Dense, self.reshaped(step, z, (1, both.shape[1])), (1, 2), both, bias)
        self.values[step.output] = self._layer(step, Activation, scores, (1, 2), "sigmoid", 0.0)

    def sums_to_one(self, step: Step, key: Key) -> bool:
        """Whether the value is a row of probabilities: of a softmax, or of the sigmoids of z and -z."""
        made = self._maker(self.as_it_lies(step, key))
        if not isinstance(made, Activation) or made.activation != "sigmoid":
            return isinstance(made, Activation) and made.activation == "softmax"
        scores = self._maker(Value(made.input, ()))
        return (
            isinstance(scores, Dense)
            and len(scores.weights) == 2
            and not (scores.weights[0] + scores.weights[1]).any()
            and not scores.bias.sum()
        )

    def row_sum(self, step: Step, key: Key) -> None:
        """The sum of a row of probabilities, by which a classifier may divide them."""
        x = self.value(step, key)
        if not self.sums_to_one(step, key):
            raise ModelError(
                f"{step.where} is supported behind softmax and sigmoids of two classes only (a classifier that is one "
                "against the rest divides by the sum of all)"
            )
        self.values[step.output] = Value("", (*x.shape[:-1], 1), "the sum", x)

    def is_between(self, step: Step, key: Key, name: str) -> bool:
        """Whether the layer that makes the value gives nothing that the activation `name`, relu or relu6, changes."""
        made = self._maker(self.as_it_lies(step, key))
        limited = {"relu6", "sigmoid", "hard_sigmoid", "softmax"} | (
            {"relu", "softplus"} if name == "relu" else set()
        )
        return isinstance(made, (Activation, Dense)) and made.activation in limited

    def _maker(self, value: Value) -> Layer | None:
        """Return the layer that computes `value`, however it was reshaped since; None for the input."""
        layer = self.maker.get(value.tensor)
        while isinstance(layer, Reshape):
            budget.steps(1, "reshapes")
            layer = self.maker.get(layer.input)
        return layer

    def _scalar_pattern(self, step: Step, x: Value, scale: float, offset: float) -> bool:
        """Continue (1 + erf) / 2 and x * (1 + erf) / 2 of gelu, relu6(x + 3) / 6 and x * relu6(x + 3) / 6."""
        if x.pattern == "erf" and scale == 1 and offset == x.factor:
            self.values[step.output] = Value("", x.shape, "1 + erf", x.base, x.factor)
        elif x.pattern in ("erf", "1 + erf") and offset == 0:
            self.values[step.output] = Value("", x.shape, x.pattern, x.base, x.factor * scale)
        elif x.pattern in ("x * (1 + erf)", "x * relu6(x + 3)") and offset == 0:
            self._finish(step, x, x.factor * scale)
        elif x.pattern == "relu6" and offset == 0 and _is_about(scale, 1 / 6) and _is_plus_3(x.base):
            made = self.alike(step, Activation, x.base.base, "hard_sigmoid", 0.0)
            self.values[step.output] = replace(made, pattern="hard_sigmoid", base=x.base.base)
        else:
            return False
        return True

    def _product(self, step: Step, a: Value, b: Value) -> bool:
        """Recognise a product of two values that come from one: swish, hard_swish, or a part of gelu."""
        for x, y in ((a, b), (b, a)):
            if y.base is None:
                continue
            if y.pattern in ("sigmoid", "hard_sigmoid") and x.tensor == y.base.tensor:
                name = {"sigmoid": "swish", "hard_sigmoid": "hard_swish"}[y.pattern]
                self.values[step.output] = self.alike(step, Activation, x, name, 0.0)
                return True
            factor = _factor(x, y.base)
            if y.pattern == "1 + erf" and factor is not None:
                self._finish(step, Value("", x.shape, "x * (1 + erf)", y.base), factor * y.factor)
                return True
            if (
                y.pattern == "relu6"
                and _is_plus_3(y.base)
                and (factor := _factor(x, y.base.base)) is not None
            ):
                self._finish(step, Value("", x.shape, "x * relu6(x + 3)", y.base.base), factor)
                return True
        return False

    def _is_own_sum(self, row: Value, divisor: Value) -> bool:
        """Whether `divisor` is the sum of the probabilities `row`, which is 1."""
        return divisor.pattern == "the sum" and bool(row.tensor) and row.tensor == divisor.base.tensor

    def _finish(self, step: Step, x: Value, factor: float) -> None:
        """Make gelu or hard_swish of a pattern times `factor` if that is the right one; else wait for the rest."""
        name, right = {"x * (1 + erf)": ("gelu", 0.5), "x * relu6(x + 3)": ("hard_swish", 1 / 6)}[x.pattern]
        if _is_about(factor, right):
            self.values[step.output] = self.alike(step, Activation, x.base, name, 0.0)
        else:
            self.values[step.output] = Value("", x.shape, x.pattern, x.base, factor)

    def _add_to_bias(self, step: Step, key: Key, c: np.ndarray) -> bool:
        """MatMul and Add are one Dense: append it; the one without bias stays for whoever else reads it."""
        x, last = self.values.get(key), self.layers[-1] if self.layers else None
        if last is None or last.kind not in ("dense", "conv") or last.source not in MATMULS:
            return False
        if x is None or x.tensor != last.output or c.size not in (1, c.shape[-1]):
            return False
        like = self.tensors[last.output].shape
        summed = replace(last, bias=(last.bias + c.reshape(-1)).astype(np.float32), source=step.op)
        made = replace(
            self._made(step, replace(summed, name=step.name), (1, *like)), shape=x.shape, axes=x.axes
        )
        self.values[step.output] = made
        return True


def _is_about(factor: float, right: float) -> bool:
    return math.isclose(factor, right, rel_tol=ROUNDING)


def _is_plus_3(x: Value | None) -> bool:
    return x is not None and x.pattern == "shifted" and x.factor == 3.0 and x.base is not None


def _factor(x: Value, base: Value) -> float | None:
    """Return c where x is c * base, else None."""
    if x.tensor and x.tensor == base.tensor:
        return 1.0
    if x.pattern == "scaled" and x.base is not None and x.base.tensor == base.tensor:
        return x.factor
    return None
