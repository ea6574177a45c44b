"""Takes the pictures of the page that the documents show, in Debian's Chromium with Playwright (`make test-web`).

    python web/pictures.py build/anne-explorer.html docs

Each picture keeps in itself the text that stood on the page, by which a test sees that it is not out of date. A file is
written only where that has changed or the picture looks different, so that small differences between machines, as of a
font's edges, change nothing.
"""

from __future__ import annotations

import argparse
import io
import shutil
from pathlib import Path

from PIL import Image, ImageChops, ImageStat
from PIL.PngImagePlugin import PngInfo

COLOURS = 96  # of a picture, which is then a third as large
WIDTH, GAP, BACKGROUND = 1180, 16, "#f4f6f8"
TEXT = "Description"  # where PNG has a text
ALIKE = 4  # of 255: so far may two pictures be apart, point by point of their eighths
# What is done before, from IRIS with 4-3-1 neurons on: the row to look at, buttons to press; then the parts of the page
# that are shown side by side.
PICTURES = {
    "explorer_look.png": (
        70, ["#train-hundred", "#tab-look", "#neuron-1-1"], ["section:has(#look-network)", "section:has(#look-map)"],
    ),
    "explorer_train.png": (0, ["#train-hundred"], [".column:nth-child(1)", ".column:nth-child(2)"]),
}  # fmt: skip


def main() -> None:
    from playwright.sync_api import sync_playwright

    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("page", type=Path)
    parser.add_argument("folder", type=Path)
    arguments = parser.parse_args()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
        )
        for name in PICTURES:
            picture, text = take(browser, arguments.page, name)
            path = arguments.folder / name
            if not path.exists() or text_of(path) != text or not alike(Image.open(path), picture):
                save(picture, text, path)
                print(f"{path}: new")
        browser.close()


def take(browser, page: Path, name: str) -> tuple[Image.Image, str]:
    """A picture, and the text on what it shows."""
    row, presses, shown = PICTURES[name]
    context = browser.new_context(
        offline=True, locale="en-GB", color_scheme="light", viewport={"width": WIDTH, "height": 1400}
    )
    tab = context.new_page()
    tab.goto(f"{page.resolve().as_uri()}#en/iris/4-3-1/train")
    tab.wait_for_selector("h1")
    tab.evaluate(f"anne.look({row})")
    for button in presses:
        tab.click(button)
    tab.mouse.move(0, 0)
    tab.evaluate("document.activeElement.blur()")
    parts = [tab.locator(part) for part in shown]
    picture = side_by_side([Image.open(io.BytesIO(part.screenshot(caret="hide"))) for part in parts])
    text = "\n".join(part.inner_text() for part in parts)
    context.close()
    return picture, text


def side_by_side(parts: list[Image.Image]) -> Image.Image:
    size = sum(part.width for part in parts) + GAP * (len(parts) - 1), max(part.height for part in parts)
    picture = Image.new("RGB", size, BACKGROUND)
    at = 0
    for part in parts:
        picture.paste(part, (at, 0))
        at += part.width + GAP
    return picture


def save(picture: Image.Image, text: str, path: Path) -> None:
    info = PngInfo()
    info.add_itxt(TEXT, text)
    few = picture.quantize(COLOURS, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    few.save(path, optimize=True, pnginfo=info)


def text_of(path: Path) -> str:
    return Image.open(path).text.get(TEXT, "")


def alike(one: Image.Image, other: Image.Image) -> bool:
    """Whether two pictures look the same, at arm's length."""
    if one.size != other.size:
        return False
    small = [picture.convert("L").reduce(8) for picture in (one, other)]
    return ImageStat.Stat(ImageChops.difference(*small)).mean[0] < ALIKE


if __name__ == "__main__":
    main()
