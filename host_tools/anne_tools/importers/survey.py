"""What a list of operations joins, found before any of them is read: a Graph adds two computed values, and does nothing
else with two.

A product of two computed values may be the end of one value's own arithmetic, as x * sigmoid(x) is; `flow` knows those.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator
from dataclasses import dataclass

Key = Hashable
# How far back a product's two sides may have their common value: gelu spelled out takes four steps.
_STEPS_BACK = 8


@dataclass(frozen=True)
class Operation:
    """One operation: the values it reads and makes.

    `kind` is "sum" if it adds, "join" if it is supported with one computed value only, "product" if it may be a part of
    a pattern, "step" if it works element by element, "constant" if what it makes is a constant (a shape), else "".
    """

    kind: str
    inputs: tuple[Key, ...]
    outputs: tuple[Key, ...]


def joins(operations: Iterable[Operation], first: Iterable[Key]) -> Iterator[int]:
    """Yield the positions of operations that join computed values in a way no Graph does; `first` are the inputs."""
    trail: dict[Key, tuple[Key, ...]] = {key: (key,) for key in first}
    for index, operation in enumerate(operations):
        computed = [key for key in operation.inputs if key in trail]
        if not computed or operation.kind == "constant":
            continue
        common = set.intersection(*(set(trail[key]) for key in computed))
        if len(computed) > 1 and (operation.kind == "join" or (operation.kind == "product" and not common)):
            yield index
        is_new = operation.kind == "sum" and len(computed) > 1
        goes_on = operation.kind in ("step", "product", "join", "sum") and not is_new
        for key in operation.outputs:
            trail[key] = (*trail[computed[0]], key)[-_STEPS_BACK:] if goes_on else (key,)
