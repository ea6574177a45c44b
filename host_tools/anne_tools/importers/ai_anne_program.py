"""The network in a MicroPython program of AI-ANNE's, or in the lines its browser trainer exports: read, never
run.

Such a program holds its parameters as lists and its network as calls, one a layer:

    X_MINS = [4.9, 2.0]
    X_MAXS = [7.9, 3.8]
    w1 = [[2.03, 2.19], [-0.55, 0.26]]      # one row a neuron, or one an input if w1 = transpose(w1) follows
    b1 = [4.03, -0.23]
    l_out = dense(2, x, w1, b1, 'leaky_relu')
    l_out = dense(1, l_out, w2, b2, 'sigmoid')

Python's parser turns the text into a syntax tree; only assignments of these three forms are looked at.
"""

from __future__ import annotations

import ast
import textwrap
from typing import Any

from ..errors import ModelError

MAX_PROGRAM_BYTES = 4 << 20


def read_program(text: str) -> dict[str, Any]:
    """Return the network as plain JSON's dict (see `ai_anne`): layers, and scaling if there are X_MINS and
    X_MAXS.

    ModelError if the text is no Python, or if it holds no network or several.
    """
    if len(text) > MAX_PROGRAM_BYTES:
        raise ModelError(f"{len(text)} characters, more than the limit of {MAX_PROGRAM_BYTES} for a program")
    try:
        tree = ast.parse(textwrap.dedent(text))
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise ModelError(f"not a Python program: {str(error).partition(chr(10))[0]}") from error
    assignments = [node for node in ast.walk(tree) if isinstance(node, ast.Assign) and len(node.targets) == 1]
    lists: dict[str, Any] = {}
    chains: list[list[dict[str, Any]]] = []
    output = None  # the variable that holds the last layer's output
    for node in sorted(assignments, key=lambda node: node.lineno):
        if not isinstance(node.targets[0], ast.Name):
            continue
        name = node.targets[0].id
        if _is_call(node.value, "dense", 5):
            if output is None or not _is_name(node.value.args[1], output):
                chains.append([])
            chains[-1].append(_layer(node.value, lists))
            output = name
        else:
            lists[name] = _value(node.value, lists)
    if len(chains) != 1:
        sizes = [sum(len(layer["bias"]) for layer in chain) for chain in chains]
        found = (
            f"{len(chains)} networks, of {', '.join(map(str, sizes))} neurons"
            if chains
            else "no call of dense(...)"
        )
        raise ModelError(f"expected one network in the program, found {found}; keep the lines of one")
    network: dict[str, Any] = {"layers": chains[0]}
    if lists.get("X_MINS") and lists.get("X_MAXS"):
        network["scaling"] = {"min": lists["X_MINS"], "max": lists["X_MAXS"]}
    if len(chains[0][-1]["bias"]) == 1:
        network["threshold"] = 0.5
    return network


def _layer(call: ast.Call, lists: dict[str, Any]) -> dict[str, Any]:
    """The layer that dense(n_out, x, weights, bias, activation) computes."""
    n_out, _, weights, bias, activation = (_value(argument, lists) for argument in call.args)
    where = f"line {call.lineno}: dense"
    for what, value in (("weights", weights), ("bias", bias)):
        if not isinstance(value, list):
            raise ModelError(f"{where}: expected {what} assigned as a list before, got {value!r:.40}")
    if not isinstance(activation, str):
        raise ModelError(f"{where}: expected the name of an activation, got {activation!r:.40}")
    return {"n_out": n_out, "weights": weights, "bias": bias, "activation": activation}


def _value(node: ast.expr, lists: dict[str, Any]) -> Any:
    """The value of a literal, of a name assigned before, or of transpose() of such; None for all else."""
    if isinstance(node, ast.Name):
        return lists.get(node.id)
    if _is_call(node, "transpose", 1):
        rows = _value(node.args[0], lists)
        is_matrix = isinstance(rows, list) and all(isinstance(row, list) for row in rows)
        return [list(column) for column in zip(*rows, strict=False)] if is_matrix else None
    try:
        return ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError):
        return None


def _is_name(node: ast.expr, name: str) -> bool:
    return isinstance(node, ast.Name) and node.id == name


def _is_call(node: ast.expr, function: str, n_arguments: int) -> bool:
    return (
        isinstance(node, ast.Call)
        and (
            _is_name(node.func, function)
            or isinstance(node.func, ast.Attribute)
            and node.func.attr == function
        )
        and len(node.args) == n_arguments
    )
