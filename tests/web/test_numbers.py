"""Fields for numbers: they read a point or a comma in both languages, and show the language's; the keys up and down."""

from __future__ import annotations

import pytest

NONE = ["", "nan", "Infinity", "1,5,5", "1.000,5", "0x10", "1e", "-"]
EXPECTED = {
    "en": "Expected a number from 0.000001 to 1000000.",
    "de": "Erwartet wird eine Zahl von 0,000001 bis 1000000.",
}


POINT = {"en": ".", "de": ","}


def type_into(explorer, field: str, text: str) -> None:
    """As a hand does, letter by letter."""
    explorer.page.click(field)
    explorer.page.keyboard.press("Control+a")
    explorer.page.keyboard.press("Delete")
    explorer.page.keyboard.type(text)
    explorer.page.keyboard.press("Enter")


@pytest.mark.parametrize("language", ["de", "en"])
def test_a_point_or_a_comma(explorer, language):
    explorer.open(f"{language}/iris/4-3-1/train")
    for text, value in [("1,5", 1.5), ("2.5", 2.5), (",25", 0.25), (" 1,5e-2 ", 0.015), ("+3", 3)]:
        type_into(explorer, "#train-lr-value", text)
        assert explorer.page.evaluate("anne.settings.lr") == value
        shown = str(value).replace(".", POINT[language])
        assert explorer.page.input_value("#train-lr-value") == shown
    explorer.page.click("#tab-look")
    for text, value in [("-1,5", -1.5), ("2.5", 2.5)]:
        for place, index in [("0", 0), ("bias", 12)]:
            type_into(explorer, f"#weight-{place}", text)
            assert explorer.parameters()[index] == value
            assert explorer.page.input_value(f"#weight-{place}") == str(value).replace(".", POINT[language])
    explorer.page.click("#tab-net")
    type_into(explorer, "#neurons-0", "4,2")  # a whole number, the nearest
    assert explorer.page.evaluate("anne.sizes") == [4, 4, 1]
    assert explorer.page.locator("[role=alert]").count() == 0


@pytest.mark.parametrize("language", ["de", "en"])
def test_what_is_no_number_is_said_and_the_old_one_kept(explorer, language):
    explorer.open(f"{language}/iris/4-3-1/train")
    type_into(explorer, "#train-lr-value", "0,5")
    for text in [*NONE, "1e39", "0", "-1"]:
        type_into(explorer, "#train-lr-value", text)
        assert explorer.page.inner_text("[role=alert]") == EXPECTED[language]
        assert explorer.page.get_attribute("#train-lr-value", "aria-invalid") == "true"
        assert explorer.page.input_value("#train-lr-value") == f"0{POINT[language]}5"
        assert explorer.page.evaluate("anne.settings.lr") == 0.5
    type_into(explorer, "#train-lr-value", "0,25")
    assert explorer.page.locator("[role=alert], [aria-invalid]").count() == 0
    explorer.page.click("#tab-look")
    before = explorer.parameters()
    for field in ("#weight-0", "#weight-bias"):
        for text in [*NONE, "1e39"]:
            type_into(explorer, field, text)
            assert explorer.page.get_attribute(field, "aria-invalid") == "true"
    type_into(explorer, "#look-row", "nan")
    assert explorer.page.evaluate("anne.row") == 0
    type_into(explorer, "#look-row", "1e39")  # beyond the last row is the last
    assert explorer.page.evaluate("anne.row") == 99
    assert explorer.parameters() == before
    explorer.page.click("#tab-net")
    type_into(explorer, "#neurons-0", "")
    assert explorer.page.evaluate("anne.sizes") == [4, 3, 1]
    assert explorer.page.get_attribute("#neurons-0", "aria-invalid") == "true"


def test_the_keys_up_and_down_are_a_step_of_one(explorer):
    explorer.open("en/iris/4-3-1/train")
    for key, lr in [("ArrowUp", 1.05), ("ArrowUp", 2.05), ("ArrowDown", 1.05)]:
        explorer.page.press("#train-lr-value", key)
        assert explorer.page.evaluate("anne.settings.lr") == lr
    explorer.page.press("#train-batch-value", "ArrowDown")  # 1 is the least
    assert explorer.page.evaluate("anne.settings.batch") == 1
    explorer.page.click("#tab-look")
    type_into(explorer, "#weight-0", "0,5")
    explorer.page.press("#weight-0", "ArrowDown")
    assert explorer.parameters()[0] == -0.5
    assert explorer.page.evaluate("document.activeElement.id") == "weight-0"


@pytest.mark.parametrize("language", ["de", "en"])
def test_the_board_is_asked_what_was_typed(browser, server, send, language):
    context = browser.new_context(locale="en-GB")
    page = context.new_page()
    page.set_default_timeout(60_000)  # the emulated Pico may share the machine with other tests
    page.goto(f"{server.url}#{language}/iris/4-3-1/train")
    send(page)
    row = page.evaluate("anne.data.x[0]")
    for place, text in [("2", "1,5"), ("3", "2.25")]:
        page.fill(f"#ask-{place}", text)
    for text in ("", "nan", "1e39"):
        page.fill("#ask-0", text)
        page.click("#ask")
        assert page.evaluate("document.activeElement.id") == "ask-0"
        assert page.get_attribute("#ask-0", "aria-invalid") == "true"
        limits = {"de": "von -1e30 bis 1e30.", "en": "from -1e30 to 1e30."}[language]
        assert page.inner_text("[role=alert]").endswith(limits)
    assert page.locator("#live-said").count() == 0
    page.fill("#ask-0", "5,5")
    page.press("#ask-0", "ArrowUp")
    page.click("#ask")
    shown = ["6,5", f"{row[1]}".replace(".", ","), "1,5", "2,25"]
    caption = "; ".join(shown if language == "de" else [text.replace(",", ".") for text in shown])
    assert page.inner_text("#live-said caption") == caption
    there, here = (page.locator("#live-said td").nth(i).inner_text() for i in range(2))
    expected = page.evaluate(f"anne.values([6.5, {row[1]}, 1.5, 2.25]).at(-1)[0]")
    for said in (there, here):
        assert float(said.replace(",", ".")) == pytest.approx(expected, rel=1e-5)
    context.close()
