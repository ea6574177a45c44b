"""Keras's TimeDistributed: a layer that goes over each step of the first axis by itself."""

from __future__ import annotations

from collections.abc import Callable

from ..layers import room
from ..layers.build import GraphBuilder
from . import budget
from .keras_step import WEIGHTS_PER_STEP, Step

MOST_STEPS = 64  # each of which becomes layers of its own
# Layers that do the same to whatever stands along the last axis, and so to all steps at once.
ALL_AT_ONCE = ("Activation", "Dense", "ELU", "LeakyReLU", "ReLU", "Rescaling")

Importer = Callable[[GraphBuilder, Step], None]


def time_distributed(importers: dict[str, Importer], training_only: tuple[str, ...]) -> Importer:
    """Return the importer of TimeDistributed, whose layer is one of `importers`."""

    def run(b: GraphBuilder, step: Step) -> None:
        inner, importer = step.layer.layers[0], importers[step.layer.layers[0].class_name]
        steps, shape = b.last.shape[0], b.last.shape
        if len(shape) < 2:
            step.refuse(f"expected an input of steps, got shape {shape}")
        if inner.class_name in (*ALL_AT_ONCE, *training_only):
            return importer(b, Step(inner, step.name, step.x, step.version, step.known))
        if inner.class_name == "Flatten":
            return b.reshape(step.name, (steps, -1), source=step.source)
        if steps > MOST_STEPS:
            step.refuse(
                f"{inner.class_name} over {steps} steps; at most {MOST_STEPS} are supported, and any number of "
                f"{', '.join(ALL_AT_ONCE)}"
            )
        weights = sum(variable.size for variable in inner.variables)
        budget.steps(steps * (1 + weights // WEIGHTS_PER_STEP), str(step.layer))
        made = []
        for t in range(steps):
            size, name = (1, *shape[1:]), f"{step.name}_{t}"
            begin = (t,) + (0,) * (len(shape) - 1)
            source = {"source": step.source}
            b.add(room("slice"), f"{name}_at", begin, size, (1,) * len(shape), inputs=step.x, **source)
            x = b.reshape(f"{name}_of", shape[1:], **source)
            importer(b, Step(inner, name, [x], step.version, step.known))
            made.append(b.reshape(f"{name}_step", (1, *b.last.shape), **source))
        b.add(room("concatenate"), step.name, 0, inputs=made, **source)

    return run
