"""Prints the matrix (matrix.py) below everything else, before pytest's own last line; writes build/matrix.json and .md
where a run had all of it."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from matrix import Matrix

BUILD = Path(__file__).parents[1] / "build"
MATRIX = Matrix()


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    if report.skipped:
        _, _, reason = report.longrepr
        MATRIX.add(report.nodeid, "skipped", reason.removeprefix("Skipped: "))
    elif report.failed or report.when == "call":
        MATRIX.add(report.nodeid, report.outcome)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter):
    result = yield
    if len(MATRIX.counts) > 1:
        terminalreporter.section("tests/api on every backend")
        for line in MATRIX.lines():
            terminalreporter.write_line(line)
    if MATRIX.is_whole():
        MATRIX.write(BUILD)
    return result
