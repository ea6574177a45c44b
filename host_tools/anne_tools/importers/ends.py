"""The ends of a network as a model file may have them: its outputs, the layers that lead there, names."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from ..errors import ModelError
from ..network.layer import Layer
from . import budget

_MAX_NAME = 200
_OUTPUT_STEPS = 10


def as_outputs(tensors: Iterable[str], inputs: Sequence[str], copy: Callable[[str], str]) -> list[str]:
    """Return tensors for the outputs, as a model file may have them: each once, inputs first and in their order.

    What else is asked for is a `copy` of a tensor, by its name.
    """
    places = {name: place for place, name in enumerate(inputs)}
    ends: dict[str, None] = {}
    last = 0
    for name in tensors:
        budget.steps(_OUTPUT_STEPS, "outputs")
        if name in ends or places.get(name, last) < last:
            name = copy(name)
        last = places.get(name, len(places))
        ends[name] = None
    return list(ends)


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
