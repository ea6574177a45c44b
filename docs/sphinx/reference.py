"""The reference pages, made from docstrings, stubs and the command line's own help.

`<!-- reference: anne.dense -->` in a page stands for the description of that function, or class with all its public
methods; `<!-- reference: commands -->` for the command line. Signatures come from the stub (.pyi) beside a file where
there is one, as it has the types, else from the file itself.
"""

import ast
import importlib
import inspect
import re
from pathlib import Path
from typing import Any

import anne_tools.cli
import click

_PLACE = re.compile(r"<!-- reference: ([\w.]+) -->")
_SPECIAL = re.compile(r"([*_<\[\]])")
Function = ast.FunctionDef | ast.AsyncFunctionDef


def fill_in(page: str) -> str:
    """Return a page with its places for references filled in. AttributeError for a name that there is not."""
    return _PLACE.sub(lambda match: "\n".join(_described(match[1])), page)


def _described(name: str) -> list[str]:
    if name == "commands":
        return _commands()
    if inspect.isclass(found := _found(name)):
        return _class(name.rpartition(".")[2], found)
    return _function(name.rpartition(".")[2], found)


def _found(name: str) -> Any:
    module, _, attribute = name.rpartition(".")
    return getattr(importlib.import_module(module), attribute)


# --- Python ---------------------------------------------------------------------------------------------------------


def _tree(what: Any) -> ast.Module:
    """The syntax of the stub of the file that has a function or class, or of that file."""
    path = Path(inspect.getsourcefile(what))
    stub = path.with_suffix(".pyi")
    return ast.parse((stub if stub.exists() else path).read_text())


def _named(body: list[ast.stmt], name: str, kind: type) -> list[Any]:
    return [node for node in body if isinstance(node, kind) and node.name == name]


def _signature(node: Function, name: str, is_method: bool) -> str:
    """Return `name(arguments) -> result` as one line."""
    arguments = ast.unparse(node.args)
    if is_method:
        arguments = re.sub(r"^self(, )?", "", arguments)
    result = f" -> {ast.unparse(node.returns)}" if node.returns else ""
    return f"{name}({arguments}){result}"


def _function(name: str, function: Any) -> list[str]:
    nodes = _named(_tree(function).body, function.__name__, ast.FunctionDef)
    signatures = [_signature(node, name, False) for node in nodes]
    return [f"### {name}", "", *_code(signatures), *_prose(inspect.getdoc(function) or "")]


def _class(name: str, what: type) -> list[str]:
    (node,) = _named(_tree(what).body, what.__name__, ast.ClassDef)
    lines = [f"### {name}", ""]
    made = _named(node.body, "__init__", ast.FunctionDef)
    if made:
        lines += _code([_signature(one, name, True).removesuffix(" -> None") for one in made])
    lines += _prose(inspect.getdoc(what) or "")
    seen = set()
    for method in node.body:
        if not isinstance(method, ast.FunctionDef) or method.name.startswith("_") or method.name in seen:
            continue
        seen.add(method.name)
        if told := inspect.getdoc(getattr(what, method.name, None)):
            lines += [f"#### {name}.{method.name}", "", *_code(_calls(node.body, method)), *_prose(told)]
    return lines


def _calls(body: list[ast.stmt], method: ast.FunctionDef) -> list[str]:
    """How a method is called, in all ways; of a property its name and type."""
    if any(isinstance(word, ast.Name) and word.id == "property" for word in method.decorator_list):
        return [f"{method.name}: {ast.unparse(method.returns)}" if method.returns else method.name]
    nodes = _named(body, method.name, ast.FunctionDef)
    overloads = [node for node in nodes if any("overload" in ast.unparse(d) for d in node.decorator_list)]
    return [_signature(node, method.name, True) for node in overloads or nodes]


def _code(signatures: list[str]) -> list[str]:
    return ["```python", *signatures, "```", ""] if signatures else []


def _prose(docstring: str) -> list[str]:
    """Return a docstring as Markdown: paragraphs as such, with what is set in by spaces as it stands."""
    if re.search(r"^ ", docstring, re.M):
        return ["```text", *docstring.split("\n"), "```", ""]
    pieces = re.split(r"(`[^`]*`)", docstring)
    escaped = [piece if piece.startswith("`") else _SPECIAL.sub(r"\\\1", piece) for piece in pieces]
    return [*"".join(escaped).split("\n"), ""]


# --- The command line -----------------------------------------------------------------------------------------------


def _commands() -> list[str]:
    group = anne_tools.cli.cli
    lines: list[str] = []
    for name in group.list_commands(None):
        command = group.get_command(None, name)
        lines += [f"## anne {name}", "", "```text", _help(command, f"anne {name}"), "```", ""]
        for part, inner in getattr(command, "commands", {}).items():
            lines += [
                f"### anne {name} {part}",
                "",
                "```text",
                _help(inner, f"anne {name} {part}"),
                "```",
                "",
            ]
    return lines


def _help(command: click.Command, name: str) -> str:
    settings = {"terminal_width": 100, "max_content_width": 100}
    with click.Context(command, info_name=name, **settings) as context:
        return command.get_help(context)
