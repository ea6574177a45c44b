"""The network in a MicroPython program of AI-ANNE's, or in the lines its browser trainer exports: read, never
run.

Such a program holds its parameters as lists and its network as calls, one a layer:

    X_MINS = [4.9, 2.0]
    X_MAXS = [7.9, 3.8]
    w1 = [[2.03, 2.19], [-0.55, 0.26]]      # one row a neuron, or one an input if w1 = transpose(w1) follows
    b1 = [4.03, -0.23]
    l_out = dense(2, x, w1, b1, 'leaky_relu')
    l_out = dense(1, l_out, w2, b2, 'sigmoid')

Python's parser turns the text into a syntax tree; only assignments of these three forms are looked at. A program may
hold several networks, as AI-ANNE's own do; each call whose input is not the call's before begins one.
"""

from __future__ import annotations

import ast
import re
import textwrap
import unicodedata
import warnings
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from ..errors import ModelError
from . import budget
from .choice import choose

# What the parser makes a node of, and a node's price: at most 3.5 us and 1 KB were measured.
TOKEN, TOKEN_STEPS = re.compile(r"\d+\.\d+|\w+|[^\w\s]|\n"), 3
# Python 3.11 starts a parser for each bracket of an f-string, and looks for its place from the beginning of the string.
F_STRING, BRACKET_STEPS, CHARACTERS_PER_STEP = re.compile(r"\b[rR]?[fF][rR]?[\"']"), 25, 2000
# Python sorts the accents of a name by comparing each with those before it.
ACCENTS_PER_STEP = 500


@dataclass
class Chain:
    """The calls of one network: its layers, and the variables that held their outputs."""

    layers: list[dict[str, Any]] = field(default_factory=list)
    outputs: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        sizes = [len(layer["bias"]) for layer in self.layers]
        return f"{sum(sizes)} neurons in layers of {', '.join(map(str, sizes))}"


def read_program(text: str, network: str | int | None = None) -> dict[str, Any]:
    """Return a network as plain JSON's dict (see `ai_anne`): layers, and scaling if there are X_MINS and X_MAXS.

    `network` picks one of several, by its number from 1 or by a variable that only its calls assign. ModelError if the
    text is no Python, or holds no network, or several and none is picked.
    """
    budget.steps(_parsing_steps(text), "the program")
    try:
        with warnings.catch_warnings(action="ignore"):  # of its strings' escapes
            tree = ast.parse(textwrap.dedent(text))
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise ModelError(f"not a Python program: {str(error).partition(chr(10))[0]}") from error
    chains, lists = _chains(tree)
    if not chains:
        raise ModelError("expected a network in the program, found no call of dense(...)")
    users = Counter(name for chain in chains for name in set(chain.outputs))
    names = [[name for name in chain.outputs if users[name] == 1] for chain in chains]
    chain = chains[choose(list(map(str, chains)), names, network)]
    found: dict[str, Any] = {"layers": chain.layers}
    if lists.get("X_MINS") and lists.get("X_MAXS"):
        found["scaling"] = {"min": lists["X_MINS"], "max": lists["X_MAXS"]}
    if len(chain.layers[-1]["bias"]) == 1:
        found["threshold"] = 0.5
    return found


def _parsing_steps(text: str) -> float:
    """What Python's parser makes of a text at worst, in steps."""
    steps = TOKEN_STEPS * sum(1 for _ in TOKEN.finditer(text))
    if F_STRING.search(text):
        steps += text.count("{") * (BRACKET_STEPS + len(text) // CHARACTERS_PER_STEP)
    if not text.isascii():
        accents = sum(n for c, n in Counter(text).items() if _is_accent(c))
        steps += accents**2 / ACCENTS_PER_STEP
    return steps


def _is_accent(character: str) -> bool:
    return unicodedata.combining(unicodedata.normalize("NFKD", character)[0]) > 0


def _chains(tree: ast.Module) -> tuple[list[Chain], dict[str, Any]]:
    """Return the networks in the order of the program, and the values of its other variables at the end."""
    assignments = [node for node in ast.walk(tree) if isinstance(node, ast.Assign) and len(node.targets) == 1]
    lists: dict[str, Any] = {}
    chains: list[Chain] = []
    output = None  # the variable that holds the last layer's output
    for node in sorted(assignments, key=lambda node: node.lineno):
        if not isinstance(node.targets[0], ast.Name):
            continue
        name = node.targets[0].id
        if _is_call(node.value, "dense", 5):
            if output is None or not _is_name(node.value.args[1], output):
                chains.append(Chain())
                budget.layers(len(chains))  # as many networks as a network may have layers
            chains[-1].layers.append(_layer(node.value, lists))
            chains[-1].outputs.append(name)
            budget.layers(len(chains[-1].layers))
            output = name
        else:
            lists[name] = _value(node.value, lists)
    return chains, lists


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
        budget.steps(sum(map(len, rows)) if (is_matrix := _is_matrix(rows)) else 1, "transpose")
        return [list(column) for column in zip(*rows, strict=False)] if is_matrix else None
    try:
        return _literal(node)
    except (ValueError, TypeError, RecursionError):
        return None


def _literal(node: ast.expr) -> Any:
    """The value of a text, a number, or a list of such; ValueError for all else. No dict or set: thousands of numbers
    that Python hashes alike take minutes there."""
    if isinstance(node, ast.Constant):
        return node.value
    if isinstance(node, ast.List):
        return [_literal(item) for item in node.elts]
    if isinstance(node, ast.Tuple):
        return tuple(_literal(item) for item in node.elts)
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, (ast.USub, ast.UAdd)):
        return -_literal(node.operand) if isinstance(node.op, ast.USub) else +_literal(node.operand)
    raise ValueError("no literal")


def _is_matrix(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(row, list) for row in value)


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
