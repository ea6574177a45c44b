"""The page as people use it: languages, keyboard, tables of their own, what goes wrong."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

WEB = Path(__file__).parents[2] / "web"
SCREENS = ("data", "net", "train", "look", "int8", "pico", "live")
GOOD = "length,width,kind\n" + "".join(f"{1 + i / 10},{2 - i / 10},{'ab'[i % 2]}\n" for i in range(30))


def test_the_page_is_one_small_file(explorer):
    assert (WEB.parent / "build/anne-explorer.html").stat().st_size <= 250_000


def test_no_request_but_the_page_itself(explorer):
    explorer.open("en/iris/4-3-1/data")
    for screen in SCREENS:
        explorer.page.click(f"#tab-{screen}")
    assert {url for url in explorer.requests if url.startswith(("http", "ws", "file"))} <= {explorer.requests[0], *(
        url for url in explorer.requests if "anne-explorer.html" in url)}  # fmt: skip
    assert len([url for url in explorer.requests if url.startswith("file")]) == 1


def test_both_languages_say_everything():
    de, en = (json.loads((WEB / f"texts/{name}.json").read_text()) for name in ("de", "en"))
    assert list(de) == list(en)
    places = lambda text: sorted(re.findall(r"\{\w+\}", text))  # noqa: E731
    assert {key for key in en if places(de[key]) != places(en[key])} == set()


def test_no_text_stands_elsewhere():
    """Every key is used, and what is not found as a key is built of one: data.NAME, screen.NAME, name.FEATURE ..."""
    keys = set(json.loads((WEB / "texts/en.json").read_text()))
    scripts = "".join(path.read_text() for path in WEB.glob("js/**/*.js"))
    named = set(re.findall(r'"([a-zA-Z0-9]+(?:\.[a-zA-Z0-9]+)*)"', scripts))
    built = {key for key in keys if re.match(r"(data|screen|train|live)\.\w+(\.about)?$|name\.", key)}
    assert keys - named - built == set()


def test_names_are_german_on_the_german_page_and_english_in_files(explorer):
    """Whoever reads a file, on the board or in a program, finds the names of the data set."""
    explorer.open("de/gestures/3-4-3/look")
    page = explorer.page
    for name in ("erste Hälfte", "zweite Hälfte", "Wechsel", "links", "rechts", "geschüttelt"):
        assert page.locator("svg.network text", has_text=name).count() == 1
    page.click("#tab-pico")
    assert "first half (erste Hälfte)" in page.inner_text("#pico-names")
    assert "# Inputs: first half, second half, changes. Classes: left, right, shake." in page.inner_text(
        "#pico-text"
    )
    file = bytes(page.evaluate("Array.from(anne.file().bytes)"))
    assert b"left\nright\nshake" in file
    page.click("#language-en")
    assert page.locator("#pico-names").count() == 0


def test_names_of_an_own_table_are_left(explorer):
    explorer.open("de/iris/4-3-1/data")
    assert explorer.take_table("changes,right\n1,left\n2,shake\n3,left\n") == ""
    assert explorer.page.locator("main thead th").all_inner_texts() == ["Zeile", "changes", "Klasse"]
    assert explorer.page.inner_text("#guess-0") == "left"


def test_every_name_with_a_text_is_in_the_data(explorer):
    explorer.open("en/iris/4-3-1/data")
    names: set[str] = set()
    for data in ("iris", "iris3", "gestures"):
        names |= set(
            explorer.page.evaluate(f"(anne.choose('{data}'), [...anne.data.features, ...anne.data.labels])")
        )
    texts = json.loads((WEB / "texts/en.json").read_text())
    named = {key.removeprefix("name."): text for key, text in texts.items() if key.startswith("name.")}
    assert named.keys() <= names
    assert all(name == text for name, text in named.items())


@pytest.mark.parametrize("screen", SCREENS)
@pytest.mark.parametrize("language", ["de", "en"])
def test_no_violation_of_accessibility(explorer, language, screen):
    axe = pytest.importorskip(
        "axe_playwright_python.sync_playwright", reason="no axe; `make test-web` installs it"
    )
    explorer.open(f"{language}/iris/4-3-1/{screen}")
    explorer.page.evaluate("anne.epochs(3)")
    explorer.page.click(f"#tab-{screen}")
    # its script is put into the page, which the page's own policy forbids
    assert explorer.page.get_attribute("html", "lang") == language
    if screen == "data":
        explorer.page.click("#guess-1")
        explorer.take_table("1,a\n")
    if screen == "look":
        explorer.page.click("#look-backwards")
        explorer.page.fill("#weight-0", "-9")
        explorer.page.keyboard.press("Enter")
    if screen in ("look", "train"):
        explorer.page.click("button.wrong >> nth=0")
    results = axe.Axe().run(explorer.page)
    assert [violation["id"] for violation in results.response["violations"]] == []


@pytest.mark.parametrize("screen", SCREENS)
def test_360_pixels_are_enough(explorer, screen):
    """Nothing is wider than the page, which would have to be pushed aside to be read."""
    explorer.page.set_viewport_size({"width": 360, "height": 740})
    for address in (f"de/iris3/4-8-3/{screen}", f"en/gestures/3-16-9-4-3/{screen}"):
        explorer.open(address)
        explorer.page.evaluate("anne.epochs(2)")
        explorer.page.click(f"#tab-{screen}")
        assert explorer.page.evaluate("document.documentElement.scrollWidth") <= 360


def test_keyboard_alone(explorer):
    explorer.open("en/iris/4-3-1/data")
    page = explorer.page

    def tab_to(selector: str) -> None:
        for _ in range(80):
            if page.evaluate(f"document.activeElement?.matches({selector!r})"):
                return
            page.keyboard.press("Tab")
        raise AssertionError(f"{selector} is not reached")

    tab_to("#tab-train")
    page.keyboard.press("Enter")
    tab_to("#train-epoch")
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")  # the focus stays where it was
    assert page.evaluate("anne.losses.length") == 2
    page.evaluate("document.activeElement.blur()")
    tab_to("#tab-look")
    page.keyboard.press("Enter")
    tab_to("#neuron-1-2")
    page.keyboard.press("Enter")
    assert page.locator("#neuron-1-2").get_attribute("aria-pressed") == "true"


def test_a_reload_loses_nothing(explorer):
    explorer.open("en/moons/2-5-1/train")
    explorer.page.evaluate("anne.epochs(7)")
    before = explorer.page.evaluate("[anne.losses, Array.from(anne.network.parameters), anne.sizes]")
    explorer.page.reload()
    explorer.page.wait_for_selector("#train-state")
    assert explorer.page.evaluate("[anne.losses, Array.from(anne.network.parameters), anne.sizes]") == before


def test_a_reload_keeps_a_table_that_is_being_typed(explorer):
    explorer.open("en/iris/4-3-1/data")
    explorer.page.click("summary")
    explorer.page.fill("#data-typed", "1,a\n2,")
    explorer.page.reload()
    explorer.page.wait_for_selector("#data-typed")
    assert explorer.page.input_value("#data-typed") == "1,a\n2,"


def test_training_plays_and_pauses(explorer):
    explorer.open("en/iris/4-3-1/train")
    explorer.page.click("#train-play")
    explorer.wait_until("anne.losses.length > 20")
    explorer.page.click("#train-pause")
    n = explorer.page.evaluate("anne.losses.length")
    explorer.page.wait_for_timeout(100)
    assert explorer.page.evaluate("anne.losses.length") == n


@pytest.mark.parametrize("language", ["de", "en"])
def test_a_learning_rate_of_a_million_diverges(explorer, language):
    explorer.open(f"{language}/circles/2-3-1/train")
    explorer.page.fill("#train-lr-value", "1000000")
    explorer.page.keyboard.press("Enter")
    explorer.page.click("#train-hundred")
    text = explorer.page.inner_text("#train-state")
    said = {
        "de": r"In Epoche \d+ entgleist: .* kleinere Lernrate und beginne von vorn\.$",
        "en": r"Diverged in epoch \d+: .* smaller learning rate, and start again\.$",
    }[language]
    assert re.match(said, text)
    for screen in ("pico", "int8"):
        explorer.page.click(f"#tab-{screen}")
        assert {"de": "entgleist", "en": "diverged"}[language] in explorer.page.inner_text("[role=alert]")
    explorer.page.click("#tab-look")
    assert re.match(said, explorer.page.inner_text("#look-effect [role=alert]"))
    assert explorer.page.is_disabled("#weight-0")
    explorer.page.reload()
    explorer.page.wait_for_selector("h1")
    explorer.page.click("#tab-train")
    explorer.page.fill("#train-lr-value", "0.05")
    explorer.page.keyboard.press("Enter")
    explorer.page.click("#train-again")
    explorer.page.click("#train-epoch")
    assert explorer.page.evaluate("anne.losses.length") == 1


def test_wrong_rows_lead_to_their_neurons(explorer):
    explorer.open("en/iris/4-3-1/train")
    explorer.page.click("#train-epoch")
    explorer.page.click("#train-confusion button.wrong >> nth=0")
    explorer.page.click("[id^=wrong-] >> nth=0")
    assert "/look" in explorer.page.url
    assert re.match(r"It is \w+, but the network says \w+\.$", explorer.page.inner_text("#look-answer"))


def test_layers_come_and_go(explorer):
    explorer.open("en/iris/4-3-1/net")
    explorer.page.click("#add-layer")
    explorer.page.fill("#neurons-1", "5")
    explorer.page.keyboard.press("Enter")
    explorer.page.select_option("#activation-1", "tanh")
    assert explorer.page.evaluate("[anne.sizes, anne.activations]") == [
        [4, 3, 5, 1],
        ["relu", "tanh", "sigmoid"],
    ]
    assert "#en/iris/4-3-5-1/net" in explorer.page.url
    explorer.page.click("#remove-0")
    assert explorer.page.evaluate("anne.sizes") == [4, 5, 1]


@pytest.mark.parametrize(
    ("text", "rows", "first"),
    [
        (GOOD, 30, [1, 2]),
        (GOOD.replace(",", ";"), 30, [1, 2]),
        (GOOD.replace(",", ";").replace(".", ","), 30, [1, 2]),  # decimal commas
        ("\ufeff" + GOOD, 30, [1, 2]),
        (GOOD.replace("\n", "\r\n") + "\r\n\r\n", 30, [1, 2]),
        (GOOD.partition("\n")[2].replace(",", "\t"), 30, [1, 2]),  # no header
        ('"a","b"\n"1","x ""y"""\n2,z\n', 2, [1]),
    ],
)
def test_tables_are_taken(explorer, text, rows, first):
    explorer.open("en/iris/4-3-1/data")
    assert explorer.take_table(text) == ""
    assert explorer.page.evaluate("[anne.data.x.length, anne.data.x[0]]") == [rows, first]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "too short"),
        ("a,b\n", "too short"),
        (GOOD.replace("1.5", "NaN"), 'Line 7, column 1: expected a number between -1e30 and 1e30, got “NaN”.'),
        (GOOD.replace("1.5", "1e39"), "got “1e39”"),
        (GOOD.replace("1.5", "Infinity"), "got “Infinity”"),
        (GOOD.replace("1.5,1.5,", "1.5,"), "Line 7: expected 3 cells, as in the first line, got 2."),
        (GOOD.replace(",b", ",a"), "All rows are “a”"),
        ("".join(f"{i},{i}\n" for i in range(40)), "a class beyond the first 16"),
        ("a,k\n1,gr\ufffdn\n2,rot\n", "This table is not UTF-8"),
        ("1\n2\n3\n", "has one cell only"),
        (",".join("x" * 70) + "\n" + ",".join("1" * 70) + "\n" + ",".join("2" * 70), "has 69 columns"),
        ("<img src=x onerror=alert(1)>,b\n1,<b>x</b>\n2,y\n3", "Line 4: expected 2 cells"),
    ],
)  # fmt: skip
def test_tables_are_refused_in_a_sentence(explorer, text, message):
    explorer.open("en/iris/4-3-1/data")
    assert message in explorer.take_table(text)
    assert explorer.page.evaluate("anne.data.name") == "iris"


def test_a_file_of_100000_rows_is_refused_in_a_sentence(explorer, tmp_path):
    path = tmp_path / "many.csv"
    path.write_text("a,b\n" + "1,x\n2,y\n" * 50_000)
    explorer.open("en/iris/4-3-1/data")
    explorer.page.click("summary")
    explorer.page.set_input_files("#data-file", path)
    assert "100000 rows; at most 20000" in explorer.page.inner_text("[role=alert]")


def test_a_file_that_is_not_utf8_is_refused_in_a_sentence(explorer, tmp_path):
    """As a German spreadsheet saves it."""
    path = tmp_path / "colours.csv"
    path.write_text("Länge;Farbe\n1,5;grün\n2,5;rot\n", encoding="cp1252")
    explorer.open("en/iris/4-3-1/data")
    explorer.page.click("summary")
    explorer.page.set_input_files("#data-file", path)
    assert "save it as “CSV UTF-8”" in explorer.page.inner_text("[role=alert]")


def test_20000_rows_are_taken_and_drawn(explorer, tmp_path):
    path = tmp_path / "many.csv"
    path.write_text("a,b,k\n" + "".join(f"{i % 97},{i % 89},{'xy'[i % 2]}\n" for i in range(20_000)))
    explorer.open("en/iris/4-3-1/data")
    explorer.page.click("summary")
    explorer.page.set_input_files("#data-file", path)
    explorer.wait_until("anne.data.x.length === 20000")
    for screen in ("train", "look", "int8", "data"):
        explorer.page.click(f"#tab-{screen}")
    assert 1000 <= explorer.page.locator("svg.chart .mark").count() <= 1502


def test_text_of_a_table_is_no_markup(explorer):
    explorer.open("en/iris/4-3-1/data")
    assert explorer.take_table("<img src=x onerror=alert(1)>,k\n1,<b>x</b>\n2,y\n") == ""
    for screen in SCREENS:
        explorer.page.click(f"#tab-{screen}")
        assert explorer.page.locator("main img, main b b").count() == 0


def test_links_in_the_documents_open_what_they_say(explorer):
    """And each screen and each data set has its name there."""
    text = (WEB.parent / "docs/explorer.md").read_text()
    links = re.findall(r"`#(\S+)`", text)
    assert len(links) == 2
    for link in links:
        language, data, sizes, *screen = link.split("/")
        explorer.open(link)
        assert explorer.page.get_attribute("html", "lang") == language
        assert explorer.page.evaluate("[anne.data.name, anne.sizes.join('-')]") == [data, sizes]
        assert not screen or explorer.page.get_attribute(f"#tab-{screen[0]}", "aria-current") == "page"
    for screen in SCREENS:
        assert f"`{screen}`" in text
    explorer.open("en/iris/4-3-1/data")
    for choice in explorer.page.locator("[name=data]").all():
        assert f"`{choice.get_attribute('id').removeprefix('data-')}`" in text


@pytest.mark.parametrize(
    "address", ["", "xx/yy/zz/qq", "en/iris/4-x-1/net", "en/iris/4-999-1/net", "de/%00/--/look"]
)
def test_an_address_that_means_nothing(explorer, address):
    explorer.open(address)
    assert explorer.page.locator("main section").count() > 0
