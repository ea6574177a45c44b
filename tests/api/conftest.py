"""The tests in this folder are plain Python that MicroPython runs, too: each runs once on every backend.

A test is a function test_*() in a file test_*.py, or in test_golden_models.py a golden model; it uses `assert` and what
`check.py` offers, and imports only what both Pythons have. `pytest tests/api -k unix` picks a backend. A file's tests
go to a backend in one go.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
import backends

OUTCOMES = pytest.StashKey[dict[tuple[str, str], dict[str, backends.Outcome] | str]]()


def pytest_pycollect_makemodule(module_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    if module_path.parent == backends.HERE:
        return TestFile.from_parent(parent, path=module_path)
    return None


class TestFile(pytest.File):
    """A file of tests, read but never imported here."""

    def collect(self) -> Iterator[BackendTest]:
        for name, line in self._tests():
            for backend in backends.BACKENDS:
                yield BackendTest.from_parent(
                    self, name=f"{name}[{backend}]", test_name=name, backend=backend, line=line
                )

    def _tests(self) -> Iterator[tuple[str, int]]:
        """The names of the tests, and the lines where they begin."""
        if self.path.stem == "test_golden_models":
            yield from ((f"test_{name}", 1) for name in backends.GOLDEN_MODELS)
            return
        for node in ast.parse(self.path.read_text(), str(self.path)).body:
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                yield node.name, node.lineno


class BackendTest(pytest.Item):
    """One test on one backend."""

    def __init__(self, *, test_name: str, backend: str, line: int, **keywords):
        super().__init__(**keywords)
        self.test_name, self.backend, self.line = test_name, backend, line

    def runtest(self) -> None:
        outcomes = self._outcomes_of_file()
        if isinstance(outcomes, str):
            pytest.skip(outcomes)
        outcome = outcomes[self.test_name]
        if outcome.kind == "skipped":
            pytest.skip(outcome.text)
        if outcome.kind == "failed":
            raise BackendFailureError(outcome.text)

    def _outcomes_of_file(self) -> dict[str, backends.Outcome] | str:
        """What became of all selected tests of this file on this backend, or why it is not there."""
        known = self.session.stash.setdefault(OUTCOMES, {})
        key = self.backend, self.path.stem
        if key not in known:
            selected = [item for item in self.session.items if isinstance(item, BackendTest)]
            names = [item.test_name for item in selected if (item.backend, item.path.stem) == key]
            try:
                known[key] = backends.run(self.backend, self.path.stem, names)
            except backends.NotBuiltError as missing:
                known[key] = str(missing)
        return known[key]

    def repr_failure(self, excinfo, style=None) -> str:
        if isinstance(excinfo.value, BackendFailureError):
            return f"on {self.backend}:\n" + _with_sources(str(excinfo.value))
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int, str]:
        return self.path, self.line - 1, self.name


class BackendFailureError(Exception):
    """A test failed on its backend; the text is the traceback from there."""


def _with_sources(traceback: str) -> str:
    """A MicroPython traceback with the lines it names, as CPython's has them already."""
    lines = traceback.split("\n")
    result = []
    for line, following in zip(lines, [*lines[1:], ""], strict=True):
        result.append(line)
        found = re.match(r' *File "(?:.*/)?(\w+\.py)", line (\d+)', line)
        path = backends.HERE / found[1] if found else None
        if (
            path is not None
            and path.exists()
            and (following.startswith("  File") or not following.startswith("  "))
        ):
            result.append("    " + path.read_text().split("\n")[int(found[2]) - 1].strip())
    return "\n".join(result)
