"""Serves the explorer page on this machine alone, and carries bytes between it and a board.

The page is at http://127.0.0.1:PORT/?token=TOKEN; its WebSocket at /board has the bytes of the board's serial line as
they are, in binary messages. Whoever has not the token, or comes from another page (Origin) or by another name (Host,
against DNS rebinding), gets 403: a web site that a user visits cannot reach the board.
"""

import errno
import hmac
import secrets
import threading
from contextlib import suppress
from http import HTTPStatus
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import parse_qs, urlsplit

from ..errors import DeviceError, ModelError
from .built import find
from .lines import OnData, OnEnd

_PAGE = "anne-explorer.html"
# What a WebSocket ends with, RFC 6455: the server ends, cannot go on, or shall be asked again later.
_GOING, _BROKEN, _LATER = 1001, 1011, 1013
_MOST_REASON_BYTES = 123  # of a control frame's 125
_CLOSE_S = 2.0  # for the page to take its leave
_RELOAD_S = 1.0  # until the page that was there before has taken it


class Line(Protocol):
    """A board's serial line, as in lines.py."""

    def open(self, on_bytes: OnData, on_end: OnEnd) -> None: ...
    def write(self, data: bytes) -> None: ...
    def close(self) -> None: ...
    def stop(self) -> None: ...


def find_page() -> Path:
    """Return where the page is. ModelError where it is not built."""
    page = find(_PAGE)
    if page is None:
        raise ModelError(
            f"no {_PAGE} here or in a build folder above; in the source folder, do: make explorer"
        )
    return page


class Explorer:
    """The server, running until `close`, which stops `line`: the board's, None for the page alone."""

    def __init__(self, line: Line | None = None, port: int = 0, page: Path | None = None) -> None:
        """Listen on a port of the loopback interface, 0 for one that is free. DeviceError if it cannot be had."""
        from websockets.sync.server import serve

        self._line, self._token = line, secrets.token_urlsafe(16)
        self._text = (page or find_page()).read_text("utf-8")
        self._taken = threading.Lock()
        try:
            self._server = serve(
                self._carry,
                "127.0.0.1",
                port,
                process_request=self._answer,
                compression=None,
                close_timeout=_CLOSE_S,
                max_size=1 << 20,
            )
        except OSError as error:
            if line:
                line.stop()
            why = "in use by another program" if error.errno == errno.EADDRINUSE else error.strerror
            raise DeviceError(f"port {port}: {why}; take another, or none for a free one") from None
        self._host = f"127.0.0.1:{self._server.socket.getsockname()[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        """The page's address, with the token."""
        return f"http://{self._host}/?token={self._token}"

    def close(self) -> None:
        self._server.shutdown(code=_GOING, reason="anne explore has ended; start it and open its new address")
        self._thread.join(timeout=5)
        if self._line:
            self._line.stop()

    # --- Requests

    def _answer(self, connection: Any, request: Any) -> Any:
        """The page, or why not; None lets the WebSocket begin."""
        asked = urlsplit(request.path)
        token = parse_qs(asked.query).get("token", [""])[0]
        is_socket = request.headers.get("Upgrade", "").lower() == "websocket"
        origin = request.headers.get("Origin")
        is_ours = (
            origin == f"http://{self._host}"
            if is_socket
            else origin is None or origin == f"http://{self._host}"
        )
        is_known = hmac.compare_digest(token.encode(), self._token.encode())
        if request.headers.get("Host") != self._host or not is_known or not is_ours:
            text = "403: open the address that `anne explore` printed, with its token.\n"
            return connection.respond(HTTPStatus.FORBIDDEN, text)
        if is_socket and asked.path == "/board":
            return None
        if is_socket or asked.path != "/":
            return connection.respond(HTTPStatus.NOT_FOUND, "404: there is only one page here.\n")
        return self._page(connection)

    def _page(self, connection: Any) -> Any:
        response = connection.respond(HTTPStatus.OK, self._served())
        for name in ("Content-Type", "Cache-Control", "Referrer-Policy", "X-Content-Type-Options"):
            with suppress(KeyError):
                del response.headers[name]
        response.headers["Content-Type"] = "text/html; charset=utf-8"
        response.headers["Cache-Control"] = "no-store"
        response.headers["Referrer-Policy"] = "no-referrer"
        response.headers["X-Content-Type-Options"] = "nosniff"
        return response

    def _served(self) -> str:
        """The page with one door in its policy: its own server."""
        door = f"default-src 'none'; connect-src ws://{self._host};"
        return self._text.replace("default-src 'none';", door, 1)

    # --- Bytes

    def _carry(self, socket: Any) -> None:
        """Carry bytes both ways until either end is closed; one page at a time has the board."""
        from websockets.exceptions import ConnectionClosed

        if self._line is None:
            socket.close(_BROKEN, "no board here: anne explore --on emulator, or --on PORT")
            return
        if not self._taken.acquire(timeout=_RELOAD_S):
            socket.close(_LATER, "another page has the board; close it and connect again")
            return
        try:
            with suppress(ConnectionClosed):
                self._talk(socket)
        finally:
            self._line.close()
            self._taken.release()

    def _talk(self, socket: Any) -> None:
        from websockets.exceptions import ConnectionClosed

        def show(data: bytes) -> None:
            with suppress(ConnectionClosed):
                socket.send(data)

        def end(why: str) -> None:
            socket.close(_BROKEN, _short(why))

        try:
            self._line.open(show, end)
        except DeviceError as error:
            end(str(error))
            return
        for message in socket:
            data = message.encode() if isinstance(message, str) else message
            try:
                self._line.write(data)
            except OSError:  # taken by nobody for seconds, or gone
                end("the board takes nothing: unplug it, plug it in and connect again")
                return


def _short(text: str) -> str:
    """As much as a reason may be: what was named before the first colon, the port, is left out first."""
    if len(text.encode()) > _MOST_REASON_BYTES:
        text = text.partition(": ")[2] or text
    return text.encode()[:_MOST_REASON_BYTES].decode("utf-8", "ignore")
