"""The house stands as DESIGN.md draws it: who may import whom, no circles, no file that is too long."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest
from anne.model_file import KINDS

ROOT = Path(__file__).resolve().parents[2]
HOST_TOOLS, PYTHON_API, NATIVE_MODULE = ROOT / "host_tools", ROOT / "python_api", ROOT / "native_module"
# Each floor may import those before it; those between two < stand side by side and do not know each other.
FLOORS = re.search(r"^    (errors < .* < commands)$", (ROOT / "DESIGN.md").read_text(), re.M)[1]
# What a floor may import of another one where that is not all of it, or not what its place says.
ONLY = {("conversion", "boards"): "fit"}
# Files of anne_tools that are on no floor: they only lead to what is.
FRONT = {"", "__main__", "cli"}
# Needs only `errors`, and any floor may import it.
ASIDE = "networks"

MAX_LINES = 400
SOURCES = ("host_tools", "python_api", "native_module", "benchmark", "examples", "micropython")
SUFFIXES = (".py", ".pyi", ".c", ".h", ".S", ".inc", ".sh", ".cmake", ".ld")


# --- Python ---------------------------------------------------------------------------------------------------------


def imports(source: str, package: str) -> Iterator[str]:
    """Yield the dotted names that a module in `package` imports, also within functions and for type checkers only."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            parents = package.split(".")
            base = ".".join(parents[: len(parents) - node.level + 1]) if node.level else ""
            module = ".".join(filter(None, (base, node.module)))
            yield from (f"{module}.{alias.name}" for alias in node.names)


def arrows(root: Path, package: str) -> dict[str, set[str]]:
    """Return for each module below root/package, by dotted name, the modules there that it imports."""
    paths = {}
    for path in sorted((root / package).rglob("*.py")):
        parts = path.relative_to(root).with_suffix("").parts
        paths[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    found: dict[str, set[str]] = {}
    for name, path in paths.items():
        within = name if path.name == "__init__.py" else name.rpartition(".")[0]
        targets = set(imports(path.read_text(), within))
        # what is imported from a module is a name in it, or a module of a package
        found[name] = {t if t in paths else t.rpartition(".")[0] for t in targets} & set(paths)
    return found


def circle(graph: dict[str, set[str]]) -> list[str]:
    """Return the modules of a circle in their order, [] if there is none."""
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return error.args[1]
    return []


def floor_of(module: str) -> str:
    return module.partition(".")[2].partition(".")[0]


def forbidden(source: str, target: str) -> str:
    """Return why one module of anne_tools may not import another, "" if it may."""
    floors = [floor.split(", ") for floor in FLOORS.split(" < ")]
    height = {name: index for index, names in enumerate(floors) for name in names} | {ASIDE: 0.5}
    here, there = floor_of(source), floor_of(target)
    if here == there or here in FRONT:
        return ""
    if there in FRONT:
        return "it stands in front of the floors"
    if here == ASIDE or height[there] >= height[here]:
        return "" if there == "errors" else f"{there} does not stand below {here}"
    part = ONLY.get((here, there))
    if part and target != f"anne_tools.{there}.{part}":
        return f"{here} may import of {there} only {part}"
    return ""


HOST_ARROWS = arrows(HOST_TOOLS, "anne_tools")
DEVICE_ARROWS = arrows(PYTHON_API, "anne")


def test_imports_are_found_wherever_they_stand():
    source = """
import numpy, anne.layouts
from typing import TYPE_CHECKING
if TYPE_CHECKING:
    from ..data import texts
def load():
    from . import fit as f, costs
    from .device import Device
"""
    found = set(imports(source, "anne_tools.boards"))
    assert {"anne.layouts", "anne_tools.data.texts", "anne_tools.boards.fit"} < found
    assert {"anne_tools.boards.costs", "anne_tools.boards.device.Device"} < found


def test_circles_are_found():
    assert circle({"a": {"b"}, "b": {"c"}, "c": set()}) == []
    assert set(circle({"a": {"b"}, "b": {"c"}, "c": {"b"}})) == {"b", "c"}


def test_arrows_that_the_floors_forbid():
    assert not forbidden("anne_tools.boards.fit", "anne_tools.cores.native")
    assert not forbidden("anne_tools.conversion.choose", "anne_tools.boards.fit")
    assert forbidden("anne_tools.conversion.verify", "anne_tools.boards.device")
    assert forbidden("anne_tools.boards.bench", "anne_tools.conversion.convert")
    assert forbidden("anne_tools.boards.bench", "anne_tools.importers")
    assert forbidden("anne_tools.networks", "anne_tools.data.texts")
    assert forbidden("anne_tools.cores.native", "anne_tools")


def test_every_folder_of_the_host_tools_is_a_floor_says_what_it_is_and_has_tests():
    folders = {path.parent for path in (HOST_TOOLS / "anne_tools").glob("*/__init__.py")}
    assert {folder.name for folder in folders} == set(re.findall(r"\w+", FLOORS)) - {"errors"} | {ASIDE}
    for folder in folders:
        assert ast.get_docstring(ast.parse((folder / "__init__.py").read_text())), folder
        assert list((ROOT / "tests" / "host_tools" / folder.name).glob("test_*.py")), folder


def test_host_tools_import_only_floors_below():
    wrong = [
        f"{source} imports {target}: {reason}"
        for source, targets in HOST_ARROWS.items()
        for target in sorted(targets)
        if (reason := forbidden(source, target))
    ]
    assert wrong == []


@pytest.mark.parametrize("graph", [HOST_ARROWS, DEVICE_ARROWS], ids=["anne_tools", "anne"])
def test_no_import_circles(graph):
    assert circle(graph) == []


def test_what_runs_on_the_board_knows_no_host_tools():
    for path in PYTHON_API.rglob("*.py"):
        assert not [name for name in imports(path.read_text(), "anne") if name.startswith("anne_tools")], path


def test_no_room_of_a_layer_knows_another():
    """A room is a module of a folder `layers` with the name of a kind of layer."""
    kinds = set(KINDS.values())
    assert {"dense", "activation", "scaling", "reshape"} <= kinds
    for source, targets in (HOST_ARROWS | DEVICE_ARROWS).items():
        if is_room(source, kinds):
            assert not [t for t in targets if t != source and is_room(t, kinds)], source


def is_room(module: str, kinds: set[str]) -> bool:
    folder, _, name = module.rpartition(".")
    return folder.endswith(".layers") and name in kinds


# --- C --------------------------------------------------------------------------------------------------------------


def includes(path: Path) -> set[str]:
    """Return what a file of native_module includes, as paths from that folder where it is a file there."""
    names = re.findall(r'^\s*#\s*include\s+["<]([^">]+)[">]', path.read_text(), re.M)
    beside = path.parent.relative_to(NATIVE_MODULE)
    return {str(beside / name) if (path.parent / name).exists() else name for name in names}


C_FILES = {
    str(path.relative_to(NATIVE_MODULE)): includes(path)
    for path in sorted(NATIVE_MODULE.rglob("*"))
    if path.suffix in (".c", ".h", ".S", ".inc")
}


def test_c_files_include_each_other_without_circles():
    assert len(C_FILES) > 30
    graph = {name: found & set(C_FILES) for name, found in C_FILES.items()}
    assert circle(graph) == []
    # nor if a header and the source of its name are one part
    parts: dict[str, set[str]] = {}
    for name, found in graph.items():
        own = name.rpartition(".")[0]
        parts.setdefault(own, set()).update({f.rpartition(".")[0] for f in found} - {own})
    assert circle(parts) == []


def test_kernels_know_no_layer_and_no_model():
    """Arithmetic only: of our own files, kernels and anne.h."""
    for name, found in C_FILES.items():
        if name.startswith("kernels/"):
            assert {f for f in found & set(C_FILES) if not f.startswith("kernels/")} <= {"anne.h"}, name


def test_layers_know_no_model_and_no_other_layer():
    """A room is a source without a header; headers beside the rooms are what several share."""
    headers = {name for name in C_FILES if name.startswith("layers/") and name.endswith(".h")}
    assert not headers & {f"layers/{kind}.h" for kind in KINDS.values()}
    shared = {"anne.h", "tensor.h", *headers}
    for name, found in C_FILES.items():
        if name.startswith("layers/"):
            assert {f for f in found & set(C_FILES) if not f.startswith("kernels/")} <= shared, name


def test_only_the_binding_knows_micropython():
    """Of MicroPython and of binding/ nothing is included outside."""
    outside = {name: found for name, found in C_FILES.items() if not name.startswith("binding/")}
    assert any("py/runtime.h" in found for found in C_FILES.values())
    for name, found in outside.items():
        assert not [f for f in found if f.startswith(("py/", "shared/", "extmod/", "binding/"))], name


# --- All ------------------------------------------------------------------------------------------------------------


def test_no_file_is_too_long():
    """Tests may be longer; generated tables, too, but there is none."""
    lengths = {
        str(path.relative_to(ROOT)): len(path.read_text().splitlines())
        for folder in SOURCES
        for path in (ROOT / folder).rglob("*")
        if path.suffix in SUFFIXES and "upstream" not in path.parts
    }
    assert len(lengths) > 150
    assert {name: n for name, n in lengths.items() if n > MAX_LINES} == {}
