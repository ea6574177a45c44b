"""What goes wrong between the explorer page and a board: a sentence each that says what to do, from the true server."""

from __future__ import annotations

import fcntl
import os
import signal
import socket
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from anne_tools.boards.explorer import Explorer
from anne_tools.boards.lines import SerialLine
from anne_tools.cli import cli
from anne_tools.errors import DeviceError
from click.testing import CliRunner
from explore_page import explore, page_at, reason
from fake_board import vanishes

ANNE = Path(sys.executable).with_name("anne")


@pytest.fixture
def served(tmp_path):
    """A function that serves a page with the board at a port, and gives the address."""
    explorers = []
    (tmp_path / "page.html").write_text("page")

    def serve(port: str) -> str:
        explorers.append(Explorer(SerialLine(port), page=tmp_path / "page.html"))
        return explorers[-1].url

    yield serve
    for explorer in explorers:
        explorer.close()


def why(url: str) -> str:
    with page_at(url) as page:
        return reason(page)


def test_a_board_answers_and_is_free_again_when_the_page_has_gone(served, fake_board):
    board = fake_board(lambda board, source: f"{len(source)}\r\n")
    url = served(board.port)
    for _ in range(2):
        with page_at(url) as page:
            page.enter()
            assert page.exec("1 + 1") == ("5\n", "")
    wait_until_free(board.port)


class SerialPort:
    """A port that another program has, as pyserial has it."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __enter__(self) -> None:
        self._port = os.open(self._name, os.O_RDWR | os.O_NOCTTY)
        fcntl.flock(self._port, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def __exit__(self, *error) -> None:
        os.close(self._port)


def wait_until_free(port: str) -> None:
    """Return once it can be had, which is a moment after the page has gone."""
    end_s = time.monotonic() + 5
    while True:
        try:
            with SerialPort(port):
                return
        except BlockingIOError:
            assert time.monotonic() < end_s
            time.sleep(0.01)


def test_a_port_that_another_program_has(served, fake_board):
    board = fake_board(lambda board, source: "")
    url = served(board.port)
    with SerialPort(board.port):
        expected = "in use by another program (Thonny, mpremote, a serial monitor?); close it and try again"
        assert why(url) == f"{board.port}: {expected}"
    with page_at(url) as page:  # once it is closed
        page.enter()


def test_nobody_else_gets_the_port_while_a_page_has_it(served, fake_board):
    board = fake_board(lambda board, source: "")
    with page_at(served(board.port)) as page:
        page.enter()
        with pytest.raises(BlockingIOError), SerialPort(board.port):
            pass


def test_a_long_name_leaves_room_for_what_to_do(served, fake_board, tmp_path):
    """Such as those in /dev/serial/by-id; a reason has 123 bytes."""
    board = fake_board(lambda board, source: "")
    port = tmp_path / ("usb-MicroPython_Board_in_FS_mode_" + 40 * "e")
    port.symlink_to(board.port)
    with SerialPort(board.port):
        told = why(served(str(port)))
    assert told == "in use by another program (Thonny, mpremote, a serial monitor?); close it and try again"


def test_no_such_port(served):
    assert why(served("/dev/ttyNONE")).startswith("/dev/ttyNONE: no such port; ports with a Pico: ")


def test_a_board_that_is_unplugged_in_the_middle(served, fake_board):
    board = fake_board(vanishes)
    with page_at(served(board.port)) as page:
        page.enter()
        page.send(b"anne.stream(net, rows)\x04")
        assert reason(page) == f"{board.port}: the board is gone; plug it in and connect again"


def test_a_board_that_takes_nothing_more(served, fake_board, monkeypatch):
    monkeypatch.setattr(SerialLine, "_WRITE_S", 0.2)
    board = fake_board(lambda board, source: "")
    with page_at(served(board.port)) as page:
        page.enter()
        board.hang()
        page.send(bytes(1_000_000))
        assert reason(page) == "the board takes nothing: unplug it, plug it in and connect again"


def test_two_tabs(served, fake_board):
    board = fake_board(lambda board, source: "1")
    url = served(board.port)
    with page_at(url) as first:
        first.enter()
        assert why(url) == "another page has the board; close it and connect again"
        assert first.exec("1") == ("1", "")  # undisturbed


# --- The command -----------------------------------------------------------------------------------------------------


def is_free(port: int) -> bool:
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            taken.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


@pytest.fixture
def page_file(tmp_path):
    (tmp_path / "build").mkdir()
    (tmp_path / "build" / "anne-explorer.html").write_text("page")
    return tmp_path


def test_ctrl_c_ends_it_while_a_page_has_the_board(page_file, fake_board):
    board = fake_board(lambda board, source: "1\r\n" * 1000)
    with explore(ANNE, "--on", board.port, cwd=page_file) as (process, url), page_at(url) as page:
        port = urlsplit(url).port
        assert not is_free(port)
        page.enter()
        page.begin("stream")
        process.send_signal(signal.SIGINT)
        assert reason(page) == "anne explore has ended; start it and open its new address"
        assert process.wait(10) == 0
        assert process.stderr.read() == ""
    assert is_free(port)
    with SerialPort(board.port):
        pass


@pytest.fixture
def taken_port():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        yield taken.getsockname()[1]


def test_a_port_of_the_page_that_is_taken(page_file, monkeypatch, taken_port):
    monkeypatch.chdir(page_file)
    result = CliRunner().invoke(cli, ["explore", "--no-browser", "--port", str(taken_port)], prog_name="anne")
    assert (result.exit_code, result.stdout) == (1, "")
    assert (
        result.stderr
        == f"anne: port {taken_port}: in use by another program; take another, or none for a free one\n"
    )


def test_then_the_board_is_let_go(page_file, fake_board, taken_port):
    line = SerialLine(fake_board(lambda board, source: "").port)
    line.open(lambda data: None, lambda why: None)
    with pytest.raises(DeviceError, match="in use by another program"):
        Explorer(line, taken_port, page_file / "build" / "anne-explorer.html")
    with pytest.raises(OSError, match="is closed"):
        line.write(b"\r")


def test_a_board_file_is_an_emulated_picos():
    result = CliRunner().invoke(
        cli, ["explore", "--on", "COM5", "--board-file", "pico.img"], prog_name="anne"
    )
    assert result.exit_code == 2
    assert "--board-file is an emulated Pico; it does not go with --on COM5" in result.output


def test_a_page_that_is_not_built(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("anne_tools.boards.built.CHECKOUT", tmp_path)
    result = CliRunner().invoke(cli, ["explore"], prog_name="anne")
    assert result.exit_code == 1
    assert result.stderr == (
        "anne: no anne-explorer.html here or in a build folder above; in the source folder, do: make explorer\n"
    )
