"""The ten minutes of a first lesson, in both languages: with the emulated Pico behind `anne explore`."""

from __future__ import annotations

import pytest

PETALS = ("5.9", "3.0", "4.2", "1.5")
FEATURE = {"de": "Blütenblatt-Breite", "en": "petal width"}
BROKEN, ITS_WEIGHT = "neuron-1-1", "weight-3"  # neuron 1.2 tells the kinds apart by this feature


@pytest.mark.parametrize("language", ["de", "en"])
def test_the_first_lesson(browser, server, send, language):
    context = browser.new_context(locale={"de": "de-DE", "en": "en-GB"}[language])
    page = context.new_page()
    page.set_default_timeout(60_000)  # the emulated Pico may share the machine with other tests
    page.goto(server.url)
    page.wait_for_selector("h1")
    assert page.get_attribute("html", "lang") == language  # the browser's own

    # choose IRIS, and guess ten flowers by the width of their petals; the network, too, only guesses by now
    page.check("#data-iris")
    assert page.evaluate("anne.sizes") == [4, 3, 1]
    you = guess(page, 10, FEATURE[language])
    assert you[0] >= 8 > you[1]

    # train: it has more of the same ten right
    page.click("#tab-train")
    before = right(page)
    page.click("#train-hundred")
    learnt = right(page)
    assert learnt >= 95 > before
    page.click("#tab-data")
    assert tally(page)[1] > you[1]

    # break it: one weight with its sign turned, and many flowers are wrong
    page.click("#tab-look")
    page.click(f"#{BROKEN}")
    weight = typed(page, ITS_WEIGHT)
    page.fill(f"#{ITS_WEIGHT}", str(-weight))
    page.keyboard.press("Enter")
    assert right(page) < learnt - 10

    # find the wrong flower, and the neuron to blame: backwards, the largest number is the broken one's
    page.click("#look-effect button.wrong >> nth=0")
    page.click("[id^=wrong-] >> nth=0")
    wording = {"de": ", aber das Netz sagt ", "en": ", but the network says "}[language]
    assert wording in page.inner_text("#look-answer")
    page.click("#look-backwards")
    blame = {
        f"neuron-1-{i}": abs(float(page.get_attribute(f"#neuron-1-{i}", "data-value"))) for i in range(3)
    }
    assert max(blame, key=blame.get) == BROKEN
    page.click("#look-learnt")
    assert right(page) == learnt

    # send it to the Pico, type petals there, and see the same number
    send(page)
    for i, value in enumerate(PETALS):
        page.fill(f"#ask-{i}", value)
    page.click("#ask")
    page.wait_for_selector("#live-said")
    there, here = page.locator("#live-said td").all_inner_texts()
    assert there == here
    still = [typed(page, f"ask-{i}") for i in range(4)]
    assert still == [float(value) for value in PETALS]
    page.click("#live-close")
    page.wait_for_selector("#live-served")  # and the board is free for the next
    context.close()


def typed(page, field: str) -> float:
    """The number in a field, on the German page with a comma."""
    return float(page.input_value(f"#{field}").replace(",", "."))


def guess(page, n: int, feature: str) -> tuple[int, int]:
    """Guess n rows as a pupil does who looks at one feature: the second kind where it is above 1.65 cm."""
    for _ in range(n):
        shown = page.locator("#guess dl div", has_text=feature).locator("dd").inner_text()
        page.click(f"#guess-{int(float(shown.replace(',', '.')) > 1.65)}")
    return tally(page)


def tally(page) -> tuple[int, int]:
    """How many guesses are right: the pupil's, and the network's as it is."""
    you, net, _ = page.get_attribute("#guess-tally", "data-tally").split()
    return int(you), int(net)


def right(page) -> int:
    """How many of the 100 rows the network has right, as the page says."""
    return int(page.get_attribute("#train-accuracy", "data-right"))
