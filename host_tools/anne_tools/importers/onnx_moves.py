"""ONNX operators along axes: reductions, parts, joins, padding, tables; of constants, as shapes are put together, too.

Source: ONNX operators, https://onnx.ai/onnx/operators/.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from ..errors import ModelError
from . import budget
from .flow import Step, label
from .onnx_images import ImageOperators
from .onnx_shapes import Node

REDUCTIONS = {"ReduceMean": "mean", "ReduceSum": "sum", "ReduceMax": "max", "ReduceMin": "min"}
# Indices of a Gather that are no progression are parts that are joined; so many at most.
MOST_PARTS = 64
_PART_STEPS = 100


class MoveOperators(ImageOperators):
    """Those operators over one flow."""

    def reduce(self, step: Step, node: Node) -> None:
        """ReduceMean, ReduceSum, ReduceMax, ReduceMin."""
        rank, keepdims = len(node.shape(0)), bool(node.attribute("keepdims", 1))
        axes = node.axes(rank)
        if not axes and node.attribute("noop_with_empty_axes", 0):
            return self.flow.same(step, node.key(0))
        of_row = step.op == "ReduceSum" and axes == [rank - 1] and keepdims
        if of_row and self.flow.sums_to_one(step, node.key(0)):
            return self.flow.row_sum(step, node.key(0))
        return self.flow.reduce(step, node.key(0), REDUCTIONS[step.op], axes or range(rank), keepdims)

    def arg_max(self, step: Step, node: Node) -> None:
        """ArgMax; of equal ones the first."""
        if node.attribute("select_last_index", 0):
            raise ModelError(f"{step.where}: select_last_index is not supported")
        axis, keepdims = int(node.attribute("axis", 0)), bool(node.attribute("keepdims", 1))
        self.flow.arg_max(step, node.key(0), axis, keepdims)
        self.flow.values[step.output] = replace(self.flow.values[step.output], pattern="whole")

    def softmax(self, step: Step, node: Node) -> None:
        """Softmax, LogSoftmax; before opset 13 over all axes from `axis` on, since then along it."""
        axis = int(node.attribute("axis", -1 if self.opset >= 13 else 1))
        name = "softmax" if step.op == "Softmax" else "log_softmax"
        shape = node.shape(0)
        axis += len(shape) if axis < 0 else 0
        if self.opset >= 13 or axis == len(shape) - 1:
            return self.flow.softmax(step, node.key(0), axis, name)
        rows = (math.prod(shape[:axis]), math.prod(shape[axis:]))
        if not 0 <= axis < len(shape) or rows[0] != 1:
            raise ModelError(f"{step.where}: from axis {axis} of shape {shape} is not supported")
        flat, bent = ((step.output, what) for what in ("flat", "bent"))
        self.flow.reshape(replace(step, output=flat), node.key(0), rows)
        self.flow.softmax(replace(step, output=bent), flat, 1, name)
        return self.flow.reshape(step, bent, shape)

    def gather(self, step: Step, node: Node) -> None:
        """Gather: of a constant what is asked for; rows of a constant table by a value; of a value some of an axis."""
        axis = int(node.attribute("axis", 0))
        if node.key(0) in self.flow.constants:
            if node.key(1) not in self.flow.constants:
                if axis not in (0, -node.constant(0, "data").ndim):
                    raise ModelError(f"{step.where} of computed indices is supported along axis 0")
                return self.flow.embedding(step, node.key(1), node.constant(0, "data"))
            data, indices = node.constant(0, "data"), node.constant(1, "the indices")
            budget.elements(step.where, (data.size, indices.size) if data.ndim > 1 else indices.shape)
            self.flow.constants[step.output] = self.flow.fold(step, lambda i: np.take(data, i, axis), indices)
            return None
        shape, indices = node.shape(0), node.constant(1, "the indices")
        if not -len(shape) <= axis < len(shape) or indices.ndim > 1 or not 0 < indices.size <= MOST_PARTS:
            raise ModelError(
                f"{step.where}: expected at most {MOST_PARTS} indices of an axis, got shape {indices.shape}"
            )
        axis, n = axis % len(shape), shape[axis]
        places = [int(i) + (n if i < 0 else 0) for i in indices.reshape(-1)]
        if not all(0 <= place < n for place in places):
            raise ModelError(f"{step.where}: indices {places[:16]} of an axis of {n}")
        output = (step.output, "kept") if indices.ndim == 0 else step.output
        self._take(replace(step, output=output), node.key(0), axis, places)
        if indices.ndim == 0:
            self.flow.reshape(step, output, [*shape[:axis], *shape[axis + 1 :]] or [1])
        return None

    def _take(self, step: Step, key, axis: int, places: list[int]) -> None:
        """Those places of an axis: one part if their distances are one, else parts joined."""
        by = places[1] - places[0] if len(places) > 1 else 1
        if by and all(b - a == by for a, b in zip(places, places[1:], strict=False)):
            return self.flow.slice(step, key, {axis: (places[0], len(places), by)})
        budget.steps(_PART_STEPS * len(places), step.where)
        parts = [(step.output, index) for index in range(len(places))]
        for part, place in zip(parts, places, strict=True):
            self.flow.slice(replace(step, output=part), key, {axis: (place, 1, 1)})
        return self.flow.concatenate(step, parts, axis)

    def slice(self, step: Step, node: Node) -> None:
        """Slice of a value or a constant; before opset 10 its numbers are attributes."""
        shape, old = node.shape(0), self.opset < 10
        begin, end, axes, by = (
            node.attribute(what, [])
            if old
            else node.constant(i, what).reshape(-1).tolist()
            if node.has(i)
            else []
            for i, what in ((1, "starts"), (2, "ends"), (3, "axes"), (4, "steps"))
        )
        if not all(isinstance(n, int) for n in (*begin, *end, *axes, *by)):
            raise ModelError(f"{step.where}: expected starts, ends, axes and steps of integers")
        axes = axes or list(range(len(begin)))
        by = by or [1] * len(begin)
        if not len(begin) == len(end) == len(axes) == len(by) <= len(shape) or 0 in by:
            raise ModelError(f"{step.where}: its starts, ends, axes and steps do not fit shape {shape}")
        cuts = {}
        for axis, first, last, stride in zip(axes, begin, end, by, strict=True):
            if not -len(shape) <= axis < len(shape):
                raise ModelError(f"{step.where}: axis {axis} does not exist, there are {len(shape)}")
            places = range(*slice(first, last, stride).indices(shape[axis]))
            cuts[axis % len(shape)] = (places.start, len(places), stride)
        if node.key(0) not in self.flow.constants:
            return self.flow.slice(step, node.key(0), cuts)
        array = node.constant(0, "data")
        for axis, (first, size, stride) in cuts.items():
            places = range(first, first + size * stride, stride)
            budget.elements(step.where, array.shape)
            array = array.take(places, axis)
        self.flow.constants[step.output] = array
        return None

    def split(self, step: Step, node: Node) -> None:
        """Split: parts of an axis, each a value of its own."""
        shape, axis = node.shape(0), int(node.attribute("axis", 0))
        if not -len(shape) <= axis < len(shape):
            raise ModelError(f"{step.where}: axis {axis} does not exist, there are {len(shape)}")
        n, count = shape[axis], len(node.outputs)
        sizes = (
            node.constant(1, "the sizes").reshape(-1).tolist() if node.has(1) else node.attribute("split", [])
        )
        if not sizes:
            each = -(-n // count)
            sizes = [max(0, min(each, n - i * each)) for i in range(count)]
        if len(sizes) != count or sum(sizes) != n or min(sizes) < 1:
            raise ModelError(f"{step.where}: expected {count} sizes of together {n}, got {sizes[:16]}")
        begin = 0
        for name, size in zip(node.outputs, sizes, strict=True):
            if name:
                part = replace(step, output=name)
                self.flow.slice(part, node.key(0), {axis % len(shape): (begin, size, 1)})
            begin += size

    def concat(self, step: Step, node: Node) -> None:
        """Concat of values; of constant vectors, as shapes are put together; of a classifier's 1 - p and p."""
        keys = [node.key(i) for i in range(node.count)]
        if keys and all(key in self.flow.values for key in keys):
            if len(keys) == 2 and self.flow.are_both_classes(*keys):
                return self.flow.both_classes(step, keys[1])
            return self.flow.concatenate(step, keys, int(node.attribute("axis", 1)))
        parts = [node.constant(i, "what is joined") for i in range(node.count)]
        if not parts or any(part.ndim != 1 or part.size > 64 for part in parts):
            raise ModelError(f"{step.where} is supported of constant shapes, or of computed values alone")
        budget.elements(step.where, (sum(part.size for part in parts),))
        self.flow.constants[step.output] = np.concatenate(parts)
        return None

    def expand(self, step: Step, node: Node) -> None:
        """Expand: a constant, or rows and columns of an image from one of each."""
        wanted = tuple(int(n) for n in node.constant(1, "the shape").reshape(-1))
        budget.elements(step.where, wanted)
        try:
            shape = np.broadcast_shapes(node.shape(0), wanted)
        except ValueError:
            raise ModelError(f"{step.where}: {node.shape(0)} does not spread to {wanted[:16]}") from None
        if node.key(0) in self.flow.constants:
            made = self.flow.fold(step, np.broadcast_to, node.constant(0, "x"), shape)
            self.flow.constants[step.output] = made
        else:
            self.flow.spread(step, node.key(0), shape)

    def pad(self, step: Step, node: Node) -> None:
        """Pad; before opset 11 all its numbers are attributes."""
        mode = node.attribute("mode", "constant")
        if mode not in ("constant", "reflect", "edge"):
            raise ModelError(
                f"{step.where}: mode {label(mode, '?')} is not supported; supported: constant, reflect, edge"
            )
        rank = len(node.shape(0))
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
        self.flow.pad(step, node.key(0), widths, float(value[0]), mode)


OPERATORS = {
    "ArgMax": MoveOperators.arg_max,
    "Softmax": MoveOperators.softmax,
    "LogSoftmax": MoveOperators.softmax,
    "Gather": MoveOperators.gather,
    "Slice": MoveOperators.slice,
    "Split": MoveOperators.split,
    "Concat": MoveOperators.concat,
    "Pad": MoveOperators.pad,
    "Expand": MoveOperators.expand,
    **dict.fromkeys(REDUCTIONS, MoveOperators.reduce),
}
