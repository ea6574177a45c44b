"""The page with a board: the emulated Pico behind `anne explore`, and behind a stand-in for Web Serial."""

from __future__ import annotations

import base64
import json
import queue
import re
import time

import pytest

PATIENCE_S = 180  # for 100 frames, which take some ten seconds on a machine of its own

# navigator.serial with one port, whose bytes go through functions that the test gives the page.
FAKE_SERIAL = """
let port;
const bytes = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
window.boardSays = (text) => port?.controller.enqueue(bytes(text));
window.boardGone = () => port?.controller.error(new Error("gone"));
Object.defineProperty(navigator, "serial", { value: { async requestPort() {
    if (window.pickNone) throw new Error("none picked");
    port = {
        async open() { if (window.portBusy) throw new Error("busy"); },
        async close() {},
        readable: new ReadableStream({ start(controller) { port ??= {}; (window.pending = controller); } }),
        writable: new WritableStream({ write: (chunk) => window.boardTakes(btoa(String.fromCharCode(...chunk))) }),
    };
    port.controller = window.pending;
    return port;
} } });
"""


@pytest.fixture
def served(browser, server):
    """A tab with the page of `anne explore`; what it asked for must be that server's."""
    context = browser.new_context(locale="en-GB")
    page = context.new_page()
    page.set_default_timeout(60_000)  # the emulated Pico may share the machine with other tests
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    page.goto(server.url + "#en/iris/4-3-1/train")
    page.wait_for_selector("h1")
    yield page
    context.close()
    assert {re.match(r"\w+://([^/]*)", url)[1] for url in requests} == {server._host}


def watched(page, n: int, wait) -> list[dict]:
    """What the page saw in n frames of the board, beside its own values for the same row; wait() lets time pass."""
    page.evaluate(
        """() => {
        window.seen = [];
        anne.listen((what) => {
            if (what !== "live") return;
            const frame = JSON.parse(document.getElementById("live-frame").dataset.frame);
            const here = anne.values(anne.data.x[window.seen.length % 100]).slice(1).map((layer) => Array.from(layer));
            window.seen.push({ frame, here });
        });
    }"""
    )
    page.click("#live-watch")
    # asked from here, as the page's policy lets nothing be evaluated there
    end = time.monotonic() + PATIENCE_S
    while page.evaluate("window.seen.length") < n:
        assert time.monotonic() < end, page.evaluate("window.seen.length")
        wait()
    page.click("#live-stop")
    while not page.locator("#live-watch").count():
        assert time.monotonic() < end, "it is not stopped"
        wait()
    return page.evaluate("window.seen")


def same_values(page, seen: list[dict]) -> None:
    """Board and page say the same of 100 rows and every neuron: as many digits as the board prints, which are seven."""
    labels = page.evaluate("anne.data.labels")
    for row, (frame, here) in enumerate((each["frame"], each["here"]) for each in seen[:100]):
        neurons = frame["layers"][1:]  # below is the scaling
        for there, here_too in zip(neurons, here, strict=True):
            assert there == pytest.approx(here_too, rel=2e-6, abs=1e-9)
        assert frame["answer"] == labels[here[-1][0] > 0.5], row


def test_the_board_answers_all_100_rows_as_the_page_does(served, send):
    served.evaluate("anne.epochs(30)")
    send(served)
    same_values(served, watched(served, 100, lambda: served.wait_for_timeout(200)))


def test_two_pages_and_one_board(served, browser, server):
    served.click("#tab-live")
    served.click("#live-served")
    served.wait_for_selector("#live-close")
    context = browser.new_context(locale="en-GB")
    other = context.new_page()
    other.goto(server.url + "#en/iris/4-3-1/live")
    other.click("#live-served")
    assert "another page has the board; close it and connect again" in other.inner_text("[role=alert]")
    context.close()


def test_a_program_that_runs_is_stopped(served, line):
    line.write(b"while True: pass\r\n\r\n")
    served.click("#tab-live")
    served.click("#live-served")
    served.wait_for_selector("#live-send")


# --- Web Serial ------------------------------------------------------------------------------------------------------


@pytest.fixture
def serial(explorer):
    """The page from its file, with the stand-in; `board(data)` is called with what the page writes."""
    explorer.page.add_init_script(FAKE_SERIAL)
    explorer.board = lambda data: None
    explorer.page.expose_function("boardTakes", lambda text: explorer.board(base64.b64decode(text)))
    return explorer


def open_live(explorer) -> None:
    explorer.open("en/iris/4-3-1/live")


def alert(explorer) -> str:
    explorer.page.wait_for_selector("[role=alert]", timeout=20_000)
    return explorer.page.inner_text("[role=alert]")


def test_no_board_is_picked(serial):
    open_live(serial)
    serial.page.evaluate("window.pickNone = true")
    serial.page.click("#live-usb")
    assert alert(serial).startswith("No board was picked: plug in the Pico")


def test_the_port_is_busy(serial):
    open_live(serial)
    serial.page.evaluate("window.portBusy = true")
    serial.page.click("#live-usb")
    assert alert(serial).startswith("The port is in use: close Thonny")


def test_a_board_that_never_answers(serial):
    """As one whose program catches Ctrl-C; the page waits for 8 seconds."""
    open_live(serial)
    serial.page.click("#live-usb")
    assert alert(serial).startswith("No answer from MicroPython. A program on the board may hold on to it")


def scripted(serial, answers: dict[bytes, str], prints: dict[bytes, str] | None = None) -> None:
    """A board that has a raw REPL, and prints and fails as told for scripts that hold these bytes."""
    heard = bytearray()

    def says(text: str) -> None:
        serial.page.evaluate(f"boardSays({base64.b64encode(text.encode()).decode()!r})")

    def takes(data: bytes) -> None:
        heard.extend(data)
        if heard.endswith(b"\x01"):
            heard.clear()
            says("raw REPL; CTRL-B to exit\r\n>")
        elif heard.endswith(b"\x04"):
            source = bytes(heard)
            heard.clear()
            wrong = next((answer for part, answer in answers.items() if part in source), "")
            printed = next((text for part, text in (prints or {}).items() if part in source), "")
            says(f"OK{printed}\x04{wrong}\x04>")

    serial.board = takes


@pytest.mark.parametrize(
    ("traceback", "text"),
    [
        ("ImportError: no module named 'anne'", "There is no AI-ANNE on this board"),
        ("MemoryError: memory allocation failed", "The board has too little memory"),
        ("OSError: [Errno 28] ENOSPC", "The board's storage is full"),
        ("ValueError: odd", "The board says: ValueError: odd"),
    ],
)
def test_what_the_board_refuses(serial, traceback, text):
    scripted(serial, {b"import anne": f"Traceback:\r\n  File 1\r\n{traceback}\r\n"})
    open_live(serial)
    serial.page.click("#live-usb")
    serial.page.click("#live-send")
    assert alert(serial).startswith(text)
    assert serial.page.locator("#live-close").count() == 1  # still connected


def test_a_board_that_is_unplugged(serial):
    scripted(serial, {})
    open_live(serial)
    serial.page.click("#live-usb")
    serial.page.wait_for_selector("#live-close")
    serial.page.evaluate("boardGone()")
    assert alert(serial) == "The board is gone: plug it in, and connect again."


def test_web_serial_trains_deploys_and_watches(serial, line):
    """The page from its file; the port that it is given leads to the emulated Pico."""
    page, said = serial.page, queue.Queue()
    line.open(said.put, lambda why: None)
    serial.board = line.write

    def wait() -> None:
        data = b"".join(said.get() for _ in range(said.qsize()))
        if data:
            page.evaluate(f"boardSays({base64.b64encode(data).decode()!r})")
        page.wait_for_timeout(20)

    def wait_for(selector: str) -> None:
        while not page.locator(selector).count():
            assert not page.locator("[role=alert]").count(), page.inner_text("[role=alert]")
            wait()

    serial.open("en/iris/4-3-1/train")
    page.click("#train-hundred")
    page.click("#tab-live")
    page.click("#live-usb")
    wait_for("#live-send:enabled")
    page.click("#live-send")
    wait_for("#live-state[data-state=same]")
    same_values(page, watched(page, 100, wait))
    page.click("#live-close")
    line.close()


def watch(serial, pieces: list[str]) -> None:
    """Send the network and watch a board that says these pieces, until it is stopped."""
    scripted(serial, {})
    serial.page.click("#live-usb")
    serial.page.click("#live-send")
    serial.page.wait_for_selector("#live-watch")
    heard = bytearray()

    def says(data: str) -> None:
        serial.page.evaluate(f"boardSays({base64.b64encode(data.encode()).decode()!r})")

    def takes(data: bytes) -> None:
        heard.extend(data)
        if heard.endswith(b"\x04"):
            says("OK")
            for piece in pieces:
                says(piece)
        elif heard.endswith(b"\x03"):
            says("\x04Traceback\r\nKeyboardInterrupt: \r\n\x04>")

    serial.board = takes
    serial.page.click("#live-watch")


def test_frames_over_web_serial(serial):
    """Lines that come in pieces, and one that is no JSON."""
    layers = [[0.1, 0.2, 0.3, 0.4], [1, 2, 3], [0.5]]
    text = json.dumps({"x": [5.9, 3.0, 4.2, 1.5], "layers": layers, "us": 43, "answer": "versicolor"})
    open_live(serial)
    watch(serial, [text[:20], text[20:] + '\r\n{"x": [nan]}\r\n', text + "\r\n"])
    serial.page.wait_for_selector("#live-frame[data-frames='2']")
    assert serial.page.inner_text("#live-frame") == "Frame 2: versicolor, 43 microseconds on the board"
    assert serial.page.get_attribute("#neuron-1-2", "data-value") == "3"
    serial.page.click("#live-stop")
    serial.page.wait_for_selector("#live-watch")
    assert serial.page.locator("[role=alert]").count() == 0


def test_an_answer_of_the_board_is_said_in_german(serial):
    """The board knows the English names; and what it says is no number is none here."""
    layers = [[0.1, 0.2, 0.3], [None, 2, 3, 4], [0, 0.25, 0.75]]
    frame = {"x": [1, 2, 3], "layers": layers, "us": 43, "answer": "shake"}
    serial.open("de/gestures/3-4-3/live")
    watch(serial, [json.dumps(frame) + "\r\n"])
    serial.page.wait_for_selector("#live-frame")
    assert serial.page.inner_text("#live-frame") == "Bild 1: geschüttelt, 43 Mikrosekunden auf dem Board"
    assert serial.page.get_attribute("#neuron-1-0", "data-value") == "NaN"
    assert serial.page.get_attribute("#neuron-2-2", "data-value") == "0.75"


@pytest.mark.parametrize(("language", "said"), [("en", "no answer"), ("de", "keine Antwort")])
def test_a_board_without_an_answer(serial, language, said):
    """null, as anne.stream writes the class of NaN."""
    frame = {"x": [1, 2, 3], "layers": [[0.1, 0.2, 0.3], [1, 2, 3, 4], [None] * 3], "us": 43, "answer": None}
    serial.open(f"{language}/gestures/3-4-3/live")
    watch(serial, [json.dumps(frame) + "\r\n"])
    serial.page.wait_for_selector("#live-frame")
    assert f": {said}, 43 " in serial.page.inner_text("#live-frame")


def test_a_board_that_is_asked_and_says_nan(serial):
    """MicroPython's json writes nan, for which JSON has no word."""
    scripted(serial, {}, {b"net.predict(": "[nan]\r\n"})
    open_live(serial)
    for button in ("#live-usb", "#live-send", "#ask"):
        serial.page.click(button)
    assert serial.page.locator("#live-said td").first.inner_text() == "NaN"
