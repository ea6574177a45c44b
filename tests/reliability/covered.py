"""How much of the C core the C tests reach, by gcov: the tests of tests/native_module and the harnesses of this folder.

Everything is compiled anew, without optimisation and sanitizers, both of which move or add branches. Counted is the
portable C; the assembly of the Pico is compared with it, bit for bit, by tests/emulator.
"""

from __future__ import annotations

import gzip
import json
import os
import re
import subprocess
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from figures import ROOT, Found, ReliabilityError

CORE = ROOT / "native_module"
TESTS = ROOT / "tests" / "native_module"
HERE = ROOT / "tests" / "reliability"
MODELS = ROOT / "tests" / "golden" / "models"
FLAGS = re.search(r"^ANNE_FLAGS=(.*)$", (CORE / "flags.env").read_text(), re.M)[1].split()
CC = ["gcc", "-std=gnu11", "-O0", *FLAGS, f"-I{CORE}", f"-I{TESTS}"]
HARNESSES = [
    ("refusals",),
    ("guards", "300"),
    ("damage", "truncation", str(MODELS), "3200"),
    ("damage", "fields", str(MODELS), "3200"),
]


@dataclass
class Reached:
    """Of a group of files: lines and branches there are, those reached, and where the others are."""

    lines: int = 0
    lines_reached: int = 0
    branches: int = 0
    branches_reached: int = 0
    missed: list[str] = field(default_factory=list)

    def add(self, report: dict) -> None:
        """Count one file of gcov's report."""
        name = "/".join(Path(report["file"]).parts[-2:])
        for line in report["lines"]:
            taken = [branch["count"] > 0 for branch in line["branches"]]
            self.lines += 1
            self.lines_reached += line["count"] > 0
            self.branches += len(taken)
            self.branches_reached += sum(taken)
            if line["count"] == 0 or not all(taken):
                self.missed.append(f"{name}:{line['line_number']}: {sum(taken)} of {len(taken)} branches")

    @property
    def line_percent(self) -> float:
        """Lines reached, in percent."""
        return 100 * self.lines_reached / self.lines

    @property
    def branch_percent(self) -> float:
        """Branches reached, in percent."""
        return 100 * self.branches_reached / self.branches


def measure() -> tuple[Reached, Reached]:
    """Compile and run all C tests; return what they reach of the loader, and of kernels and training."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        core = [
            *CORE.glob("*.c"),
            *CORE.glob("layers/*.c"),
            *CORE.glob("train/*.c"),
            *CORE.glob("kernels/*.c"),
        ]
        core = [path for path in core if path.name != "host.c"]
        with ThreadPoolExecutor(2) as pool:
            list(
                pool.map(
                    lambda path: _run(*CC, "--coverage", "-c", path, "-o", _object(path), cwd=folder), core
                )
            )
            _run("ar", "rcs", "libcore.a", *map(_object, core), cwd=folder)
            list(pool.map(lambda command: _run(*command, cwd=folder), _tests(folder)))
        groups = Reached(), Reached()
        for path in core:
            _run("gcov", "--json-format", "--branch-probabilities", _object(path), cwd=folder)
            counts = (folder / _object(path)).with_suffix(".gcov.json.gz")
            report = json.loads(gzip.decompress(counts.read_bytes()))
            for file in report["files"]:
                if Path(file["file"]) == path:
                    groups[path.parent.name in ("kernels", "train")].add(file)
    return groups


def _object(path: Path) -> str:
    return f"{path.parent.name}_{path.stem}.o"  # a kernel may have the name of a layer


def _tests(folder: Path) -> list[list]:
    """Compile the tests; return the commands that run them."""
    commands = [[f"./{path.stem}", MODELS] for path in sorted(TESTS.glob("*.c"))]
    commands += [[f"./{name}", *arguments] for name, *arguments in HARNESSES]
    for program in {command[0][2:] for command in commands}:
        source = TESTS / f"{program}.c" if program.startswith("test_") else HERE / f"{program}.c"
        shared = (
            [CORE / "host.c"]
            if program.startswith("test_")
            else [HERE / "make_model.c", HERE / "make_moves.c", HERE / "make_depthwise.c"]
        )
        if program == "refusals":
            shared += [HERE / "refusals_moves.c", HERE / "refusals_depthwise.c"]
        _run(*CC, "-O1", source, *shared, "libcore.a", "--coverage", "-lm", "-o", program, cwd=folder)
    return commands


def _run(*command: object, cwd: Path) -> None:
    environment = {**os.environ, "CCACHE_DISABLE": "1"}  # which may write other paths into the notes for gcov
    done = subprocess.run(
        [str(part) for part in command], cwd=cwd, capture_output=True, text=True, env=environment
    )
    if done.returncode:
        raise ReliabilityError(
            f"{command[0]}: status {done.returncode}\n{(done.stderr + done.stdout)[-2000:]}"
        )


def coverage(soak: bool) -> Found:
    """All of the loader's lines and branches, 95 % of the kernels' lines."""
    loader, kernels = measure()
    if loader.lines_reached < loader.lines or loader.branches_reached < loader.branches:
        raise ReliabilityError("the loader is not tested here:\n" + "\n".join(loader.missed))
    if kernels.line_percent < 95:
        raise ReliabilityError("the kernels are not tested here:\n" + "\n".join(kernels.missed))
    return Found(
        f"{loader.lines} lines and {loader.branches} branches of the loader, {kernels.lines} lines of kernels and "
        "training",
        f"loader {loader.line_percent:.0f} % of lines, {loader.branch_percent:.0f} % of branches; "
        f"kernels and training {kernels.line_percent:.1f} % of lines, {kernels.branch_percent:.1f} % of branches",
    )


if __name__ == "__main__":
    for name, reached in zip(("loader", "kernels"), measure(), strict=True):
        print(f"{name}: {reached.line_percent:.1f} % of lines, {reached.branch_percent:.1f} % of branches")
        print("".join(f"  {missed}\n" for missed in reached.missed), end="")
