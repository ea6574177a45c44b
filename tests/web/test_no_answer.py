"""Outputs that are no numbers say no class: 2 x 1e5^8 = 2e40 is none of float32's, and softmax of two infinities is
NaN. One row's sums are so near 0 that they stay finite: its outputs are a third each, which is the first class."""

from __future__ import annotations

import pytest

WORDS = {
    "en": {
        "head": "no answer", "cell": "{n} rows are versicolor, and the network has no answer",
        "row": "It is versicolor, but the network has no answer: its outputs are no numbers.",
        "guess": "The network has no answer, which is wrong.",
    },
    "de": {
        "head": "keine Antwort", "cell": "{n} Zeilen sind versicolor, und das Netz hat keine Antwort",
        "row": "Es ist versicolor, aber das Netz hat keine Antwort: Seine Ausgaben sind keine Zahlen.",
        "guess": "Das Netz hat keine Antwort, und das ist falsch.",
    },
}  # fmt: skip


@pytest.fixture(params=WORDS)
def words(explorer, request):
    explorer.open(f"{request.param}/iris3/4-1-1-1-1-1-1-1-3/net")
    for layer in range(7):
        explorer.page.select_option(f"#activation-{layer}", "linear")
    explorer.page.evaluate("anne.network.parameters.forEach((_, i) => anne.setParameter(i, 1e5))")
    outs = explorer.page.evaluate("anne.data.x.map((x) => String(anne.values(x).at(-1)))")
    assert outs.count("NaN,NaN,NaN") == 149
    explorer.answered = next(row for row, out in enumerate(outs) if "NaN" not in out)
    return WORDS[request.param]


def test_the_matrix_has_them_aside_and_none_is_right(explorer, words):
    explorer.page.click("#tab-train")
    assert explorer.page.locator(".confusion thead th").all_inner_texts()[3:] == [words["head"]]
    cells = [row.split()[1:] for row in explorer.page.locator(".confusion tbody tr").all_inner_texts()]
    answered = explorer.page.evaluate("anne.data.y")[explorer.answered]
    assert cells == [["1", "0", "0", "49"] if i == answered else ["0", "0", "0", "50"] for i in range(3)]
    assert explorer.page.get_attribute("#train-accuracy", "data-right") == str(int(answered == 0))
    versicolor = explorer.page.evaluate("anne.data.labels.indexOf('versicolor')")
    cell = explorer.page.locator(f"[id='cell-{versicolor}--1']")
    assert cell.get_attribute("aria-label") == words["cell"].format(n=cells[versicolor][3])
    cell.click()
    explorer.page.click("[id^=wrong-] >> nth=0")
    assert explorer.page.inner_text("#look-answer") == words["row"]


def test_a_guess_has_none_beside_it(explorer, words):
    explorer.page.click("#tab-data")
    row = explorer.page.evaluate("anne.guesses.row")
    assert row != explorer.answered
    explorer.page.click(f"#guess-{explorer.page.evaluate(f'anne.data.y[{row}]')}")
    assert explorer.page.inner_text("#guess-answer").endswith(words["guess"])
    assert explorer.page.get_attribute("#guess-tally", "data-tally") == "1 0 1"


def test_rows_without_an_answer_are_wrong_in_floats(explorer):
    """The last row, kept back from the ranges of int8, is beyond float32; its integers are at their ends."""
    explorer.open("en/iris/4-3-1/data")
    rows = [f"{i % 2},{i // 2},{'ab'[i % 2]}" for i in range(23)] + ["1e30,1e30,a"]
    assert explorer.take_table("x,y,kind\n" + "\n".join(rows)) == ""
    explorer.page.evaluate("anne.setHidden([{ n: 1, activation: 'linear' }, { n: 2, activation: 'linear' }])")
    values = [1e5, 1e5, 0, 1e5, -1e5, 0, 0, 1, 0.5, 0]
    explorer.page.evaluate(f"{values}.forEach((v, i) => anne.setParameter(i, v))")
    assert (
        explorer.page.evaluate("anne.data.x.map((x) => anne.values(x).at(-1)[0]).findIndex(Number.isNaN)")
        == 23
    )
    explorer.page.click("#tab-int8")
    assert "24" in explorer.page.locator("#int8-others button").all_inner_texts()
    floats, _ = map(int, explorer.page.get_attribute("#int8-totals", "data-right").split())
    assert floats == explorer.page.evaluate("anne.summary().right")
