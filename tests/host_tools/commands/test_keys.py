"""What is typed at the prompt, on systems with terminals of their own (the module termios) and without."""

import io
import os
import signal
import sys
import threading
import types

import pytest
from anne_tools.commands.keys import LeaveError, keys


class Stdin:
    """Standard input: the reading end of a pipe, which may say that it is a terminal."""

    def __init__(self, is_terminal: bool) -> None:
        self._reading, self.writing = os.pipe()
        self.isatty, self.fileno = lambda: is_terminal, lambda: self._reading


@pytest.fixture(params=["termios", "threads"])
def system(request, monkeypatch):
    if request.param == "threads":
        monkeypatch.setitem(sys.modules, "termios", None)


def test_lines_of_a_pipe_are_typed_and_end(system, monkeypatch):
    monkeypatch.setattr(sys, "stdin", Stdin(False))
    with keys() as read:
        assert read(0.01) == b""
        os.write(sys.stdin.writing, b"1 + 1\n")
        assert read(10) == b"1 + 1\r"
        os.close(sys.stdin.writing)
        assert read(10) is None


def test_ctrl_x_leaves(system, monkeypatch):
    monkeypatch.setattr(sys, "stdin", Stdin(False))
    with keys() as read:
        os.write(sys.stdin.writing, b"1\x18")
        with pytest.raises(LeaveError):
            read(10)


def test_a_console_of_windows(monkeypatch):
    """It gives letters, and two for an arrow: what MicroPython is sent are a terminal's bytes. Ctrl-C is a signal."""
    typed = io.StringIO("a\xe0Hü")

    def getwch():
        return typed.read(1) or threading.Event().wait()  # for the next key, which never comes

    monkeypatch.setitem(sys.modules, "termios", None)
    monkeypatch.setitem(sys.modules, "msvcrt", types.SimpleNamespace(getwch=getwch))
    monkeypatch.setattr(sys, "stdin", Stdin(True))
    before = signal.getsignal(signal.SIGINT)
    with keys() as read:
        assert [read(10), read(10), read(10)] == [b"a", b"\x1b[A", "ü".encode()]
        signal.raise_signal(signal.SIGINT)
        assert read(10) == b"\x03"
    assert signal.getsignal(signal.SIGINT) is before
