"""The harnesses in their short form, and the page they write."""

import json

import pytest
from figures import FIGURES, PAGE, ReliabilityError, Row, page
from power_cut import MODELS, PATH, cut_everywhere, fresh_image
from rows import ROWS


@pytest.mark.parametrize("row", [row for row in ROWS if row.run], ids=lambda row: row.name)
def test_row(row):
    try:
        found = row.run(False)
    except FileNotFoundError as missing:  # a program that only `make test` builds
        pytest.skip(str(missing))
    assert found.tried and found.outcome


def test_page_is_made_of_the_figures():
    assert PAGE.read_text() == page(ROWS, json.loads(FIGURES.read_text())), "run tests/reliability/rows.py"


def test_every_figure_has_its_row():
    assert set(json.loads(FIGURES.read_text())) <= {row.name for row in ROWS if row.run}


def test_page_by_hand():
    rows = [Row("a", "first", "when good"), Row("b", "second", "never"), Row("c", "third", "always")]
    entry = {"tried": "3 files", "outcome": "refused", "seconds": 1234.5, "version": "0.1", "tree": "abc"}
    text = page(rows, {"a": entry | {"date": "2020-01-02"}})
    assert "| `a` | first | when good | 3 files | refused | 1,234 | 0.1, abc, 2020-01-02 |" in text
    assert "second |" not in text
    assert "Not yet done: second; third.\n" in text


def test_a_file_deleted_before_it_is_written_is_lost_in_a_power_cut():
    old, new = ((MODELS / f"{name}.anne").read_bytes() for name in ("image_int8", "small_float32"))
    _, image = cut_everywhere(fresh_image(), None, old)

    def careless(board, data):
        board.exec(f"__import__('os').remove({PATH!r})")
        board.put(PATH, data)

    with pytest.raises(ReliabilityError, match="neither the old model nor the new one"):
        cut_everywhere(image, old, new, careless)
