"""The part of a Flow that knows how values lie in their tensors (`axes`), and puts them as a layer needs them.

Where a tensor has the order that a layer asks for, but another shape, a Reshape gives it, which moves nothing; a
Transpose comes only where elements have to be moved, and once for all that read them so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ..errors import ModelError
from ..layers import Reshape, Transpose
from ..network.layer import Layer
from . import axes as lying
from . import budget
from .channels import IMAGE_RANKS
from .flow_values import Key, Step, Value, Values, without_batch

MAX_RANK = 8
MAX_TENSOR_RANK = 4
_MOVE_STEPS = 20


class Arranged(Values):
    """Values in the order of their axes that a layer needs."""

    def __init__(self):
        super().__init__()
        self._arranged: dict[tuple, Value] = {}

    def value(self, step: Step, key: Key) -> Value:
        """Return the value `key` in the order of its axes; ModelError as for `as_it_lies`."""
        return self.arranged(step, self.as_it_lies(step, key))

    def arranged(self, step: Step, x: Value, order: Sequence[int] | None = None) -> Value:
        """Return `x` in a tensor whose axes have that order, without a batch axis of 1; by default their own."""
        order = tuple(order or range(len(x.shape)))
        if x.axes is None and len(order) < 3 and self.tensors[x.tensor].shape == without_batch(x.shape):
            return x
        shape = without_batch(tuple(x.shape[axis] for axis in order))
        at = (x.tensor, x.axes, x.shape, order)
        if at in self._arranged:
            return replace(self._arranged[at], pattern=x.pattern, base=x.base, factor=x.factor)
        made = x if lying.lies(x.axes, x.shape, order) else self._moved(step, x, order)
        made = self._under(step, made, shape)
        made = replace(made, axes=lying.arranged(x.axes, x.shape, order))
        self._arranged[at] = made
        return made

    def _moved(self, step: Step, x: Value, order: tuple[int, ...]) -> Value:
        """Return `x` behind a Transpose that puts its axes in that order; two if they do not fit into each other."""
        budget.steps(_MOVE_STEPS, step.where)
        if lying.refined(x.axes, x.shape) is None:
            plain = x.axes.sizes
            x = replace(self.arranged(step, replace(x, shape=(1, *plain))), shape=x.shape)
            if lying.lies(None, x.shape, order):
                return x
        shape, moved = lying.move(x.axes, x.shape, order)
        if len(shape) > MAX_TENSOR_RANK:
            raise ModelError(
                f"{step.where}: a transposition of {len(shape)} axes is not supported; supported: {MAX_TENSOR_RANK}"
            )
        x = self._under(step, x, shape)
        return replace(x, tensor=self.placed(step, [x], Transpose, moved).tensor, axes=None)

    def _under(self, step: Step, x: Value, shape: tuple[int, ...]) -> Value:
        """Return `x` in a tensor of that shape, without a batch axis, by a Reshape unless it has that."""
        like = self.tensors[x.tensor]
        if like.shape == shape:
            return x
        made = self._tensor(step.name, (1, *shape), like.dtype, like.quantization)
        self._append(Reshape(step.name, x.tensor, made.tensor, source=step.op))
        return replace(x, tensor=made.tensor)

    def alike(self, step: Step, kind: type[Layer], x: Value, *args) -> Value:
        """Append a layer that works element by element; what it makes lies as `x` does."""
        return replace(self.placed(step, [x], kind, *args), shape=x.shape, axes=x.axes)

    def placed(self, step: Step, values: Sequence[Value], kind: type[Layer], *args, **kwargs) -> Value:
        """Append a layer that reads the tensors of `values` as they are; the room tells its shape.

        Return a value of that shape and a batch axis, whose axes the caller knows better.
        """
        for argument in (*args, *kwargs.values()):
            if isinstance(argument, np.ndarray):
                budget.elements(step.where, argument.shape)
        names = [value.tensor for value in values]
        layer = kind(step.name, names, "", *args, source=step.op, **kwargs)
        (shape,) = layer.output_shapes([self.tensors[name].shape for name in names], [()], step.where)
        budget.value(step.where, shape)
        first = self.tensors[names[0]]
        if layer.keeps_values:
            step = replace(step, dtype=first.dtype, quantization=first.quantization)
        return self._made(step, layer, (1, *shape))

    def order_of(self, step: Step, x: Value) -> tuple[int, ...] | None:
        """Return the order of x's axes in its tensor; None if one lies in pieces. Those of 1 stand where they stand in
        the tensor, if that is plain or channels last."""
        rank, shape = len(x.shape), self.tensors[x.tensor].shape
        usual = [tuple(range(rank))] + ([lying.channels_last(rank)] if rank > 2 else [])
        for order in usual:
            fits = shape == without_batch(tuple(x.shape[axis] for axis in order))
            if fits and lying.lies(x.axes, x.shape, order):
                return order
        return lying.order_in(x.axes, x.shape)

    def in_order(self, step: Step, x: Value) -> tuple[Value, tuple[int, ...]]:
        """Return (x, order of its axes), each axis an axis of its tensor: in the order it has, if that may be."""
        order = self.order_of(step, x) or tuple(range(len(x.shape)))
        return self.arranged(step, x, order), order

    def _as_output(self, key: Key) -> tuple[Value, tuple[int, ...]]:
        """Images stay channels last."""
        step, x = Step(len(self.layers), "output", "output", key), self.values[key]
        rank = len(x.shape)
        order = self.order_of(step, x)
        if order != lying.channels_last(rank) or rank not in IMAGE_RANKS:
            order = tuple(range(rank))
        return self.arranged(step, x, order), order
