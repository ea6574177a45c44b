"""The packages' types: as mypy reads them in a user's program, and as they are when the packages run."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("mypy", reason="the extra ai-anne[test]")

HERE = Path(__file__).parent
ROOT = HERE.parents[1]

# Methods that a Model finds once, when it is made; and what MicroPython has in place of CPython's.
ALLOWED = """
anne.model.Model.predict
anne.model.Model.predict_into
anne.reference_model.ticks_diff-redefinition
anne.reference_model.ticks_us-redefinition
"""
# `time` has no ticks_us on CPython, which the file knows better than a checker.
CONFIG = """
[mypy]
[mypy-anne.reference_model]
ignore_errors = True
"""


def checked(tmp_path: Path, *arguments: str) -> str:
    """Return what mypy says, run where it finds the packages by MYPYPATH only."""
    packages = os.pathsep.join(str(ROOT / folder) for folder in ("python_api", "host_tools"))
    done = subprocess.run(
        [sys.executable, "-m", *arguments],
        cwd=tmp_path,
        env={**os.environ, "MYPYPATH": packages},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout + done.stderr


def test_mypy_takes_a_users_program(tmp_path):
    """Whatever is ignored there must be an error, too: --warn-unused-ignores is part of --strict."""
    told = checked(tmp_path, "mypy", "--strict", "--follow-imports=silent", str(HERE / "typed.py"))
    assert told.startswith("Success: no issues found"), told


def test_the_stubs_say_what_is_there(tmp_path):
    """mypy.stubtest imports the package and compares names, arguments and defaults."""
    (tmp_path / "allowed").write_text(ALLOWED)
    (tmp_path / "mypy.ini").write_text(CONFIG)
    told = checked(
        tmp_path, "mypy.stubtest", "anne", "--allowlist", "allowed", "--mypy-config-file", "mypy.ini"
    )
    assert told.startswith("Success: no issues found"), told


@pytest.mark.parametrize("folder", ["python_api/anne", "host_tools/anne_tools"])
def test_each_package_says_that_it_has_types(folder):
    assert (ROOT / folder / "py.typed").is_file()
