"""What the explorer page does with a board, over the WebSocket of `anne explore` and MicroPython's raw REPL."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

PATIENCE_S = 30  # the emulated Pico may share the machine with other tests


class Page:
    """A tab that has the board."""

    def __init__(self, socket) -> None:
        self._socket = socket
        self._heard = b""

    def send(self, data: bytes) -> None:
        self._socket.send(data)

    def until(self, mark: bytes) -> bytes:
        """What the board says up to a mark, and without it."""
        while mark not in self._heard:
            self._heard += self._socket.recv(timeout=PATIENCE_S)
        text, _, self._heard = self._heard.partition(mark)
        return text

    def enter(self) -> None:
        """Stop what runs there and come to the raw REPL."""
        self.send(b"\r\x03\x03")
        self.send(b"\r\x01")
        self.until(b"raw REPL; CTRL-B to exit\r\n>")

    def begin(self, source: str) -> None:
        """Run a script without waiting for its end."""
        self.send(source.encode() + b"\x04")
        self.until(b"OK")

    def exec(self, source: str) -> tuple[str, str]:
        """What a script printed, and the last line of its traceback."""
        self.begin(source)
        printed, traceback = self.until(b"\x04").decode(), self.until(b"\x04>").decode()
        return printed.replace("\r\n", "\n"), traceback.strip().rpartition("\n")[2].strip()

    def put(self, path: str, content: bytes) -> None:
        self.exec(f"import binascii\nf = open({path!r}, 'wb')")
        for at in range(0, len(content), 256):
            self.exec(f"f.write(binascii.unhexlify({content[at : at + 256].hex()!r}))")
        self.exec("f.close()")

    def frames(self, n: int) -> list[dict]:
        """The first lines of a stream that was begun."""
        return [json.loads(self.until(b"\r\n")) for _ in range(n)]


@contextmanager
def page_at(url: str) -> Iterator[Page]:
    from websockets.sync.client import connect

    host, query = urlsplit(url).netloc, urlsplit(url).query
    with connect(f"ws://{host}/board?{query}", origin=f"http://{host}", compression=None) as socket:
        yield Page(socket)


def reason(page: Page) -> str:
    """Why the server took its leave."""
    from websockets.exceptions import ConnectionClosed

    try:
        while True:
            page._socket.recv(timeout=PATIENCE_S)
    except ConnectionClosed as closed:
        return closed.rcvd.reason


@contextmanager
def explore(anne: object, *options: str, **where) -> Iterator[tuple[subprocess.Popen, str]]:
    """`anne explore --json` as a process, and the address it gave; it is killed if it still runs in the end."""
    process = subprocess.Popen(
        [str(anne), "explore", "--json", "--no-browser", *options],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **where,
    )  # fmt: skip
    try:
        line = process.stdout.readline()
        yield process, json.loads(line)["url"]
    finally:
        process.kill()
        process.communicate()
