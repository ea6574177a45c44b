"""The part of a Flow that scales, adds and multiplies: by constants, and two computed values."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from ..errors import ModelError
from ..layers import Scaling, room
from . import axes as lying
from . import budget
from .flow_patterns import Patterns
from .flow_values import SPREAD, Key, Step, Value


def _divided(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """a / b; of integers, as shapes are computed, without what is left."""
    return np.trunc(a / b).astype(a.dtype) if a.dtype.kind == b.dtype.kind == "i" else a / b


OPERATIONS: dict[str, Callable] = {"+": np.add, "-": np.subtract, "*": np.multiply, "/": _divided}
# Constants along axes that do not lie last in a tensor are repeated for those behind them, up to so many in all; above
# that the tensor is moved.
MOST_REPEATED = 4096
# The kinds of layers that compute two values' sum, difference or product.
KINDS = {"+": "add", "-": "subtract", "*": "multiply"}


class Arithmetic(Patterns):
    """Sums, differences, products and quotients, and what is made of them."""

    def scaling(self, step: Step, key: Key, scale, offset, axis: int = -1) -> None:
        """value * scale + offset; both are one number, or one along `axis`."""
        shape = self._any_value(step, key).shape
        scale, offset = np.asarray(scale, np.float64).reshape(-1), np.asarray(offset, np.float64).reshape(-1)
        spread = [1] * len(shape)
        if max(scale.size, offset.size) > 1:
            if not -len(shape) <= axis < len(shape):
                raise ModelError(
                    f"{step.where}: constants along axis {axis} of shape {shape} are not supported"
                )
            for array in (scale, offset):
                if array.size not in (1, shape[axis]):
                    raise ModelError(f"{step.where}: expected 1 or {shape[axis]} constants, got {array.size}")
            spread[axis] = -1
        scale, offset = (a.reshape(spread if a.size > 1 else [1] * len(shape)) for a in (scale, offset))
        self.scaled(step, key, scale, offset)

    def scaled(self, step: Step, key: Key, scale: np.ndarray, offset: np.ndarray) -> None:
        """value * scale + offset, both of as many axes as the value, each of its length or 1."""
        if scale.size == offset.size == 1:
            return self._scaled_by_one(step, key, float(scale.reshape(())), float(offset.reshape(())))
        x, (scale, offset) = self.rows_of(step, self.as_it_lies(step, key), scale, offset)
        self.values[step.output] = self._rows_scaled(step, x, scale, offset)

    def _scaled_by_one(self, step: Step, key: Key, factor: float, shift: float) -> None:
        """value * factor + shift, perhaps as part of a pattern."""
        if self._scalar_pattern(step, self._any_value(step, key), factor, shift):
            return
        x = self.as_it_lies(step, key)
        n = self.tensors[x.tensor].shape[-1]
        budget.elements(step.where, (n,))
        made = self._rows_scaled(step, x, *(np.full(n, number) for number in (factor, shift)))
        what = ("scaled", factor) if shift == 0 else ("shifted", shift)
        if (factor, shift) == (-1, 1):
            what = ("1 - x", 1.0)
        if shift == 0 or factor == 1 or what[0] == "1 - x":
            made = replace(made, pattern=what[0], base=x, factor=what[1])
        self.values[step.output] = made

    def _rows_scaled(self, step: Step, x: Value, scale: np.ndarray, offset: np.ndarray) -> Value:
        """Append a Scaling of each row of x's tensor, rows as long as the constants."""
        if (dtype := self.tensors[x.tensor].dtype) != "float32":
            raise ModelError(f"{step.where} of a constant and {dtype} is not supported; supported: float32")
        return self.by_rows(step, x, len(scale), Scaling, scale, offset)

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
        values a pattern, or a layer of their sum, difference or product."""
        on_left, on_right = left in self.constants, right in self.constants
        if on_left and on_right:
            self.constants[step.output] = self.fold(
                step, OPERATIONS[op], self.constants[left], self.constants[right]
            )
            return
        if not (on_left or on_right):
            return self._of_two(step, op, left, right)
        key = right if on_left else left
        c = self.spread_over(step, self._any_value(step, key), self.constants[left if on_left else right])
        if op == "/" and (on_left or not c.all()):
            raise ModelError(f"{step.where}: supported is division by a constant without zeros")
        if op == "+" and self._add_to_bias(step, key, c):
            return
        one, none = np.ones([1] * c.ndim), np.zeros([1] * c.ndim)
        scale, offset = {
            "+": lambda: (one, c),
            "-": lambda: (-one, c) if on_left else (one, -c),
            "*": lambda: (c, none),
            "/": lambda: (1 / c, none),
        }[op]()
        self.scaled(step, key, scale, offset)

    def spread_over(self, step: Step, x: Value, c: np.ndarray) -> np.ndarray:
        """Return constant `c` with as many axes as the value; ModelError where it does not spread over that."""
        shape = (1,) * (len(x.shape) - c.ndim) + c.shape
        if c.ndim > len(x.shape) or any(n not in (1, size) for n, size in zip(shape, x.shape, strict=True)):
            raise ModelError(f"{step.where}: expected one constant or {x.shape[-1]}, got shape {c.shape}")
        return c.astype(np.float64).reshape(shape)

    # Of two computed values

    def _of_two(self, step: Step, op: str, left: Key, right: Key) -> None:
        """left op right, both computed: a pattern, or a layer of its own."""
        a, b = self._any_value(step, left), self._any_value(step, right)
        if op == "/" and self._is_own_sum(a, b):
            return self.same(step, left)
        if op == "*" and self._product(step, a, b):
            return
        if op not in KINDS:
            raise ModelError(
                f"{step.where} of two computed values is not supported; supported: with a constant"
            )
        self.combine(step, op, left, right)

    def add(self, step: Step, left: Key, right: Key, activation: str = "linear") -> None:
        """activation(left + right), both computed."""
        self.combine(step, "+", left, right, activation)

    def combine(self, step: Step, op: str, left: Key, right: Key, activation: str = "linear") -> None:
        """activation(left op right), both computed; one of them may spread over axes of the other."""
        a, b = self.as_it_lies(step, left), self.as_it_lies(step, right)
        if a.shape == b.shape and (a.pattern == SPREAD) != (b.pattern == SPREAD):
            a, b = (x.base if x.pattern == SPREAD else x for x in (a, b))  # the layer spreads by itself
        rank = max(len(a.shape), len(b.shape))
        a, b = (replace(x, shape=(1,) * (rank - len(x.shape)) + x.shape) for x in (a, b))
        if not all(m == n or 1 in (m, n) for m, n in zip(a.shape, b.shape, strict=True)):
            raise ModelError(
                f"{step.where} of two computed values: expected one shape, or one that spreads over the other, got "
                f"{a.shape} and {b.shape}"
            )
        if a.shape == b.shape and a.axes == b.axes:
            b, order = self._under(step, b, self.tensors[a.tensor].shape), None
        else:
            lead = a if math.prod(a.shape) >= math.prod(b.shape) else b
            order = self.order_of(step, lead) or tuple(range(rank))
            a, b = self.arranged(step, a, order), self.arranged(step, b, order)
        made = self.placed(step, [a, b], room(KINDS[op]), activation)
        shape = np.broadcast_shapes(a.shape, b.shape)
        axes = a.axes if order is None else lying.arranged(None, shape, order)
        self.values[step.output] = replace(made, shape=shape, axes=axes)

    def extreme(self, step: Step, is_greatest: bool, keys: Sequence[Key]) -> None:
        """The greatest, or least, element by element, of computed values and constant numbers."""
        budget.operations(len(keys))
        values = [key for key in keys if key not in self.constants]
        constants = [np.asarray(self.constants[key]) for key in keys if key in self.constants]
        if not values or any(constant.size != 1 for constant in constants):
            raise ModelError(f"{step.where} is supported of computed values and constant numbers")
        numbers = [float(constant.reshape(())) for constant in constants]
        made = values[0]
        for position, key in enumerate(values[1:], 1):
            is_last = position == len(values) - 1 and not numbers
            each = step if is_last else replace(step, output=(step.output, position))
            self._extreme_of_two(each, is_greatest, made, key)
            made = each.output
        if numbers:
            least = max(numbers) if is_greatest else -math.inf
            self.clip(step, made, least, math.inf if is_greatest else min(numbers))
        elif len(values) == 1:
            self.same(step, made)

    def _extreme_of_two(self, step: Step, is_greatest: bool, left: Key, right: Key) -> None:
        """max(left, right) = right + relu(left - right); min = right - relu(right - left).

        A sum of floats: off by a rounding of the larger magnitude, and NaN where `right` is infinite and loses.
        """
        beyond = replace(step, output=(step.output, "beyond"))
        self.combine(beyond, "-", *((left, right) if is_greatest else (right, left)), "relu")
        self.combine(step, "+" if is_greatest else "-", right, beyond.output)

    # Rows

    def with_last(self, step: Step, x: Value, last: Sequence[int]) -> tuple[Value, tuple[int, ...]]:
        """Return (x, order of its axes) where the axes `last` lie behind all others, in the order they have.

        The tensor's shape may be any; axes of 1 come first in the order.
        """
        order = self.order_of(step, x) or tuple(range(len(x.shape)))
        ones = tuple(axis for axis in order if x.shape[axis] == 1)
        order = tuple(axis for axis in order if x.shape[axis] > 1)
        n = sum(axis in last for axis in order)
        if not all(axis in last for axis in order[len(order) - n :]):
            order = tuple(a for a in order if a not in last) + tuple(a for a in order if a in last)
        order = ones + order
        return (x if lying.lies(x.axes, x.shape, order) else self.arranged(step, x, order)), order

    def rows_of(self, step: Step, x: Value, *constants: np.ndarray) -> tuple[Value, list[np.ndarray]]:
        """Return (x, constants as rows) for constants of as many axes as x, each of its length or 1: the axes along
        which they differ lie last in x's tensor, and a row has one number for each element of those."""
        sizes = zip(*(c.shape for c in constants), strict=True)
        along = [axis for axis, each in enumerate(sizes) if max(each) > 1]
        order = self.order_of(step, x)
        last = _from_first(order or (), along, x.shape)
        if order is None or math.prod(x.shape[axis] for axis in last) > MOST_REPEATED:
            x, order = self.with_last(step, x, along)
            last = _from_first(order, along, x.shape)
        shape = tuple(x.shape[axis] for axis in last)
        budget.elements(step.where, (len(constants), math.prod(shape)))
        rows = (c.transpose(order).reshape([c.shape[axis] for axis in last]) for c in constants)
        return x, [np.broadcast_to(row, shape).reshape(-1) for row in rows]

    def by_rows(self, step: Step, x: Value, width: int, kind, *args) -> Value:
        """Append a layer that works on rows of `width` elements of x's tensor, whatever shape that has."""
        given = self.tensors[x.tensor].shape
        size = math.prod(given)
        rows = (width,) if size == width else given if given[-1] == width else (size // width, width)
        made = self._under(step, self.placed(step, [self._under(step, x, rows)], kind, *args), given)
        return replace(made, shape=x.shape, axes=x.axes)


def _from_first(order: Sequence[int], along: Sequence[int], shape: Sequence[int]) -> list[int]:
    """The axes in `order`, but for those of 1, from the first on that is one of `along`."""
    axes = [axis for axis in order if shape[axis] > 1]
    return axes[min((axes.index(axis) for axis in along if axis in axes), default=0) :]
