"""How Keras files name tensors: where they stand in calls of layers and in the lists of a model's inputs and outputs.

A tensor is (layer, call of that layer, output of that call). Keras 3 writes a call as {"args", "kwargs"}, with each
tensor in a dict of class `__keras_tensor__`; Keras 2 as lists of [layer, call, output, kwargs], and constants as
["_CONSTANT_VALUE", -1, value, kwargs]. Structures of tensors, lists and dicts in each other, are flattened as Keras
does it: dicts by their sorted keys.
"""

from __future__ import annotations

from typing import Any

from . import budget

Reference = tuple[str, int, int]
CONNECTIONS = "the connections of layers"
# Arguments by name that may be a constant instead of a tensor; what else comes by name is a flag or a mask.
OPERANDS = ("x1", "x2", "x", "y")


def references(node: Any) -> list[Reference | None]:
    """Return each tensor in a call, or in a list of inputs or outputs, in order; None for a constant beside them."""
    found: list[Reference | None] = []
    waiting: list[tuple[Any, bool]] = [(node, True)]
    while waiting:
        node, with_constants = waiting.pop()
        if isinstance(node, dict) and node.get("class_name") == "__keras_tensor__":
            node = (node.get("config") or {}).get("keras_history")
        if isinstance(node, list) and node[:1] == ["_CONSTANT_VALUE"]:
            found.append(None)
            waiting += reversed(_of_kwargs(node[3:]))
        elif is_reference(node):
            found.append(tuple(node[:3]))
            waiting += reversed(_of_kwargs(node[3:]))
        elif is_call_of_keras_3(node):
            waiting += [*reversed(_of_kwargs([node["kwargs"]])), (node["args"], True)]
        elif isinstance(node, dict) and "class_name" not in node:
            budget.steps(len(node), CONNECTIONS)
            waiting += [(node[key], with_constants) for key in sorted(node, reverse=True)]
        elif isinstance(node, list):
            budget.steps(len(node), CONNECTIONS)
            waiting += [(item, with_constants) for item in reversed(node)]
        elif node is not None and with_constants:
            found.append(None)
    return found


def is_call_of_keras_3(node: Any) -> bool:
    """Whether a call is written in Keras 3's way; in Keras 2's it may be a dict, too, of tensors."""
    return isinstance(node, dict) and {"args", "kwargs"} <= node.keys()


def is_reference(node: Any) -> bool:
    return (
        isinstance(node, list)
        and len(node) >= 3
        and isinstance(node[0], str)
        and type(node[1]) is type(node[2]) is int
    )


def _of_kwargs(rest: list) -> list[tuple[Any, bool]]:
    """What is to be looked at in the arguments that a call takes by name."""
    kwargs = rest[0] if rest and isinstance(rest[0], dict) else {}
    budget.steps(1 + len(kwargs), CONNECTIONS)
    return [(kwargs[key], key in OPERANDS) for key in sorted(kwargs)]


def named_references(ends: Any) -> list[tuple[str, Reference | None]]:
    """Return the tensors in a model's list of inputs or outputs, each with its name: that of its layer, or in a dict
    its key."""
    if not isinstance(ends, dict):
        return [(end[0] if end else "", end) for end in references(ends)]
    named = []
    for key in sorted(ends):
        found = references(ends[key])
        named += [(key if len(found) == 1 else f"{key[:80]}.{n}", end) for n, end in enumerate(found)]
    return named
