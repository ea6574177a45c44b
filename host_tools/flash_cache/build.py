#!/usr/bin/env python3
"""Build the emulator with a model of the RP2040's flash cache into this environment: `make flash-cache`.

Takes the sources of the installed rp2040py, which come with it, applies rp2040py-VERSION.patch, names the package
rp2040py_flash_cache so that both can be used beside each other, compiles it with Cython and installs it. Needs the
extra flash-cache of pyproject.toml, a C compiler, git (to apply the patch) and Python's headers. docs/flash_cache.md
says what the patch does. rp2040py is under the MIT License, whose text goes with the copy.
"""

import os
import re
import shutil
import subprocess
import sys
from importlib.metadata import distribution
from pathlib import Path

HERE = Path(__file__).resolve().parent
FOLDER = HERE.parents[1] / "build" / "flash_cache"
NAME, NEW_NAME = "rp2040py", "rp2040py_flash_cache"
SOURCES = (".py", ".pyx", ".pxd", ".json")

_SETUP = """from pathlib import Path
from Cython.Build import cythonize
from setuptools import Extension, find_packages, setup

sources = sorted(Path("{name}/native").glob("*.pyx"))
extensions = [
    Extension(".".join(path.with_suffix("").parts), [str(path)], extra_compile_args=["-O3", "-g0"]) for path in sources
]
setup(
    name="{name}",
    version="{version}",
    description="rp2040py {version} with a model of the flash cache",
    license="MIT",
    packages=find_packages(),
    package_data={{"": ["*.json"]}},
    ext_modules=cythonize(extensions, include_path=["."], nthreads={jobs}),
    options={{"build_ext": {{"parallel": {jobs}}}}},
)
"""


def copy_sources(installed: Path, target: Path) -> None:
    """Copy what of a package is source."""
    for path in sorted(installed.rglob("*")):
        if path.suffix in SOURCES:
            copy = target / path.relative_to(installed)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, copy)


def rename(package: Path) -> None:
    """Name the package anew, in every file of it and in the folder's name."""
    for path in package.rglob("*.p*"):
        path.write_text(re.sub(rf"\b{NAME}\b", NEW_NAME, path.read_text()))
    package.rename(package.with_name(NEW_NAME))


def main() -> int:
    """Copy, patch, rename, compile, install; 1 with a line on stderr where the patch is for another version."""
    emulator = distribution(NAME)
    patch = HERE / f"{NAME}-{emulator.version}.patch"
    if not patch.exists():
        known = ", ".join(path.stem for path in HERE.glob("*.patch"))
        print(f"flash_cache: expected {known}, got {NAME} {emulator.version}", file=sys.stderr)
        return 1
    shutil.rmtree(FOLDER, ignore_errors=True)
    copy_sources(Path(emulator.locate_file(NAME)), FOLDER / NAME)
    for path in emulator.files:
        if path.name == "LICENSE":
            shutil.copy(emulator.locate_file(path), FOLDER)
    # as if outside of any repository, where git would look for the files in its index
    environment = os.environ | {"GIT_DIR": str(FOLDER / "none")}
    subprocess.run(["git", "apply", str(patch)], cwd=FOLDER, env=environment, check=True)
    rename(FOLDER / NAME)
    jobs = os.cpu_count() or 1
    (FOLDER / "setup.py").write_text(_SETUP.format(name=NEW_NAME, version=emulator.version, jobs=jobs))
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "--no-input"]
    options = ["--no-build-isolation", "--no-deps", "--no-index", "--force-reinstall"]
    subprocess.run([*pip, *options, str(FOLDER)], check=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
