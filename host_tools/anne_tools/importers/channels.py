"""Which inputs of a network are images: those that reach a layer with channels through operations on single elements.

A framework's images are channels first, ours channels last. An input is made channels last before anything is read, so
that no layer has to turn it.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from dataclasses import dataclass

from . import budget

Key = Hashable
IMAGE_RANKS = (3, 4)


@dataclass(frozen=True)
class Use:
    """One operation: whether its first input is an image; whether its outputs lie as its inputs do; their names."""

    of_image: bool
    passes_on: bool
    inputs: tuple[Key, ...]
    outputs: tuple[Key, ...]


def images(uses: Iterable[Use], inputs: Iterable[Key]) -> set[Key]:
    """Return those of `inputs` that are images by what the operations, in their order, do with them."""
    origins: dict[Key, frozenset[Key]] = {key: frozenset([key]) for key in inputs}
    found: set[Key] = set()
    for use in uses:
        known = [origins[key] for key in use.inputs if key in origins]
        budget.steps(1 + sum(map(len, known)), "inputs")
        if use.of_image and use.inputs:
            found |= origins.get(use.inputs[0], frozenset())
        elif use.passes_on and known:
            union = frozenset().union(*known)
            origins |= dict.fromkeys(use.outputs, union)
    return found
