"""The stack of the core by GCC's own account (-fcallgraph-info): its deepest path, and that nothing calls itself.

A call by pointer reaches the functions that nobody calls by name: from the loader those of the layers, from a kernel
its own, and from a layer, which asks its layout whether it is whole, the checks that ask no further. What the Pico has
in assembly is not in it; it is in the painted stack (board.py).
"""

from __future__ import annotations

import re
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from figures import ROOT, ReliabilityError

CORE = ROOT / "native_module"
CC = [
    "arm-none-eabi-gcc",
    "-std=gnu11",
    "-mcpu=cortex-m0plus",
    "-mthumb",
    f"-I{CORE}",
    "-fcallgraph-info=su",
    "-c",
]
_NODE = re.compile(r'node: \{ title: "([^"]+)" label: "[^"]*\\n(\d+) bytes \((\w+)')
_EDGE = re.compile(r'edge: \{ sourcename: "([^"]+)" targetname: "([^"]+)"')


@dataclass
class Paths:
    """How many functions there are, and the path with the largest frames in sum."""

    functions: int
    n_bytes: int
    path: list[str]


def measure() -> Paths:
    """Compile the core for the Pico; ReliabilityError for a function that calls itself, by whatever way."""
    frames: dict[str, int] = {}
    calls: dict[str, set[str]] = {}
    folders: dict[str, str] = {}  # where each function is written
    for source in [
        *CORE.glob("*.c"),
        *CORE.glob("layers/*.c"),
        *CORE.glob("train/*.c"),
        *CORE.glob("kernels/*.c"),
    ]:
        if source.name != "host.c":
            graph = _graph(source)
            for name, n_bytes, kind in _NODE.findall(graph):
                if kind != "static":
                    raise ReliabilityError(f"{name}: a frame of {kind} size")
                frames[name], folders[name] = int(n_bytes), source.parent.name
            for caller, called in _EDGE.findall(graph):
                by_pointer = called == "__indirect_call"
                calls.setdefault(caller, set()).add(f"*{source.parent.name}" if by_pointer else called)
    _resolve_pointers(folders, calls)
    n_bytes, path = max(_deepest(name, frames, calls, ()) for name in frames)
    return Paths(len(frames), n_bytes, [name.rpartition(":")[2] for name in path if name[0] != "*"])


def _resolve_pointers(folders: dict[str, str], calls: dict[str, set[str]]) -> None:
    """Add what the calls by pointer of each folder, "*name", may reach: functions that nobody calls by name.

    The model calls the rooms so, a kernel others, and what rooms share parts of rooms that call nothing so in turn.
    """
    by_name = set().union(*calls.values())
    for pointer, folder in (("*native_module", "layers"), ("*layers", "layers"), ("*kernels", "kernels")):
        reached = {name for name, where in folders.items() if where == folder and name not in by_name}
        calls[pointer] = {name for name in reached if not _calls(name, pointer, calls)}


def _calls(name: str, pointer: str, calls: dict[str, set[str]]) -> bool:
    """Whether a function comes to a call by that pointer, by whatever way of calls by name."""
    return any(called == pointer or _calls(called, pointer, calls) for called in calls.get(name, ()))


def _graph(source: Path) -> str:
    size = "-O2" if source.parent.name == "kernels" else "-Os"
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([*CC, size, source, "-o", f"{folder}/core.o"], check=True)
        return Path(folder, "core.ci").read_text()


def _deepest(name: str, frames: dict, calls: dict, above: tuple[str, ...]) -> tuple[int, list[str]]:
    if name in above:
        raise ReliabilityError(f"{name} calls itself: {' > '.join(above)}")
    known = [called for called in calls.get(name, ()) if called in frames or called[0] == "*"]
    n_bytes, path = max(
        (_deepest(called, frames, calls, (*above, name)) for called in known), default=(0, [])
    )
    return n_bytes + frames.get(name, 0), [name, *path]
