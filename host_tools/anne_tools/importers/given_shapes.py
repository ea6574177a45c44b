"""The shapes of inputs that a user gives where a file leaves axes open: the option input_shape, without batch axes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..errors import ModelError

# of one input, or of several, by name or in their order
Shapes = Sequence[int] | Sequence[Sequence[int]] | Mapping[str, Sequence[int]]


def in_order(given: Shapes | None, names: list[str], n: int) -> list[Any]:
    """Return what is given for each of n inputs, None for those of which nothing is said; ModelError for others."""
    if given is None:
        return [None] * n
    if isinstance(given, Mapping):
        if unknown := [str(name) for name in given if name not in names]:
            raise ModelError(
                f"input_shape: expected inputs {', '.join(names) or 'without names'}; got {unknown[0]}"
            )
        return [given.get(name) for name in names]
    shapes = list(given)
    if not any(isinstance(shape, Sequence) for shape in shapes):
        shapes = [tuple(shapes)]
    if len(shapes) != n:
        raise ModelError(f"input_shape: expected {n} shapes, one for each input, got {len(shapes)}")
    return shapes


def filled(given: tuple[Any, ...], fixed: Sequence[int | None] | None) -> tuple[int, ...]:
    """Return the given shape; ModelError if the file's, `fixed` but for axes that are None, is another."""
    if not all(isinstance(d, int) and d > 0 for d in given):
        raise ModelError(f"input_shape: expected positive numbers, got {given}")
    if fixed is not None:
        fits = len(fixed) == len(given) and all(f in (None, g) for f, g in zip(fixed, given, strict=True))
        if not fits:
            raise ModelError(f"input_shape: the model has {tuple(fixed)}, without batch, got {given}")
    return given
