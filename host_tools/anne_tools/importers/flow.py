"""Builds a Graph from a framework's list of operations on named values, as ONNX, TFLite and torch.export have it.

    flow = Flow()
    flow.input("image", key, (1, 8, 8))          # for each input
    flow.dense(step, key, weights, bias)         # for each operation
    graph = flow.graph([last], Metadata(), names=["score"])

What values are stands in `flow_values`; arithmetic that is an activation spelled out, in `flow_patterns`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from ..errors import ModelError
from ..layers import Activation, Add, Dense, Pad, Scaling
from ..network.layer import Layer
from ..network.tensor import Quantization
from . import budget
from .flow_patterns import Patterns
from .flow_values import Key, Step, Value, label, without_batch  # noqa: F401 - importers have them from here

MAX_RANK = 8


class Flow(Patterns):
    """The graph under construction, and what operations do to it."""

    # What operations make

    def layer(self, step: Step, keys: Key | list[Key], kind: type[Layer], *args, **kwargs) -> Value:
        """Append a layer of any kind, which reads the value `keys`, or several in a list; its output is the step's.

        The arguments are the class's own, behind the names of its inputs and outputs. Its room tells the shape, to
        which the batch axis comes back. Where a kind keeps values, they keep their scale, too. Return what it makes.
        """
        x = [self.value(step, key) for key in (keys if isinstance(keys, list) else [keys])]
        for argument in (*args, *kwargs.values()):
            if isinstance(argument, np.ndarray):
                budget.elements(step.where, argument.shape)
        layer = kind(step.name, [value.tensor for value in x], "", *args, source=step.op, **kwargs)
        (shape,) = layer.output_shapes([without_batch(value.shape) for value in x], [()], step.where)
        if any(without_batch(value.shape) != value.shape for value in x):
            shape = (1, *shape)
        budget.elements(step.where, shape)
        if layer.keeps_values:
            step = replace(step, quantization=self.tensors[x[0].tensor].quantization)
        self.values[step.output] = made = self._made(step, layer, shape)
        return made

    def dense(
        self,
        step: Step,
        key: Key,
        weights: np.ndarray,
        bias: np.ndarray | None,
        activation: str = "linear",
        quantization: Quantization | None = None,
    ) -> None:
        """weights (n_out, n_in) times the last axis of a value whose other axes are 1, plus bias.

        int8 weights are kept with their `quantization`, and an int32 bias with them; all else becomes float32.
        """
        x = self.value(step, key)
        if weights.ndim != 2:
            raise ModelError(f"{step.where}: expected weights of two axes, got shape {weights.shape}")
        n_out, n_in = weights.shape
        if x.shape[-1] != n_in or math.prod(x.shape) != n_in:
            raise ModelError(f"{step.where}: expected {n_in} inputs, got shape {x.shape[1:] or x.shape}")
        bias = np.zeros(n_out) if bias is None else bias
        if bias.size not in (1, n_out):
            raise ModelError(f"{step.where}: expected {n_out} values of bias, got {bias.size}")
        bias = np.broadcast_to(bias.reshape(-1), (n_out,)).astype(
            np.int32 if step.dtype == "int8" else np.float32
        )
        budget.elements(step.where, weights.shape)
        weights = np.ascontiguousarray(weights, np.float32 if quantization is None else np.int8)
        flat = self.reshaped(step, x, (1, n_in))
        made = self._layer(step, Dense, flat, (1, n_out), weights, bias, activation, 0.0, quantization)
        self.values[step.output] = self.reshaped(step, made, x.shape[:-1] + (n_out,))

    def activation(self, step: Step, key: Key, name: str, alpha: float = 0.0) -> None:
        """An activation, element by element."""
        x = self.value(step, key)
        made = self._layer(step, Activation, x, x.shape, name, alpha)
        self.values[step.output] = Value(made.tensor, made.shape, name, x)

    def softmax(self, step: Step, key: Key, axis: int) -> None:
        """Softmax along `axis`, which must be the last, or have only axes of 1 behind it."""
        x = self.value(step, key)
        axis += len(x.shape) if axis < 0 else 0
        if not 0 <= axis < len(x.shape) or math.prod(x.shape) != x.shape[axis]:
            raise ModelError(
                f"{step.where}: along axis {axis} of shape {x.shape} is not supported; supported: all of a row"
            )
        flat = self.reshaped(step, x, (1, x.shape[axis]))
        made = self._layer(step, Activation, flat, flat.shape, "softmax", 0.0)
        self.values[step.output] = self.reshaped(step, made, x.shape)

    def scaling(self, step: Step, key: Key, scale, offset, axis: int = -1) -> None:
        """value * scale + offset; both are one number, or one along `axis`, behind which all axes must be 1."""
        x = self._any_value(step, key)
        scale, offset = np.asarray(scale, np.float64).reshape(-1), np.asarray(offset, np.float64).reshape(-1)
        if scale.size == offset.size == 1 and self._scalar_pattern(
            step, x, float(scale[0]), float(offset[0])
        ):
            return
        x = self.value(step, key)
        axis += len(x.shape) if axis < 0 else 0
        n = x.shape[axis] if axis < len(x.shape) else 0
        if max(scale.size, offset.size) > 1 and n != math.prod(x.shape[axis:]):
            raise ModelError(
                f"{step.where}: constants along axis {axis} of shape {x.shape} are not supported"
            )
        for array in (scale, offset):
            if array.size not in (1, n):
                raise ModelError(f"{step.where}: expected 1 or {n} constants, got {array.size}")
        budget.elements(step.where, (n,))
        shape = x.shape if n == x.shape[-1] else x.shape[: axis + 1]
        flat, n = self.reshaped(step, x, shape), shape[-1]
        made = self._layer(
            step, Scaling, flat, shape, *(np.broadcast_to(a, (n,)).copy() for a in (scale, offset))
        )
        made = self.reshaped(step, made, x.shape)
        if scale.size == offset.size == 1:
            what = ("scaled", float(scale[0])) if offset[0] == 0 else ("shifted", float(offset[0]))
            if (scale[0], offset[0]) == (-1, 1):
                what = ("1 - x", 1.0)
            if offset[0] == 0 or scale[0] == 1 or what[0] == "1 - x":
                made = Value(made.tensor, made.shape, what[0], x, what[1])
        self.values[step.output] = made

    def batch_norm(self, step: Step, key: Key, weight, bias, mean, variance, epsilon: float) -> None:
        """(value - mean) / sqrt(variance + epsilon) * weight + bias along axis 1; weight None is 1, bias None is 0."""
        mean, variance = np.asarray(mean, np.float64), np.asarray(variance, np.float64)
        weight = np.ones(mean.shape) if weight is None else np.asarray(weight, np.float64)
        bias = np.zeros(mean.shape) if bias is None else np.asarray(bias, np.float64)
        factor = self.fold(step, lambda w, v: w / np.sqrt(v + epsilon), weight, variance)
        self.scaling(
            step, key, factor, self.fold(step, lambda b, m, f: b - m * f, bias, mean, factor), axis=1
        )

    def arithmetic(self, step: Step, op: str, left: Key, right: Key) -> None:
        """left op right, for op + - * /: of constants an array, of a constant and a value a Scaling, of two
        values a pattern, or the sum or difference of one shape."""
        on_left, on_right = left in self.constants, right in self.constants
        if on_left and on_right:
            self.constants[step.output] = self.fold(
                step, OPERATIONS[op], self.constants[left], self.constants[right]
            )
            return
        if not (on_left or on_right):
            return self._of_two(step, op, left, right)
        key = right if on_left else left
        c = self._row(step, self._any_value(step, key), self.constants[left if on_left else right])
        if op == "/" and (on_left or not c.all()):
            raise ModelError(f"{step.where}: supported is division by a constant without zeros")
        if op == "+" and self._add_to_bias(step, key, c):
            return
        scale, offset = {
            "+": lambda: (1.0, c),
            "-": lambda: (-1.0, c) if on_left else (1.0, -c),
            "*": lambda: (c, 0.0),
            "/": lambda: (1 / c, 0.0),
        }[op]()
        self.scaling(step, key, scale, offset)

    def _of_two(self, step: Step, op: str, left: Key, right: Key) -> None:
        """left op right, both computed: a pattern, or an Add, for a difference behind a Scaling."""
        a, b = self._any_value(step, left), self._any_value(step, right)
        if op == "/" and self._is_own_sum(a, b):
            return self.same(step, left)
        if op == "*" and self._product(step, a, b):
            return
        if op not in ("+", "-") or (op == "-" and step.dtype != "float32"):
            raise ModelError(
                f"{step.where} of two computed values is not supported; supported: with a constant"
            )
        if op == "-":
            negative = replace(step, output=(step.output, "negative"))
            self.scaling(negative, right, -1.0, 0.0)
            right = negative.output
        self.add(step, left, right)

    def add(self, step: Step, left: Key, right: Key, activation: str = "linear") -> None:
        """activation(left + right), both computed and of one shape."""
        a, b = self.value(step, left), self.value(step, right)
        if without_batch(a.shape) != without_batch(b.shape):
            raise ModelError(
                f"{step.where} of two computed values: expected one shape, got {a.shape} and {b.shape}; "
                "broadcasting of computed values is not supported"
            )
        shape = max(a.shape, b.shape, key=len)
        self.values[step.output] = self._layer(step, Add, (a, b), shape, activation)

    def reshape(self, step: Step, key: Key, shape: Sequence[int]) -> None:
        """The same elements under another shape, of which one axis may be -1; constants are reshaped at once."""
        if key in self.constants:
            self.constants[step.output] = self.fold(step, np.reshape, self.constants[key], tuple(shape))
            return
        x = self.value(step, key)
        if len(shape) > MAX_RANK:
            raise ModelError(f"{step.where}: {len(shape)} axes are more than the limit of {MAX_RANK}")
        target, size = [int(d) for d in shape], math.prod(x.shape)
        if target and target[0] == self.batch:
            target[0] = 1
        known = math.prod(d for d in target if d != -1)
        if target.count(-1) == 1 and known:
            target[target.index(-1)] = size // known
        if not target or min(target) < 1 or math.prod(target) != size:
            raise ModelError(f"{step.where}: cannot reshape {x.shape} to {tuple(shape)}")
        self.values[step.output] = self.reshaped(step, x, tuple(target))

    def pad(self, step: Step, key: Key, widths: Sequence[tuple[int, int]], value: float) -> None:
        """`value` before and after the elements of each axis, the batch axis among them, to which none may come."""
        x = self.value(step, key)
        if len(widths) != len(x.shape):
            raise ModelError(f"{step.where}: expected padding of {len(x.shape)} axes, got {len(widths)}")
        shape = tuple(before + n + after for (before, after), n in zip(widths, x.shape, strict=True))
        if min(min(width) for width in widths) < 0 or (len(shape) > 1 and shape[0] != x.shape[0]):
            raise ModelError(
                f"{step.where}: padding by {list(widths)} of shape {x.shape} is not supported; supported is what makes "
                "axes behind the first longer"
            )
        before, after = zip(*(widths[1:] if len(without_batch(shape)) < len(shape) else widths), strict=True)
        self.layer(step, key, Pad, before, after, value)

    def same(self, step: Step, key: Key) -> None:
        """An operation without effect: its output is its input."""
        if key in self.constants:
            self.constants[step.output] = self.constants[key]
        else:
            self.values[step.output] = self._any_value(step, key)

    def transpose(self, step: Step, key: Key, order: Sequence[int]) -> None:
        """Axes in another order: of a constant, or where only axes of 1 move."""
        if key in self.constants:
            self.constants[step.output] = self.fold(step, np.transpose, self.constants[key], tuple(order))
            return
        x = self.value(step, key)
        if sorted(order) != list(range(len(x.shape))):
            raise ModelError(f"{step.where}: axes {tuple(order)} do not fit shape {x.shape}")
        moved = [axis for axis in order if x.shape[axis] > 1]
        if moved != sorted(moved):
            raise ModelError(
                f"{step.where} of computed values is not supported, got axes {tuple(order)} of {x.shape}"
            )
        self.values[step.output] = self.reshaped(step, x, tuple(x.shape[axis] for axis in order))

    def fold(self, step: Step, function: Callable, *args) -> np.ndarray:
        """Return function(*args) on constants; ModelError where numpy refuses, or where too much would be computed."""
        arrays = [a for a in args if isinstance(a, np.ndarray)]
        try:
            budget.elements(step.where, np.broadcast_shapes(*(a.shape for a in arrays)))
            with np.errstate(all="ignore"):
                return np.asarray(function(*args))
        except ModelError:
            raise
        except (TypeError, ValueError, IndexError) as error:
            raise ModelError(f"{step.where}: {str(error)[:150]}") from error

    # Helpers

    def _row(self, step: Step, x: Value, c: np.ndarray) -> np.ndarray:
        """Return constant `c` as one number or one along the last axis; ModelError where it spreads otherwise."""
        if c.size == 1 and c.ndim <= len(x.shape):
            return c.astype(np.float64).reshape(-1)
        if c.ndim > len(x.shape) or c.size != c.shape[-1] or c.size != x.shape[-1]:
            raise ModelError(f"{step.where}: expected one constant or {x.shape[-1]}, got shape {c.shape}")
        return c.astype(np.float64).reshape(-1)


OPERATIONS: dict[str, Callable] = {"+": np.add, "-": np.subtract, "*": np.multiply, "/": np.divide}
