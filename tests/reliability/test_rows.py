"""The harnesses in their short form, and the page they write."""

import json

import pytest
from figures import FIGURES, PAGE, Found, Row, page
from rows import ROWS


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_row(row):
    try:
        found = row.run(False)
    except FileNotFoundError as missing:  # a program that only `make test` builds
        pytest.skip(str(missing))
    assert found.tried and found.outcome


def test_page_is_made_of_the_figures():
    assert PAGE.read_text() == page(ROWS, json.loads(FIGURES.read_text())), "run tests/reliability/rows.py"


def test_every_figure_has_its_row():
    assert set(json.loads(FIGURES.read_text())) <= {row.name for row in ROWS}


def test_page_by_hand():
    tests = {"a": ("first", "when good"), "b": ("second", "never"), "c": ("third", "always")}
    rows = [Row(name, *said, run=lambda soak: Found("", "")) for name, said in tests.items()]
    entry = {"tried": "3 files", "outcome": "refused", "seconds": 1234.5, "version": "0.1", "tree": "abc"}
    text = page(rows, {"a": entry | {"date": "2020-01-02"}})
    assert "| `a` | first | when good | 3 files | refused | 1,234 | 0.1, abc, 2020-01-02 |" in text
    assert "second |" not in text
    assert "Not yet done: second; third.\n" in text
