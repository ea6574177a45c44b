"""The table at the end of `make test`: what it counts, and what it says. Expected lines are counted by hand."""

from __future__ import annotations

from pathlib import Path

import pytest
from matrix import BACKENDS, Matrix


def matrix() -> Matrix:
    made = Matrix()
    for backend in ("qemu-m0", "cpython"):
        made.add(f"tests/api/test_dense.py::test_one[{backend}]", "passed")
        made.add(f"tests/api/test_golden_models.py::test_small_int8[{backend}]", "passed")
    made.add("tests/api/test_dense.py::test_two[cpython]", "failed")
    made.add("tests/api/test_dense.py::test_two[qemu-m0]", "skipped", "no timers")
    made.add("tests/api/test_dense.py::test_three[qemu-m0]", "skipped", "no timers")
    made.add("tests/api/test_head.py::test_four[cpython]", "skipped", "no timers")
    made.add("tests/host_tools/test_help.py::test_five[qemu-m0]", "failed")  # none of them
    return made


def test_the_table_has_a_row_for_each_backend_and_the_reasons_below() -> None:
    assert matrix().lines() == [
        "                         behaviour tests             golden models",
        "                      passed  failed  skipped    passed  failed  skipped",
        "CPython, reference         1       1        1         1       0        0",
        "QEMU, Cortex-M0            1       0        2         1       0        0",
        "skipped:",
        "  no timers: cpython 1, qemu-m0 2",
    ]


def test_the_same_in_markdown() -> None:
    assert matrix().markdown().split("\n")[2:] == [
        "| CPython, reference | 1, 1, 1 | 1, 0, 0 |",
        "| QEMU, Cortex-M0 | 1, 0, 2 | 1, 0, 0 |",
        "",
        "Skipped:",
        "",
        "- no timers: cpython 1, qemu-m0 2",
        "",
    ]


def test_only_a_whole_matrix_is_written(tmp_path: Path) -> None:
    made = matrix()
    assert not made.is_whole()
    for backend in BACKENDS:
        made.add(f"tests/api/test_dense.py::test_one[{backend}]", "passed")
    assert not made.is_whole()  # most have no golden models
    for backend in BACKENDS:
        made.add(f"tests/api/test_golden_models.py::test_small_int8[{backend}]", "passed")
    assert made.is_whole()
    made.write(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {"matrix.json", "matrix.md"}


def test_every_backend_of_the_tests_has_a_row(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(Path(__file__).parent / "api")
    import backends

    assert set(backends.BACKENDS) <= set(BACKENDS)
