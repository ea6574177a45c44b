"""The pictures of the page in README and docs: `make test-web` makes them, and writes those that look different."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

pytest.importorskip("PIL", reason="no Pillow; `make test-web` installs it")

from PIL import Image

ROOT = Path(__file__).parents[2]
NAMES = ("explorer_look.png", "explorer_train.png")


@pytest.fixture(scope="module")
def pictures():
    spec = importlib.util.spec_from_file_location("pictures", ROOT / "web/pictures.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def taken(browser, pictures):
    """The picture and the text of each, as the page has them now."""
    return {
        name: pictures.take(browser, ROOT / "build/anne-explorer.html", name) for name in pictures.PICTURES
    }


@pytest.mark.parametrize("name", NAMES)
def test_a_picture_shows_the_page(pictures, taken, tmp_path, name):
    """Its colours are there: paper, ink, and the two of the drawings, which the style names."""
    picture, text = taken[name]
    pictures.save(picture, text, tmp_path / name)
    assert (tmp_path / name).stat().st_size <= 60 * 1024
    with Image.open(tmp_path / name) as saved:
        assert 1100 <= saved.width <= 1180
        assert 400 <= saved.height <= 900
        near = saved.convert("RGB").getcolors(1 << 20)
    assert pictures.text_of(tmp_path / name) == text
    for colour in ((0xFF, 0xFF, 0xFF), (0x1D, 0x27, 0x33), (0x0B, 0x5C, 0xAD), (0xA3, 0x47, 0x00)):
        close = [n for n, other in near if max(abs(a - b) for a, b in zip(colour, other, strict=True)) < 24]
        assert sum(close) > 300, colour


@pytest.mark.parametrize("name", NAMES)
def test_what_is_shown_is_up_to_date(pictures, taken, name):
    """By its text, which is the same whatever fonts a machine has."""
    _, text = taken[name]
    assert pictures.text_of(ROOT / "docs" / name) == text, (
        "python web/pictures.py build/anne-explorer.html docs"
    )


def test_the_same_page_looks_alike_and_another_does_not(pictures, taken):
    look, train = (taken[name][0] for name in NAMES)
    assert pictures.alike(look, look.quantize(pictures.COLOURS).convert("RGB"))
    assert not pictures.alike(look, train.resize(look.size))
    assert not pictures.alike(look, Image.new("RGB", look.size, "white"))


def test_the_documents_show_them():
    assert "(docs/explorer_look.png)" in (ROOT / "README.md").read_text()
    assert "(explorer_train.png)" in (ROOT / "docs/explorer.md").read_text()
    assert set(NAMES) == {path.name for path in (ROOT / "docs").glob("explorer_*.png")}
