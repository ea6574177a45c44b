"""What PyTorch and ONNX do along axes of values of any shape: reduce, join, cut, pad, normalise."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np

from ..errors import ModelError
from ..layers import Activation, ArgMax, Clip, Concatenate, Embedding, LayerNorm, Pad, Prelu, Reduce, Slice
from . import axes as lying
from . import budget
from .flow import Flow, Key, Step, Value
from .flow_axes import MAX_TENSOR_RANK


class Moves(Flow):
    """The operations, each on the axes of the framework's own shape, the batch among them."""

    def _on_axes(
        self, step: Step, x: Value, acting: Iterable[int], order: Sequence[int] | None = None
    ) -> tuple[Value, tuple[int, ...], list[int]]:
        """Return (x, its order, the axis of each axis of its tensor), the axes `acting` among those.

        The order is the given one, or that which it has.
        """
        acting = set(acting)
        order = tuple(order or self.order_of(step, x) or range(len(x.shape)))
        if 0 in acting and len(x.shape) > 1 and x.shape[0] == 1:
            raise ModelError(f"{step.where}: along the batch axis of shape {x.shape} is not supported")
        x = self.arranged(step, x, order)
        dims = [axis for axis in order if axis in acting or x.shape[axis] > 1] or [order[-1]]
        ones = [
            axis for axis in order if axis not in dims and axis != 0 or x.shape[0] > 1 and axis not in dims
        ]
        room = MAX_TENSOR_RANK - len(dims)
        kept = set(ones[: max(room, 0)])
        dims = [axis for axis in order if axis in dims or axis in kept]
        if len(dims) > MAX_TENSOR_RANK:
            raise ModelError(
                f"{step.where}: {len(dims)} axes are more than the {MAX_TENSOR_RANK} of a tensor, got shape {x.shape}"
            )
        return self._under(step, x, tuple(x.shape[axis] for axis in dims)), order, dims

    def _axis(self, step: Step, x: Value, axis: int) -> int:
        rank = len(x.shape)
        if not -rank <= axis < rank:
            raise ModelError(f"{step.where}: axis {axis} does not exist, there are {rank}")
        return axis % rank

    def _set(self, step: Step, made: Value, shape: Sequence[int], order: Sequence[int]) -> None:
        """The step's output is what a layer has made, a value of `shape` whose axes lie in `order`."""
        shape = tuple(shape)
        self.values[step.output] = replace(made, shape=shape, axes=lying.arranged(None, shape, order))

    def _without(self, step: Step, made: Value, x: Value, order, gone: set[int], keepdims: bool) -> None:
        """The step's output is `made` of x, without the axes `gone` or with 1 in their places."""
        shape = [1 if axis in gone else size for axis, size in enumerate(x.shape)]
        if not keepdims:
            kept = [axis for axis in range(len(shape)) if axis not in gone]
            order = [kept.index(axis) for axis in order if axis in kept]
            shape = [shape[axis] for axis in kept]
        if not shape:
            shape, order = [1], [0]
        self._set(step, made, shape, order)

    def reduce(self, step: Step, key: Key, operation: str, axes: Iterable[int], keepdims: bool) -> None:
        """The mean, sum, max or min along axes."""
        x = self.as_it_lies(step, key)
        gone = {self._axis(step, x, axis) for axis in axes}
        if 0 in gone and len(x.shape) > 1 and self.batch not in (None, 1):
            raise ModelError(
                f"{step.where}: along the batch axis, of {self.batch} in the file, is not supported"
            )
        along = {axis for axis in gone if x.shape[axis] > 1 or axis}
        if not along or math.prod(x.shape[axis] for axis in along) == 1:
            order = self.order_of(step, x) or tuple(range(len(x.shape)))
            return self._without(step, self.arranged(step, x, order), x, order, gone, keepdims)
        x, order, dims = self._on_axes(step, x, along)
        places = tuple(dims.index(axis) for axis in sorted(along, key=dims.index))
        made = self.placed(step, [x], Reduce, operation, places)
        return self._without(step, made, x, order, gone, keepdims)

    def arg_max(self, step: Step, key: Key, axis: int, keepdims: bool) -> None:
        """The index of the greatest value along an axis."""
        x = self.as_it_lies(step, key)
        axis = self._axis(step, x, axis)
        x, order = self.with_last(step, x, [axis])
        x, order, dims = self._on_axes(step, x, [axis], (*(a for a in order if a != axis), axis))
        made = self.placed(step, [x], ArgMax)
        self._without(step, made, x, order, {axis}, keepdims)

    def concatenate(self, step: Step, keys: Sequence[Key], axis: int) -> None:
        """Values one behind the other along an axis."""
        budget.steps(20 * len(keys), step.where)
        values = [self.as_it_lies(step, key) for key in keys]
        first = values[0]
        axis = self._axis(step, first, axis)
        for value in values:
            if len(value.shape) != len(first.shape) or any(
                a != b for i, (a, b) in enumerate(zip(value.shape, first.shape, strict=True)) if i != axis
            ):
                raise ModelError(
                    f"{step.where}: expected shapes that differ along axis {axis} only, got {first.shape} and "
                    f"{value.shape}"
                )
        if len(values) == 1:
            return self.same(step, keys[0])
        lead = max(values, key=lambda value: value.axes is not None)
        order = self.order_of(step, lead)
        placed = [self._on_axes(step, value, [axis], order) for value in values]
        dims = placed[0][2]
        arranged = [self._under(step, x, tuple(x.shape[a] for a in dims)) for x, _, _ in placed]
        made = self.placed(step, arranged, Concatenate, dims.index(axis))
        shape = list(first.shape)
        shape[axis] = sum(value.shape[axis] for value in values)
        return self._set(step, made, shape, placed[0][1])

    def slice(self, step: Step, key: Key, cuts: dict[int, tuple[int, int, int]]) -> None:
        """A part of a value: by axis (begin, size, step)."""
        x = self.as_it_lies(step, key)
        cuts = {axis: cut for axis, cut in cuts.items() if cut != (0, x.shape[axis], 1)}
        if not cuts:
            return self.same(step, key)
        if any(size < 1 for _, size, _ in cuts.values()):
            raise ModelError(f"{step.where}: nothing is left of shape {x.shape}")
        x, order, dims = self._on_axes(step, x, cuts)
        each = [cuts.get(axis, (0, x.shape[axis], 1)) for axis in dims]
        made = self.placed(step, [x], Slice, *(tuple(cut[i] for cut in each) for i in range(3)))
        shape = [cuts[axis][1] if axis in cuts else size for axis, size in enumerate(x.shape)]
        return self._set(step, made, shape, order)

    def pad(
        self, step: Step, key: Key, widths: Sequence[tuple[int, int]], value: float, mode: str = "constant"
    ) -> None:
        """`value`, or what a mode of Pad says, before and after the elements of each axis; negative: cut off."""
        x = self.as_it_lies(step, key)
        if len(widths) != len(x.shape):
            raise ModelError(f"{step.where}: expected padding of {len(x.shape)} axes, got {len(widths)}")
        if len(x.shape) > 1 and tuple(widths[0]) != (0, 0):
            raise ModelError(
                f"{step.where}: padding by {list(widths)} of shape {x.shape} is not supported; supported is what makes "
                "axes behind the first longer"
            )
        cuts = {
            axis: (max(0, -before), x.shape[axis] - max(0, -before) - max(0, -after), 1)
            for axis, (before, after) in enumerate(widths)
        }
        cut = replace(step, output=(step.output, "cut"))
        self.slice(cut, key, cuts)
        x = self.as_it_lies(step, cut.output)
        widths = [(max(0, before), max(0, after)) for before, after in widths]
        acting = [axis for axis, width in enumerate(widths) if width != (0, 0)]
        if not acting:
            return self.same(step, cut.output)
        x, order, dims = self._on_axes(step, x, acting)
        before, after = zip(*(widths[axis] for axis in dims), strict=True)
        shape = [n + sum(width) for n, width in zip(x.shape, widths, strict=True)]
        budget.value(step.where, shape)
        return self._set(step, self.placed(step, [x], Pad, before, after, value, mode), shape, order)

    def clip(self, step: Step, key: Key, least: float, most: float) -> None:
        """Values limited to least ... most: relu and relu6 if they are that."""
        name = {(0.0, 6.0): "relu6", (0.0, math.inf): "relu"}.get((least, most))
        if name:
            return self.activation(step, key, name)
        if least == -math.inf and most == math.inf:
            return self.same(step, key)
        x = self.as_it_lies(step, key)
        self.values[step.output] = self.alike(step, Clip, x, least, most)
        return None

    def prelu(self, step: Step, key: Key, slope: np.ndarray) -> None:
        """x, or slope x where that is negative; slope with as many axes as the value, each of its length or 1."""
        if slope.size and (slope == slope.reshape(-1)[0]).all():
            return self.activation(step, key, "leaky_relu", float(slope.reshape(-1)[0]))
        x = self.as_it_lies(step, key)
        x, (row,) = self.rows_of(step, x, self.spread_over(step, x, slope))
        row = row.astype(np.float32)
        self.values[step.output] = self.by_rows(step, x, len(row), Prelu, row)
        return None

    def layer_norm(self, step: Step, key: Key, axes: Iterable[int], gamma, beta, epsilon: float) -> None:
        """(x - mean) / sqrt(variance + epsilon) gamma + beta over the last axes, of which gamma and beta are."""
        x = self.as_it_lies(step, key)
        axes = sorted(axes)
        normed = x.shape[axes[0] :] if axes else ()
        if not axes or axes != list(range(len(x.shape)))[axes[0] :] or axes[0] == 0:
            raise ModelError(f"{step.where}: over axes {axes} of shape {x.shape} is not supported")
        budget.elements(step.where, (2, *normed))
        try:
            gamma, beta = (np.broadcast_to(np.asarray(a, np.float64), normed) for a in (gamma, beta))
        except ValueError:
            raise ModelError(f"{step.where}: expected weights of shape {normed}") from None
        x, order = self.with_last(step, x, axes)
        last = [axis - axes[0] for axis in order if axis in axes]
        rows = [a.transpose(last).reshape(-1).astype(np.float32) for a in (gamma, beta)]
        kind = LayerNorm
        self.values[step.output] = self.by_rows(step, x, math.prod(normed), kind, *rows, epsilon)

    def embedding(self, step: Step, key: Key, table: np.ndarray) -> None:
        """Rows of a table by the numbers in a value."""
        x = self.value(step, key)
        if table.ndim != 2:
            raise ModelError(f"{step.where}: expected a table of two axes, got shape {table.shape}")
        flat = self._under(step, x, (math.prod(x.shape),))
        made = self.placed(step, [flat], Embedding, table.astype(np.float32))
        shape = (*x.shape, table.shape[1])
        self._set(step, made, shape, range(len(shape)))

    def unary(self, step: Step, key: Key, name: str) -> None:
        """A function of one value, such as exp."""
        x = self.as_it_lies(step, key)
        self.values[step.output] = self.alike(step, Activation, x, name, 0.0)
