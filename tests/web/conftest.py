"""The page in a real browser: Debian's Chromium, driven by Playwright, without a network. `make test-web` installs
both; without them, or without the built page, these tests are skipped."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from anne_tools.boards.emulator import EmulatedPico
from anne_tools.boards.explorer import Explorer as Server
from anne_tools.boards.firmware import find_firmware
from anne_tools.boards.lines import EmulatedLine
from anne_tools.errors import ModelError

sys.path.insert(0, str(Path(__file__).parent))  # for page_network

PAGE = Path(__file__).parents[2] / "build/anne-explorer.html"
CHROMIUM = shutil.which("chromium") or ""
# Root, as in containers, has no sandbox; the others keep the browser from asking anyone for anything at its start.
ARGUMENTS = [
    "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip


@pytest.fixture(scope="session")
def browser() -> Iterator:
    sync_api = pytest.importorskip("playwright.sync_api", reason="no Playwright; `make test-web` installs it")
    if not CHROMIUM:
        pytest.skip("no chromium; `make test-web` installs it")
    if not PAGE.exists():
        pytest.skip(f"no {PAGE.name}; `make explorer` builds it")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


class Explorer:
    """The page in a tab of its own; `requests` and `errors` have what it asked for and what went wrong."""

    def __init__(self, context) -> None:
        self.page = context.new_page()
        self.page.set_default_timeout(10_000)
        self.requests: list[str] = []
        self.errors: list[str] = []
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("console", lambda line: self.errors.append(line.text) if line.type == "error" else None)

    def open(self, address: str) -> None:
        """Open #address anew."""
        self.page.goto("about:blank")
        self.page.goto(f"{PAGE.as_uri()}#{address}")
        self.page.wait_for_selector("h1")

    def wait_until(self, expression: str) -> None:
        """Asked from here, as the page's policy lets nothing be evaluated there later."""
        for _ in range(200):
            if self.page.evaluate(expression):
                return
            self.page.wait_for_timeout(50)
        raise AssertionError(f"{expression} is never true")

    def parameters(self) -> list[float]:
        """Weights and biases, layer by layer."""
        return self.page.evaluate("Array.from(anne.network.parameters)")

    def take_table(self, text: str) -> str:
        """Take a typed table on the screen "data"; return the message, "" if there is none."""
        if not self.page.locator("#data-typed").is_visible():
            self.page.click("summary")
        self.page.fill("#data-typed", text)
        self.page.click("#data-take")
        alert = self.page.locator("[role=alert]")
        return alert.inner_text() if alert.count() else ""


@pytest.fixture
def explorer(browser) -> Iterator[Explorer]:
    context = browser.new_context(offline=True, locale="en-GB")
    explorer = Explorer(context)
    yield explorer
    context.close()
    assert explorer.errors == []
    assert all(url.startswith((PAGE.as_uri(), "about:", "blob:")) for url in explorer.requests)


# --- A board ---------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def line():
    try:
        uf2 = find_firmware()
    except ModelError as missing:
        pytest.skip(str(missing))
    machine = EmulatedPico(uf2, flash_cache=None)
    machine.boot()
    line = EmulatedLine(machine)
    yield line
    line.stop()


@pytest.fixture(scope="session")
def server(line):
    if not PAGE.exists():
        pytest.skip(f"no {PAGE.name}; `make explorer` builds it")
    server = Server(line, page=PAGE)
    yield server
    server.close()


@pytest.fixture
def send():
    """Connect a tab to the board of `anne explore`, and give it the network."""

    def connect_and_send(page) -> None:
        page.click("#tab-live")
        page.click("#live-served")
        page.click("#live-send")
        page.wait_for_selector("#live-state[data-state=same]")

    return connect_and_send
