"""Cores with the kernels that a module of tests names in SOURCES."""

from __future__ import annotations

import pytest

from .machine import Machine


@pytest.fixture(scope="module", params=["assembly", "portable C"])
def machine(request: pytest.FixtureRequest) -> Machine:
    """A core with each of the two ways a kernel is written."""
    return Machine(request.module.SOURCES, ("-DANNE_PORTABLE",) if request.param == "portable C" else ())


@pytest.fixture(scope="module")
def assembly(request: pytest.FixtureRequest) -> Machine:
    return Machine(request.module.SOURCES)
