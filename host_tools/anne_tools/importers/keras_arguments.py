"""The arguments of an operator's call in a Keras file: tensors, and what is no tensor.

Keras 3 writes {"args", "kwargs"}; Keras 2 lists of [layer, call, output, kwargs] for what comes first, the other
arguments being in the kwargs. `keras_references` lists the tensors of the same call in the same order.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from typing import Any, NamedTuple

from . import budget
from .keras_references import CONNECTIONS, is_call_of_keras_3, is_reference

# How deep arguments are looked at: a list of tensors, of slices.
_LEVELS = 3


class Place(NamedTuple):
    """A tensor among the arguments: its number among all that the call reads."""

    number: int


def arguments(node: Any) -> tuple[list[Any], dict[str, Any]]:
    """Return (positional arguments, those by name): tensors as Place, slices as slice, the others as they are."""
    numbers = count()
    if is_call_of_keras_3(node):
        args, kwargs = node["args"], node["kwargs"]
        made = _read(args, numbers, _LEVELS)
        return (made if isinstance(made, list) else []), _named(kwargs, numbers)
    while isinstance(node, list) and len(node) == 1 and isinstance(node[0], list):
        (node,) = node  # a call of one tensor may be a list in a list
    if not isinstance(node, list):
        return [], {}
    if node[:1] == ["_CONSTANT_VALUE"] and len(node) >= 3:
        return [node[2]], _named(node[3] if len(node) > 3 else {}, numbers)
    if is_reference(node):
        return [Place(next(numbers))], _named(node[3] if len(node) > 3 else {}, numbers)
    budget.steps(len(node), CONNECTIONS)
    places, kwargs = [], {}  # a list of tensors is the first argument; each has the same others
    for one in node:
        if is_reference(one):
            places.append(Place(next(numbers)))
            kwargs = kwargs or _named(one[3] if len(one) > 3 else {}, numbers)
    return [places], kwargs


def _named(kwargs: Any, numbers: Iterator[int]) -> dict[str, Any]:
    if not isinstance(kwargs, dict):
        return {}
    budget.steps(len(kwargs), CONNECTIONS)
    return {key: _read(kwargs[key], numbers, _LEVELS) for key in sorted(kwargs)}


def _read(value: Any, numbers: Iterator[int], levels: int) -> Any:
    """An argument with its tensors counted."""
    if isinstance(value, dict):
        inner = value.get("config")
        config = inner if isinstance(inner, dict) else {}
        match value.get("class_name"):
            case "__keras_tensor__":
                return Place(next(numbers))
            case "__slice__":
                return _slice(config)
            case "__numpy__" | "__tensor__":
                return config.get("value")
        return _slice(value) if {"start", "stop"} <= value.keys() else value
    if is_reference(value):
        return Place(next(numbers))
    if isinstance(value, list) and levels:
        budget.steps(len(value), CONNECTIONS)
        return [_read(one, numbers, levels - 1) for one in value]
    return value


def _slice(ends: dict[str, Any]) -> slice:
    return slice(ends.get("start"), ends.get("stop"), ends.get("step"))
