"""The matrix: what became of the behaviour tests and the golden models on each backend of tests/api, in one table.

Behaviour tests are those of tests/api/test_*.py; golden models are the files of tests/golden/models, run by
test_golden_models.py there. Reports come to the process that prints, also from those of pytest-xdist.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path

BACKENDS = {
    "cpython": "CPython, reference",
    "cpython-native": "CPython, native",
    "unix": "unix port, sanitizers",
    "emulator": "emulated Pico, own firmware",
    "stock-1.25.0": "emulated Pico, stock 1.25.0 + .mpy",
    "stock-1.26.1": "emulated Pico, stock 1.26.1 + .mpy",
    "qemu-m33": "QEMU, Cortex-M33",
    "qemu-m0": "QEMU, Cortex-M0",
}
COLUMNS = ("behaviour tests", "golden models")
KINDS = ("passed", "failed", "skipped")
_TEST = re.compile(r"(?:^|/)tests/api/(test_\w+)\.py::.*\[([\w.-]+)\]$")


class Matrix:
    """Counts by backend, column and kind; and why tests were skipped."""

    def __init__(self) -> None:
        self.counts: dict[str, dict[str, Counter]] = {}
        self.reasons: dict[str, Counter] = {}

    def add(self, nodeid: str, kind: str, reason: str = "") -> None:
        """Count a test of tests/api; others count for nothing."""
        found = _TEST.search(nodeid)
        if found is None:
            return
        file, backend = found.groups()
        column = COLUMNS[file == "test_golden_models"]
        row = self.counts.setdefault(backend, {column: Counter() for column in COLUMNS})
        row[column][kind] += 1
        if kind == "skipped":
            self.reasons.setdefault(reason, Counter())[backend] += 1

    def backends(self) -> list[str]:
        """Return the backends that tests were counted of, in the order in which the table has them."""
        known = [name for name in BACKENDS if name in self.counts]
        return known + sorted(set(self.counts) - set(BACKENDS))

    def is_whole(self) -> bool:
        """Return whether each backend has its row, with both columns."""
        return set(self.counts) >= set(BACKENDS) and all(
            sum(column.values()) for row in self.counts.values() for column in row.values()
        )

    def lines(self) -> list[str]:
        """Return the table as plain text, and below it the reasons."""
        names = {name: BACKENDS.get(name, name) for name in self.backends()}
        width = max(map(len, names.values()))
        head = " " * width + "".join(f"  {column:^25}" for column in COLUMNS)
        lines = [head.rstrip(), " " * width + f"  {KINDS[0]:>8}{KINDS[1]:>8}{KINDS[2]:>9}" * len(COLUMNS)]
        for name, label in names.items():
            row = self.counts[name]
            cells = [
                f"  {row[column][KINDS[0]]:>8}{row[column][KINDS[1]]:>8}{row[column][KINDS[2]]:>9}"
                for column in COLUMNS
            ]
            lines.append(f"{label:<{width}}" + "".join(cells))
        if self.reasons:
            lines.append("skipped:")
        lines += [f"  {reason}: {where}" for reason, where in self.why()]
        return lines

    def why(self) -> list[tuple[str, str]]:
        """Return each reason with the backends where tests were skipped for it and how many, most frequent first."""
        order = sorted(self.reasons.items(), key=lambda item: (-item[1].total(), item[0]))
        return [
            (reason, ", ".join(f"{name} {counts[name]}" for name in self.backends() if counts[name]))
            for reason, counts in order
        ]

    def markdown(self) -> str:
        """Return the same as a table of Markdown."""
        lines = [
            "| where | " + " | ".join(f"{column}: passed, failed, skipped" for column in COLUMNS) + " |",
            "|---|" + "---|" * len(COLUMNS),
        ]
        for name in self.backends():
            row = self.counts[name]
            cells = [", ".join(str(row[column][kind]) for kind in KINDS) for column in COLUMNS]
            lines.append(f"| {BACKENDS.get(name, name)} | " + " | ".join(cells) + " |")
        lines += ["", "Skipped:", ""] if self.reasons else []
        lines += [f"- {reason}: {where}" for reason, where in self.why()]
        return "\n".join(lines) + "\n"

    def write(self, folder: Path) -> None:
        """Write matrix.json and matrix.md into a folder."""
        told = {
            name: {column: {kind: counts[kind] for kind in KINDS} for column, counts in row.items()}
            for name, row in ((name, self.counts[name]) for name in self.backends())
        }
        reasons = {reason: dict(counts) for reason, counts in self.reasons.items()}
        (folder / "matrix.json").write_text(
            json.dumps({"backends": told, "skipped": reasons}, indent=1) + "\n"
        )
        (folder / "matrix.md").write_text(self.markdown())
