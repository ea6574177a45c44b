"""What a clumsy hand, another page or a strange table does to the page: it goes on, and says what is wrong."""

from __future__ import annotations

import json

import numpy as np
import pytest
from anne_tools.cores.local import HOST, run_local


def drag(explorer, to: str) -> None:
    """Move the slider of weight 0 and keep hold of it: the browser tells the end of a move by another event."""
    explorer.page.evaluate(
        "([id, to]) => { const range = document.getElementById(id); range.value = to;"
        " range.dispatchEvent(new Event('input', { bubbles: true })); }",
        ["range-0", to],
    )


def screens(explorer) -> list[str]:
    """The headings of all screens, opened one after another."""
    headings = []
    for name in ("data", "net", "train", "look", "int8", "pico"):
        explorer.page.click(f"#tab-{name}")
        headings.append(explorer.page.locator("main h2").first.inner_text())
    return headings


@pytest.mark.parametrize("screen", ["constructor", "toString", "__proto__", "nowhere"])
def test_a_link_to_no_screen(explorer, screen):
    explorer.open(f"en/iris/4-3-1/{screen}")
    assert explorer.page.locator("[aria-current=page]").get_attribute("id") == "tab-data"
    assert explorer.page.locator("main h2").first.inner_text() == "What shall it learn?"


def test_what_is_wrong_is_said_in_the_language_of_the_page(explorer):
    explorer.open("de/iris/4-3-1/data")
    assert explorer.take_table("1,2,A\n3,4,A\n").startswith("Diese Tabelle ist zu kurz")
    explorer.page.click("#language-en")
    assert explorer.page.locator("[role=alert]").inner_text().startswith("This table is too short")


def test_a_column_whose_spread_is_no_float32(explorer):
    """1 / 1e-40 is infinite as float32: the column is taken as it is."""
    explorer.open("en/iris/4-3-1/data")
    assert explorer.take_table("a,b,c\n0,0,A\n1e-40,1,B\n0,1,A\n2e-40,0,B\n") == ""
    assert explorer.page.evaluate("anne.scaling.factors")[0] == 1
    before = screens(explorer)
    explorer.page.reload()
    explorer.page.wait_for_selector("h1")
    assert screens(explorer) == before


def test_a_slider_that_nobody_let_go_of(explorer):
    explorer.open("en/iris/4-3-1/look")
    learnt = explorer.parameters()
    for _ in range(2):
        drag(explorer, "1")
        explorer.page.click("#look-forwards")  # draws the screen anew, with it the slider
        assert explorer.parameters() != learnt
        explorer.page.click("#look-undo")
        assert explorer.parameters() == learnt
        assert explorer.page.locator("#look-undo").is_disabled()


@pytest.mark.parametrize(("typed", "taken"), [("2.4", 2), ("65", 1), ("0.2", 1), ("1e1", 10)])
def test_rows_of_a_step_are_a_whole_number(explorer, typed, taken):
    explorer.open("en/iris/4-3-1/train")
    explorer.page.fill("#train-batch-value", typed)
    explorer.page.keyboard.press("Enter")
    assert explorer.page.evaluate("anne.settings.batch") == taken
    assert explorer.page.locator("#train-batch-value").input_value() == str(taken)


def test_neurons_that_say_infinity(explorer):
    """2 x 1e5^8 = 2e40 is none of float32's numbers, and softmax of two infinities is NaN."""
    explorer.open("en/iris3/4-1-1-1-1-1-1-1-3/net")
    for layer in range(7):
        explorer.page.select_option(f"#activation-{layer}", "linear")
    explorer.page.evaluate("anne.network.parameters.forEach((_, i) => anne.setParameter(i, 1e5))")
    assert "NaN" in explorer.page.evaluate("anne.values(anne.data.x[0]).at(-1).join()")
    assert len(screens(explorer)) == 6
    explorer.page.click("#tab-int8")
    assert explorer.page.locator("[role=alert]").inner_text().startswith("A neuron says infinity")


@pytest.mark.parametrize(
    "other",
    [
        {"row": 9999},
        {"features": None},
        {"settings": {}},
        {"hidden": [{"n": 1e9, "activation": "relu"}]},
        {"hidden": [{"n": 3, "activation": "step"}]},
        {"edits": {}},
        {"losses": "none"},
        {"parameters": [1]},
        {"guesses": [7]},
        {"data": {"name": "own", "features": ["a"], "labels": ["x", "y"], "x": [[1], [2]], "y": [0, 5]}},
    ],
    ids=str,
)
def test_what_another_page_kept(explorer, other):
    """The page begins anew, with IRIS."""
    explorer.open("en/xor/2-3-1/data")
    kept = json.loads(explorer.page.evaluate("localStorage.getItem('anne-explorer')"))
    text = json.dumps({**kept, **other})
    explorer.page.evaluate("(text) => localStorage.setItem('anne-explorer', text)", text)
    explorer.page.evaluate("anne.keep = () => {}")
    explorer.open("en")
    assert explorer.page.evaluate("anne.data.name") == "iris"
    assert len(screens(explorer)) == 6


def test_in_integers_weights_that_cancel(explorer):
    """x 1e5 - x 1e5 is 0 for all rows, so the factor 2^14 says what a step of a sum is; sigmoid(0) is 128 / 256."""
    explorer.open("en/xor/2-2-1/net")
    explorer.page.select_option("#activation-0", "linear")
    values = [1e5, 0, 1e5, 0, 0, 0, 1e5, -1e5, 0]
    explorer.page.evaluate(f"{values}.forEach((v, i) => anne.setParameter(i, v))")
    explorer.page.click("#tab-int8")
    _, hidden, sums, _ = explorer.page.evaluate("anne.int8().layers.map((layer) => layer.scale)")
    assert sums == np.float32(hidden * (1e5 / 127) / 2**14)
    data = bytes(explorer.page.evaluate("Array.from(anne.int8().bytes)"))
    answers = run_local(data, np.array([[0, 0], [0, 1], [1, 0], [1, 1]], np.float32), HOST)
    assert np.all(np.array(answers) == 128 - 128)
