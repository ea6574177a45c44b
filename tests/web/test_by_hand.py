"""Weights that are changed by hand, and guesses before the network says anything."""

from __future__ import annotations

import re

import numpy as np
import pytest
from anne_tools.cores.native import NativeModel
from page_network import drawn_neurons, drawn_weights, written

ODD = "1.23456789012"  # no float32


def learnt(explorer) -> list[float]:
    """The parameters of IRIS 4-3-1 after 20 epochs, with the screen "look" open at neuron 1.2, whose weights begin
    at 4 and whose bias is 13."""
    explorer.open("en/iris/4-3-1/train")
    explorer.page.evaluate("anne.epochs(20)")
    explorer.page.click("#tab-look")
    explorer.page.click("#neuron-1-1")
    return explorer.parameters()


def type_weight(explorer, place: str, text: str) -> None:
    explorer.page.fill(f"#weight-{place}", text)
    explorer.page.keyboard.press("Enter")


def test_the_weights_that_lesson_2_gives_are_right_for_every_row(explorer):
    """The lesson's check has the arithmetic."""
    explorer.open("en/xor/2-2-1/net")
    explorer.page.select_option("#activation-0", "relu")
    explorer.page.click("#tab-look")
    for neuron, weights in {
        "1-0": ("0.5", "0.5", "1"),
        "1-1": ("0.5", "0.5", "0"),
        "2-0": ("1", "-2", "-0.5"),
    }.items():
        explorer.page.click(f"#neuron-{neuron}")
        for place, weight in zip(("0", "1", "bias"), weights, strict=True):
            type_weight(explorer, place, weight)
    assert explorer.page.inner_text("#train-accuracy") == "4 of 4 rows are right."


@pytest.mark.parametrize(("place", "index"), [("2", 6), ("bias", 13)])
def test_a_typed_weight_goes_to_the_core_as_float32(explorer, place, index):
    """All values drawn are then those of the host library, to the bit, with this number in the file."""
    parameters = learnt(explorer)
    parameters[index] = float(np.float32(ODD))
    type_weight(explorer, place, ODD)
    assert explorer.parameters() == parameters
    assert drawn_weights(explorer)["1,1,2"] == parameters[6]
    x = np.array(explorer.page.evaluate("anne.data.x[0]"), np.float32)
    with NativeModel(written(explorer, parameters)) as model:
        for layer, values in enumerate(model.trace(x).values()):
            assert np.array_equal(drawn_neurons(explorer, layer), values.ravel())


def test_loss_and_confusion_follow(explorer):
    """The loss is the mean cross-entropy of what the host library answers, the matrix counts its answers."""
    parameters = learnt(explorer)
    parameters[7] = -5.0
    type_weight(explorer, "3", "-5")
    x, y = (np.array(explorer.page.evaluate(f"anne.data.{name}"), np.float32) for name in "xy")
    with NativeModel(written(explorer, parameters)) as model:
        p = model.run_raw(x).ravel().astype(float)
    is_kept_back = np.arange(len(y)) % 4 == 3
    losses = -np.log(np.where(y == 1, p, 1 - p))
    effect = explorer.page.locator("#look-effect")
    shown = float(effect.get_attribute("data-loss"))
    assert shown == pytest.approx(losses[~is_kept_back].mean(), rel=1e-5)
    expected = [int(((y == k) & ((p > 0.5) == says)).sum()) for k in (0, 1) for says in (0, 1)]
    cells = effect.locator("table.confusion tbody td").all_inner_texts()
    assert [int(text) for text in cells] == expected
    assert int(explorer.page.get_attribute("#train-accuracy", "data-right")) == expected[0] + expected[3]


def test_dragging_is_one_step_and_all_follows(explorer):
    parameters = learnt(explorer)
    before = explorer.page.inner_text("#look-out")
    place = "document.getElementById('range-3')"
    for value in (1, 2, -4):
        explorer.page.evaluate(f"{place}.value = {value}, {place}.dispatchEvent(new Event('input'))")
    dragged = float(explorer.page.evaluate(f"{place}.value"))  # in its steps
    assert explorer.parameters()[7] == np.float32(dragged)
    assert float(explorer.page.input_value("#weight-3")) == dragged
    assert drawn_weights(explorer)["1,1,3"] == explorer.parameters()[7]
    assert explorer.page.inner_text("#look-out") != before
    explorer.page.evaluate(f"{place}.dispatchEvent(new Event('change'))")
    explorer.page.click("#look-undo")
    assert explorer.parameters() == parameters
    assert explorer.page.inner_text("#look-out") == before


def test_the_keyboard_drags(explorer):
    parameters = learnt(explorer)
    explorer.page.focus("#range-3")
    for _ in range(3):
        explorer.page.keyboard.press("ArrowLeft")  # the focus stays where it is
    assert explorer.parameters()[7] < parameters[7]
    assert explorer.page.evaluate("document.activeElement.id") == "range-3"


def test_the_way_back(explorer):
    """Step by step, and at once; a reload loses neither."""
    parameters = learnt(explorer)
    for place, text in (("0", "3"), ("1", "-3"), ("bias", "0.5")):
        type_weight(explorer, place, text)
    explorer.page.reload()
    explorer.page.wait_for_selector("#look-undo:enabled")
    changed = explorer.parameters()
    assert [changed[i] for i in (4, 5, 13)] == [3, -3, 0.5]
    explorer.page.click("#look-undo")
    assert explorer.parameters()[13] == parameters[13]
    assert explorer.parameters()[5] == -3
    explorer.page.click("#look-learnt")
    assert explorer.parameters() == parameters
    assert explorer.page.is_disabled("#look-undo")
    assert explorer.page.is_disabled("#look-learnt")


def test_learning_goes_on_from_what_was_changed(explorer):
    learnt(explorer)
    type_weight(explorer, "0", "3")
    explorer.page.click("#tab-train")
    explorer.page.click("#train-epoch")
    assert explorer.parameters()[4] == pytest.approx(3, abs=0.5)
    assert explorer.parameters()[4] != 3
    explorer.page.click("#tab-look")
    assert explorer.page.is_disabled("#look-learnt")


@pytest.mark.parametrize("text", ["", "1e9", "-100001"])
def test_what_is_no_weight_is_said(explorer, text):
    parameters = learnt(explorer)
    type_weight(explorer, "0", text)
    assert explorer.page.inner_text("[role=alert]") == "Expected a number from -100000 to 100000."
    assert explorer.parameters() == parameters
    type_weight(explorer, "0", "100000")
    assert explorer.page.locator("[role=alert]").count() == 0


def test_a_line_leads_to_its_weight(explorer):
    learnt(explorer)
    explorer.page.locator("line[data-hit='1,2,3']").dispatch_event("click")
    assert explorer.page.get_attribute("#neuron-1-2", "aria-pressed") == "true"
    assert explorer.page.evaluate("document.activeElement.id") == "weight-3"


def test_backwards_the_drawing_has_the_gradients(explorer):
    """Those that the core gives, which another test holds against differences of losses."""
    learnt(explorer)
    explorer.page.click("#look-backwards")
    gradients = explorer.page.evaluate(
        "Array.from(anne.network.gradients(anne.scaled(anne.data.x[0]), Float32Array.of(anne.data.y[0])))"
    )
    assert drawn_neurons(explorer, 1).tolist() == gradients[12:15]
    assert drawn_neurons(explorer, 2).tolist() == gradients[18:]
    assert drawn_weights(explorer)["2,0,1"] == gradients[16]
    assert float(explorer.page.get_attribute("#look-gradient", "data-value")) == gradients[13]


# --- Guesses ---------------------------------------------------------------------------------------------------------


def test_guesses_are_counted_beside_the_networks(explorer):
    """Rows kept back to test, one after the other; the class is hidden until it is guessed."""
    explorer.open("en/iris/4-3-1/data")
    page = explorer.page
    assert page.locator("#guess-answer").count() == 0
    seen, you, net = [], 0, 0
    for n in range(1, 6):
        row = int(page.get_attribute("#guess-row", "data-row"))
        seen.append(row)
        assert row % 4 == 3
        assert page.locator("main .scroll tbody tr").nth(row).locator("td").last.inner_text() == "?"
        is_second, says_second = page.evaluate(
            f"[anne.data.y[{row}] === 1, anne.values(anne.data.x[{row}])[2][0] > 0.5]"
        )
        page.click("#guess-1")
        you, net = you + is_second, net + (is_second == says_second)
        assert page.get_attribute("#guess-tally", "data-tally") == f"{you} {net} {n}"
        wording = "virginica: you are right" if is_second else "versicolor, not virginica"
        assert re.match(rf"Row {row + 1} is {wording}\. The network says ", page.inner_text("#guess-answer"))
    assert len(set(seen)) == 5
    page.reload()
    page.wait_for_selector("#guess-tally")
    assert page.get_attribute("#guess-tally", "data-tally") == f"{you} {net} 5"
    page.click("#guess-again")
    assert int(page.get_attribute("#guess-row", "data-row")) == seen[0]


def test_all_rows_are_guessed(explorer):
    explorer.open("en/xor/2-2-1/data")
    for _ in range(4):
        explorer.page.click("#guess-0")
    assert "There is no other row to guess." in explorer.page.inner_text("#guess")
    assert explorer.page.get_attribute("#guess-tally", "data-tally").startswith("2 ")  # two of the four are 0
