"""The ten minutes of a first lesson, in both languages: with the emulated Pico behind `anne explore`."""

from __future__ import annotations

import pytest

PETALS = ("5.9", "3.0", "4.2", "1.5")


@pytest.mark.parametrize("language", ["de", "en"])
def test_the_first_lesson(browser, server, send, language):
    context = browser.new_context(locale={"de": "de-DE", "en": "en-GB"}[language])
    page = context.new_page()
    page.set_default_timeout(60_000)  # the emulated Pico may share the machine with other tests
    page.goto(server.url)
    page.wait_for_selector("h1")
    assert page.get_attribute("html", "lang") == language  # the browser's own

    # choose IRIS and guess: the network, too, only guesses before it has learnt
    page.check("#data-iris")
    page.click("#tab-train")
    assert page.evaluate("anne.sizes") == [4, 3, 1]
    right_before = right(page)

    # train
    page.click("#train-hundred")
    assert right(page) >= 90 and right(page) > right_before

    # break it: a learning rate of a million, which is said in a sentence, and then begin again with fewer epochs
    page.fill("#train-lr-value", "1000000")
    page.keyboard.press("Enter")
    page.click("#train-epoch")
    assert {"de": "entgleist", "en": "Diverged"}[language] in page.inner_text("#train-state")
    page.fill("#train-lr-value", "0.05")
    page.keyboard.press("Enter")
    page.click("#train-again")
    for _ in range(3):
        page.click("#train-epoch")

    # the wrong flower, and the neuron to blame: the one whose sum the loss depends on most
    page.click("#train-confusion button.wrong >> nth=0")
    page.click("[id^=wrong-] >> nth=0")
    answer = page.inner_text("#look-answer")
    assert {"de": ", aber das Netz sagt ", "en": ", but the network says "}[language] in answer
    blame = {}
    for neuron in range(3):
        page.click(f"#neuron-1-{neuron}")
        blame[neuron] = abs(float(page.get_attribute("#look-gradient", "data-value")))
    assert max(blame.values()) > 0

    # send it to the Pico, type petals there, and see the same number
    page.click("#tab-train")
    page.click("#train-hundred")
    send(page)
    for i, value in enumerate(PETALS):
        page.fill(f"#ask-{i}", value)
    page.click("#ask")
    page.wait_for_selector("#live-said")
    there, here = page.locator("#live-said td").all_inner_texts()
    assert there == here
    page.click("#live-close")
    page.wait_for_selector("#live-served")  # and the board is free for the next
    context.close()


def right(page) -> int:
    """How many of the 100 rows the network has right, as the page says."""
    return int("".join(filter(str.isdigit, page.inner_text("#train-accuracy").split("100")[0])))
