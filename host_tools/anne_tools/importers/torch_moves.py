"""Operators of an exported program along axes: reductions, parts, joins, padding, tables."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from ..errors import ModelError
from .flow import Key, Step
from .torch_calls import Call
from .torch_files import Ref
from .torch_images import ImageOperators

REDUCTIONS = {"mean": "mean", "sum": "sum", "amax": "max", "amin": "min"}
MODES = {"constant": "constant", "constant_pad_nd": "constant", "reflect": "reflect", "replicate": "edge"}
MODES |= {
    f"{word}_pad{n}d": mode
    for n in (1, 2)
    for word, mode in (("reflection", "reflect"), ("replication", "edge"))
}


class MoveOperators(ImageOperators):
    """Those operators; they read and write the values of `flow`."""

    def reduce(self, step: Step, call: Call) -> None:
        """mean, sum, amax, amin."""
        rank, dims = len(call.shape("self")), call.get("dim")
        axes = [dims] if isinstance(dims, int) else call.integers("dim") if dims else list(range(rank))
        self.flow.reduce(step, call.key("self"), REDUCTIONS[step.op], axes, bool(call.get("keepdim", False)))

    def arg_max(self, step: Step, call: Call) -> None:
        """argmax; without dim of all elements."""
        if call.get("dim") is None:
            flat = replace(step, output=(step.output, "flat"))
            self.flow.reshape(flat, call.key("self"), (1, math.prod(call.shape("self"))))
            return self.flow.arg_max(step, flat.output, 1, False)
        return self.flow.arg_max(
            step, call.key("self"), call.integer("dim", -1), bool(call.get("keepdim", False))
        )

    def concatenate(self, step: Step, call: Call) -> None:
        """cat, concat."""
        values = call.get("tensors")
        if not isinstance(values, list) or not values or not all(isinstance(v, Ref) for v in values):
            raise ModelError(f"{step.where}: its argument tensors is not a list of tensors")
        self.flow.concatenate(step, [v.name for v in values], call.integer("dim", 0))

    def stack(self, step: Step, call: Call) -> None:
        """stack: values side by side along a new axis."""
        values = call.get("tensors")
        if not isinstance(values, list) or not values or not all(isinstance(v, Ref) for v in values):
            raise ModelError(f"{step.where}: its argument tensors is not a list of tensors")
        keys: list[Key] = []
        for index, value in enumerate(values):
            shape = list(self.flow.as_it_lies(step, value.name).shape)
            axis = call.axis("dim", 0, len(shape) + 1)
            shape.insert(axis, 1)
            keys.append((step.output, index))
            self.flow.reshape(replace(step, output=keys[-1]), value.name, shape)
        self.flow.concatenate(step, keys, axis)

    def slice(self, step: Step, call: Call) -> None:
        """slice, narrow: a part of one axis."""
        shape = call.shape("self")
        axis = call.axis("dim", 0, len(shape))
        if step.op == "narrow":
            begin, n = call.integer("start", 0), call.integer("length", 1)
            begin += shape[axis] if begin < 0 else 0
            places = range(begin, begin + n)
            if not 0 <= begin <= begin + n <= shape[axis]:
                raise ModelError(f"{step.where}: from {begin} on {n} of an axis of {shape[axis]}")
        else:
            begin, end = (
                call.integer(name, 0) if call.get(name) is not None else None for name in ("start", "end")
            )
            stride = call.integer("step", 1)
            if stride < 1:
                raise ModelError(f"{step.where}: a step of {stride} is not supported")
            places = range(*slice(begin, end, stride).indices(shape[axis]))
        self._cut(step, call.key("self"), axis, places)

    def _cut(self, step: Step, key: Key, axis: int, places: range) -> None:
        if key in self.flow.constants:
            self.flow.constants[step.output] = self.flow.fold(
                step, lambda a: a.take(places, axis), self.flow.constants[key]
            )
        else:
            self.flow.slice(step, key, {axis: (places.start, len(places), places.step)})

    def select(self, step: Step, call: Call) -> None:
        """select: one of an axis, which goes."""
        shape = call.shape("self")
        axis, index = call.axis("dim", 0, len(shape)), call.integer("index", 0)
        index += shape[axis] if index < 0 else 0
        if not 0 <= index < shape[axis]:
            raise ModelError(f"{step.where}: index {index} of an axis of {shape[axis]}")
        kept = replace(step, output=(step.output, "kept"))
        self._cut(kept, call.key("self"), axis, range(index, index + 1))
        self.flow.reshape(step, kept.output, [*shape[:axis], *shape[axis + 1 :]] or [1])

    def split(self, step: Step, call: Call) -> None:
        """split, chunk, unbind: parts of an axis, each a value; `getitem` picks one."""
        shape = call.shape("self")
        axis = call.axis("dim", 0, len(shape))
        n = shape[axis]
        if step.op == "chunk":
            each = -(-n // max(1, call.integer("chunks", 1)))
            sizes: Sequence[int] = [min(each, n - at) for at in range(0, n, each)]
        elif step.op == "unbind":
            sizes = [1] * n
        else:
            given = next((name for name in ("split_sizes", "split_size") if call.get(name) is not None), "")
            if isinstance(call.get(given), list):
                sizes = call.integers(given)
            else:
                each = max(1, call.integer(given, 1))
                sizes = [min(each, n - at) for at in range(0, n, each)]
        if sum(sizes) != n or min(sizes, default=0) < 1:
            raise ModelError(f"{step.where}: expected sizes of together {n}, got {list(sizes)[:16]}")
        begin = 0
        for index, size in enumerate(sizes):
            part = replace(step, output=(step.output, index))
            whole = part if step.op != "unbind" else replace(step, output=(step.output, index, "kept"))
            self._cut(whole, call.key("self"), axis, range(begin, begin + size))
            if step.op == "unbind":
                self.flow.reshape(part, whole.output, [*shape[:axis], *shape[axis + 1 :]] or [1])
            begin += size

    def pad(self, step: Step, call: Call) -> None:
        """constant_pad_nd, pad, reflection_pad: two numbers an axis, from the last axis on."""
        mode = MODES.get(step.op) or MODES.get(call.get("mode", "constant"))
        if mode is None:
            raise ModelError(
                f"{step.where} with mode {str(call.get('mode'))[:40]} is not supported; supported: constant, reflect, "
                "replicate"
            )
        numbers = call.integers("padding" if call.get("padding") is not None else "pad")
        rank = len(call.shape("self"))
        if len(numbers) % 2 or len(numbers) > 2 * rank:
            raise ModelError(
                f"{step.where}: expected two numbers for each of {rank} axes at most, got {numbers}"
            )
        pairs = list(zip(numbers[::2], numbers[1::2], strict=True))
        widths = [(0, 0)] * (rank - len(pairs)) + pairs[::-1]
        self.flow.pad(step, call.key("self"), widths, call.number("value", 0.0), mode)

    def embedding(self, step: Step, call: Call) -> None:
        """embedding: rows of a table by whole numbers."""
        self.flow.embedding(step, call.key("indices"), call.constant("weight"))


OPERATORS = {
    "argmax": MoveOperators.arg_max,
    "cat": MoveOperators.concatenate,
    "concat": MoveOperators.concatenate,
    "stack": MoveOperators.stack,
    "slice": MoveOperators.slice,
    "narrow": MoveOperators.slice,
    "select": MoveOperators.select,
    **dict.fromkeys(("split", "split_with_sizes", "chunk", "unbind"), MoveOperators.split),
    **dict.fromkeys(("pad", *(name for name in MODES if "pad" in name)), MoveOperators.pad),
    "embedding": MoveOperators.embedding,
    "layer_norm": MoveOperators.layer_norm,
    **dict.fromkeys(REDUCTIONS, MoveOperators.reduce),
}
