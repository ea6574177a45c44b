"""`anne explore` with the emulated Pico: a page that is reloaded, a main.py that loops, firmware without AI-ANNE."""

from __future__ import annotations

import re
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from anne_tools.boards.emulator import EmulatedPico
from anne_tools.boards.explorer import Explorer
from anne_tools.boards.firmware import find_firmware
from anne_tools.boards.lines import EmulatedLine
from anne_tools.errors import ModelError
from explore_page import explore, page_at, reason

ROOT = Path(__file__).parents[2]
NETWORK = ROOT / "examples/networks/iris-8.anne"
STOCK = sorted((ROOT / "build").glob("stock-pico-*.uf2"))
DEPLOYED = "import anne\nnet = anne.load('net.anne')\nrows = [[5.9, 3.0, 4.2, 1.5], [6.5, 3.0, 5.5, 2.0]]"
MAIN = b"import time\nwhile True:\n    print('main')\n    time.sleep_ms(1)\n"
STREAM = "anne.stream(net, (rows[i % 2] for i in range(100000)), 100)"


@pytest.fixture(scope="module")
def serve(tmp_path_factory) -> Iterator:
    """A function that serves a page with an emulated Pico of this firmware, and gives the address."""
    served, page = [], tmp_path_factory.mktemp("page") / "page.html"
    page.write_text("page")

    def serve(uf2: Path, **options) -> str:
        machine = EmulatedPico(uf2, **options)
        machine.boot()
        served.append(Explorer(EmulatedLine(machine), page=page))
        return served[-1].url

    yield serve
    for explorer in served:
        explorer.close()


def firmware() -> Path:
    try:
        return find_firmware()
    except ModelError as error:
        pytest.skip(str(error))


def test_a_page_that_is_reloaded_while_the_board_streams(serve):
    url = serve(firmware())
    with page_at(url) as page:
        page.enter()
        page.put("net.anne", NETWORK.read_bytes())
        assert page.exec(DEPLOYED) == ("", "")
        page.begin(STREAM)
        page.frames(3)
    with page_at(url) as again:  # what the board said meanwhile is of no interest
        again.enter()
        assert again.exec("print(net.name)")[0]
        again.begin(STREAM)
        assert again.frames(2)[1]["x"] == [6.5, 3.0, 5.5, 2.0]
        again.send(b"\x03")
        printed, traceback = again.until(b"\x04"), again.until(b"\x04>")
        assert printed.endswith(b"}\r\n") or not printed.rpartition(b"\n")[2].startswith(b"}")
        assert traceback.strip().endswith(b"KeyboardInterrupt:")


def test_a_program_that_loops_in_main_py_is_stopped(serve):
    url = serve(firmware(), files={"main.py": MAIN})
    with page_at(url) as page:
        page.enter()
        page.send(b"\x02\x04")  # a soft reset from the prompt runs main.py
        page.until(b"main\r\nmain\r\n")
        page.enter()
        assert page.exec("print(6 * 7)") == ("42\n", "")


@pytest.mark.skipif(not STOCK, reason="MicroPython's own firmware is not built")
def test_a_board_without_ai_anne(serve):
    """The page tells by this line that there is none (tests/web says what it makes of it)."""
    with page_at(serve(STOCK[-1])) as page:
        page.enter()
        printed, error = page.exec("import anne")
        assert printed == "" and re.match("ImportError: .*anne", error)


def test_ctrl_c_while_the_emulated_pico_is_busy(tmp_path):
    """It ends at once, and its board file keeps what was sent."""
    anne, options = Path(sys.executable).with_name("anne"), ("--on", "emulator", "--board-file", "pico.img")
    (tmp_path / "build").mkdir()
    (tmp_path / "build" / "anne-explorer.html").write_text("page")
    command = (anne, *options, "--uf2", str(firmware()))
    with explore(*command, cwd=tmp_path) as (process, url), page_at(url) as page:
        page.enter()
        page.put("kept.txt", b"42")
        page.begin("while True: pass")
        process.send_signal(signal.SIGINT)
        assert reason(page) == "anne explore has ended; start it and open its new address"
        assert process.wait(4) == 0  # the line's own patience is five seconds
    with explore(*command, cwd=tmp_path) as (_, url), page_at(url) as page:
        page.enter()
        assert page.exec("print(open('kept.txt').read())") == ("42\n", "")
