"""Cores with the kernels that a module of tests names in SOURCES. Also lets tests import the modules of host_tools."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from .machine import Machine

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "host_tools"))


@pytest.fixture(scope="module", params=["assembly", "portable C"])
def machine(request: pytest.FixtureRequest) -> Machine:
    """A core with each of the two ways a kernel is written."""
    return Machine(request.module.SOURCES, ("-DANNE_PORTABLE",) if request.param == "portable C" else ())


@pytest.fixture(scope="module")
def assembly(request: pytest.FixtureRequest) -> Machine:
    return Machine(request.module.SOURCES)
