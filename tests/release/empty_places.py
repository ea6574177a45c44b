"""Wheels as `make release` builds them, and virtual environments that have nothing else: what the tests here share."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from importlib.metadata import distribution
from pathlib import Path

from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Place:
    """An empty folder, and the programs of a virtual environment: the only ones there are."""

    programs: Path
    folder: Path

    @property
    def environment(self) -> dict[str, str]:
        return {"PATH": str(self.programs), "HOME": str(self.folder), "COLUMNS": "110"}

    def run(self, *command: object) -> subprocess.CompletedProcess:
        program, *arguments = map(str, command)
        return subprocess.run(
            [self.programs / program, *arguments],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            encoding="utf-8",
        )

    def good(self, *command: object) -> str:
        done = self.run(*command)
        assert done.returncode == 0, done.stderr
        return done.stdout


def copy_of_the_source(folder: Path) -> Path:
    """Copy what git would have: all that goes into a wheel or an sdist, with new dates and other rights."""
    listed = subprocess.run(
        ["git", "-C", ROOT, "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        check=True,
        capture_output=True,
        text=True,
    )
    for name in listed.stdout.split("\0"):
        if name and (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, folder / name)
    return folder


def build(source: Path, out: Path, *options: str) -> dict[str, Path]:
    """Build wheels and sdist; return them by what they are."""
    command = [sys.executable, source / "host_tools" / "release_wheels.py", out, *options]
    environment = {**os.environ, "SOURCE_DATE_EPOCH": "1744675200"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    ends = {"any": "-any.whl", "native": f"_{os.uname().machine}.whl", "sdist": ".tar.gz"}
    return {kind: path for kind, end in ends.items() for path in out.iterdir() if path.name.endswith(end)}


def needed(name: str, found: dict[str, Path]) -> dict[str, Path]:
    """Return where the package and all that it needs lie, top-level modules and folders by name."""
    installed = distribution(name)
    if name != "ai-anne":
        tops = {Path(str(file)).parts[0] for file in installed.files or ()} - {"..", "__pycache__"}
        found |= {top: Path(str(installed.locate_file(top))) for top in tops}
    for text in installed.requires or ():
        requirement = Requirement(text)
        if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
            folder = f"{requirement.name.lower().replace('-', '_')}"
            if not any(top.lower().startswith(f"{folder}-") for top in found):
                needed(requirement.name, found)
    return found


def empty_environment(folder: Path, wheel: Path) -> Path:
    """Make a virtual environment with a wheel and links to what it needs, no more; return its folder of programs."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    (modules,) = folder.glob("lib/python*/site-packages")
    for name, path in needed("ai-anne", {}).items():
        (modules / name).symlink_to(path)
    pip = [
        sys.executable,
        "-m",
        "pip",
        "--python",
        folder / "bin" / "python",
        "install",
        "--no-deps",
        "--no-index",
    ]
    subprocess.run([*pip, "--quiet", wheel], check=True)
    return folder / "bin"
