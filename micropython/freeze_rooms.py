"""Writes the rooms of layers as firmware has them: only what checks a file.

usage: freeze_rooms.py FROM TO        folders; what was in TO before is removed

The native module runs the layers, and refuses files; Python is there to say why. So of each room stays what `check` and
`PLACE` need. What goes leaves its lines empty: a build that keeps line numbers (manifest_anne.py
says how) has the room's own.
"""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

NEEDED = ("check", "PLACE")


def names_of(statement: ast.stmt) -> Iterator[str]:
    """Yield the names that a statement of a module gives to something: a function, a value, what it imports."""
    if isinstance(statement, (ast.Import, ast.ImportFrom)):
        yield from (alias.asname or alias.name for alias in statement.names)
    elif isinstance(statement, (ast.FunctionDef, ast.ClassDef)):
        yield statement.name
    else:
        for node in ast.walk(statement):
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                yield node.id


def needed_by(names: tuple[str, ...], statements: list[ast.stmt]) -> set[ast.stmt]:
    """Return those statements that give these names to something, and whatever they need in turn."""
    giving: dict[str, list[ast.stmt]] = {}
    for statement in statements:
        for name in names_of(statement):
            giving.setdefault(name, []).append(statement)
    needed: set[ast.stmt] = set()
    waiting = list(names)
    while waiting:
        for statement in giving.get(waiting.pop(), []):
            if statement not in needed:
                needed.add(statement)
                waiting += [node.id for node in ast.walk(statement) if isinstance(node, ast.Name)]
    return needed


def check_only(source: str) -> str:
    """Return the source of a room without what its check does not need, each line where it was."""
    statements = ast.parse(source).body
    needed = needed_by(NEEDED, statements)
    lines = source.split("\n")
    for statement in statements:
        if statement not in needed:
            for i in range(statement.lineno - 1, statement.end_lineno):
                lines[i] = ""
    return "\n".join(lines)


def main() -> None:
    rooms, frozen = map(Path, sys.argv[1:])
    frozen.mkdir(parents=True, exist_ok=True)
    for old in frozen.glob("*.py"):
        old.unlink()
    for room in sorted(rooms.glob("[!_]*.py")):
        (frozen / room.name).write_text(check_only(room.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
