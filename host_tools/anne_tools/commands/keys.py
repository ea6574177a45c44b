"""What is typed at the prompt of an emulated Pico: asked by select on Linux and macOS, by a thread on Windows."""

import os
import queue
import select
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_LEAVE = (b"\x18", b"\x1d")  # Ctrl-X, Ctrl-]
# What Windows gives for keys that write nothing, behind one of these two, and what terminals send for them.
_PREFIXES = ("\0", "\xe0")
_ARROWS = {"H": b"\x1b[A", "P": b"\x1b[B", "M": b"\x1b[C", "K": b"\x1b[D", "S": b"\x1b[3~"}

Read = Callable[[float], bytes | None]


class LeaveError(Exception):
    """The user has had enough, whatever the board is doing."""


@contextmanager
def keys() -> Iterator[Read]:
    """Give a function that waits up to so many seconds for input: what was typed, b"" for nothing, None at the end.

    It raises LeaveError for Ctrl-X.
    """
    is_terminal = sys.stdin.isatty()
    with _by_system(is_terminal) as take:

        def read(timeout_s: float) -> bytes | None:
            typed = take(timeout_s)
            if typed and any(key in typed for key in _LEAVE):
                raise LeaveError
            return typed if is_terminal or not typed else typed.replace(b"\n", b"\r")

        yield read


@contextmanager
def _by_system(is_terminal: bool) -> Iterator[Read]:
    try:
        import termios
        import tty
    except ImportError:
        with _by_thread(is_terminal) as take:
            yield take
        return
    descriptor = sys.stdin.fileno()

    def take(timeout_s: float) -> bytes | None:
        if not select.select([descriptor], [], [], timeout_s)[0]:
            return b""
        return os.read(descriptor, 256) or None

    if not is_terminal:
        yield take
        return
    before = termios.tcgetattr(descriptor)
    try:
        tty.setraw(descriptor, termios.TCSANOW)
        yield take
    finally:
        termios.tcsetattr(descriptor, termios.TCSANOW, before)


@contextmanager
def _by_thread(is_terminal: bool) -> Iterator[Read]:
    """The same where only one call waits for input, and for nothing else."""
    typed: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()

    def collect() -> None:
        while (piece := _key() if is_terminal else os.read(sys.stdin.fileno(), 256)) != b"":
            typed.put(piece)
        typed.put(None)

    def take(timeout_s: float) -> bytes | None:
        try:
            return typed.get(timeout=timeout_s)
        except queue.Empty:
            return b""

    # Ctrl-C is no key there
    before = signal.signal(signal.SIGINT, lambda *_: typed.put(b"\x03"))
    threading.Thread(target=collect, daemon=True).start()
    try:
        yield take
    finally:
        signal.signal(signal.SIGINT, before)


def _key() -> bytes:
    import msvcrt

    key = msvcrt.getwch()
    return _ARROWS.get(msvcrt.getwch(), b"\0") if key in _PREFIXES else key.encode()
