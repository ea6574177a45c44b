"""The ends of a network in a file: its outputs, the layers that lead there, names."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Sequence

from ..errors import ModelError
from ..network.layer import Layer
from . import budget

_MAX_NAME = 200
_OUTPUT_STEPS = 10


def charged(outputs: Iterable[Hashable]) -> Iterator[Hashable]:
    """Yield the network's outputs, each charged to the budget: a file may name one without end."""
    for name in outputs:
        budget.steps(_OUTPUT_STEPS, "outputs")
        yield name


def leading_to(outputs: Iterable[str], layers: Sequence[Layer]) -> list[Layer]:
    """Return the layers that lead to `outputs`; ModelError if there are none."""
    kept, needed = [], set(outputs)
    for layer in reversed(layers):
        if needed.intersection(layer.outputs):
            kept.append(layer)
            needed.update(layer.inputs, layer.outputs)
    if not kept:
        raise ModelError("the model has no layers")
    return kept[::-1]


def printable(name: str) -> str:
    """Return the name of an input or output from a file as one line of text, not too long."""
    return "".join(c if c.isprintable() else "?" for c in name[:_MAX_NAME])
