"""Keras's pools over windows and over whole images, and the reductions of operators."""

from __future__ import annotations

from typing import Any

from ..layers import room
from ..layers.build import GraphBuilder
from .keras_convolutions import window_of
from .keras_step import Step


def pool(b: GraphBuilder, step: Step) -> None:
    """MaxPooling and AveragePooling, 1D and 2D; padding never wins and is not counted."""
    window = window_of(step, step.integers("pool_size", step.expect_image()))
    kind = "max_pool" if step.layer.class_name.startswith("Max") else "average_pool"
    b.add(room(kind), step.name, window, source=step.source)


def global_pool(b: GraphBuilder, step: Step) -> None:
    """GlobalMaxPooling and GlobalAveragePooling: over all axes but the channels."""
    n = step.expect_image()
    operation = "max" if step.layer.class_name.startswith("GlobalMax") else "mean"
    reduce(b, step, operation, tuple(range(n)), bool(step.config.get("keepdims", False)))


def reduce(b: GraphBuilder, step: Step, operation: str, axes: tuple[int, ...], keepdims: bool) -> None:
    """A reduction over `axes`, counted without batch; with `keepdims` they stay, of one element each."""
    shape = b.last.shape
    b.add(room("reduce"), step.name, operation, axes, source=step.source)
    if keepdims:
        kept = tuple(1 if axis in axes else d for axis, d in enumerate(shape))
        b.reshape(f"{step.name}_keepdims", kept, source=step.source)


def operator(operation: str):
    """Return the importer of an operator that reduces: reduce_mean, max."""

    def run(b: GraphBuilder, step: Step) -> None:
        axes = _axes(step, step.argument(1, "axis"))
        reduce(b, step, operation, axes, bool(step.argument(2, "keepdims", default=False)))

    return run


def arg_max(b: GraphBuilder, step: Step) -> None:
    rank = len(b.last.shape)
    if step.axis(step.argument(1, "axis"), rank) != rank - 1 or step.argument(2, "keepdims", default=False):
        step.refuse("expected argmax over the last axis, without keepdims")
    b.add(room("arg_max"), step.name, source=step.source)


def _axes(step: Step, axis: Any) -> tuple[int, ...]:
    rank = len(step.x[0].shape)
    given = axis if isinstance(axis, list) else [axis]
    if not given or len(given) > rank:
        step.refuse(f"expected 1 to {rank} axes to reduce, got {str(axis)[:80]}")
    return tuple(sorted({step.axis(one, rank) for one in given}))
