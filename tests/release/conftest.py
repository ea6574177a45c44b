"""Lets the tests below this folder import their helpers and host_tools' programs, and builds wheels once."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "host_tools"))
sys.path.insert(0, str(Path(__file__).parent))

from empty_places import ROOT, Place, build, copy_of_the_source, empty_environment


@pytest.fixture(scope="session")
def built(tmp_path_factory) -> dict[str, Path]:
    """The wheels and the sdist of this source, with the firmwares and the page that are there."""
    folder = tmp_path_factory.mktemp("release")
    runtime = folder / "runtime"
    (runtime / "anne").mkdir(parents=True)
    (runtime / "anne" / "__init__.mpy").write_bytes(b"M\x06\x00\x1f")
    for name in ("anne-pico.uf2", "anne-pico2.uf2", "anne-explorer.html"):
        if (ROOT / "build" / name).exists():
            shutil.copyfile(ROOT / "build" / name, runtime / name)
    source = copy_of_the_source(folder / "source")
    return build(source, folder / "dist", "--runtime", str(runtime)) | {"runtime": runtime}


@pytest.fixture(scope="session")
def environments(built, tmp_path_factory) -> dict[str, Path]:
    """The programs of a virtual environment for each wheel."""
    folder = tmp_path_factory.mktemp("environments")
    return {kind: empty_environment(folder / kind, built[kind]) for kind in ("native", "any")}


@pytest.fixture(params=["native", "any"])
def place(request, environments, tmp_path) -> Place:
    """An empty folder with either wheel."""
    return Place(environments[request.param], tmp_path)
