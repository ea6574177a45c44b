"""The server of the explorer page: who may have it, what it adds to the page, and the bytes it carries."""

from __future__ import annotations

import http.client
from urllib.parse import urlsplit

import pytest
from anne_tools.boards.explorer import Explorer
from anne_tools.errors import DeviceError
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

PAGE = "<meta content=\"default-src 'none'; script-src 'sha256-x'\">"


class Echo:
    """A board that says everything twice."""

    def __init__(self) -> None:
        self.closed = 0

    def open(self, on_bytes, on_end) -> None:
        self.on_bytes, self.on_end = on_bytes, on_end

    def write(self, data: bytes) -> None:
        if data == b"unplug":
            self.on_end("port: the board is gone; plug it in and connect again")
        self.on_bytes(data * 2)

    def close(self) -> None:
        self.closed += 1

    def stop(self) -> None: ...


@pytest.fixture
def page(tmp_path):
    path = tmp_path / "page.html"
    path.write_text(PAGE)
    return path


@pytest.fixture
def explorer(page):
    explorer = Explorer(Echo(), page=page)
    yield explorer
    explorer.close()


def get(explorer, path: str, **headers: str) -> tuple[int, str, http.client.HTTPMessage]:
    connection = http.client.HTTPConnection(urlsplit(explorer.url).netloc, timeout=5)
    connection.request(
        "GET", path, headers={name.replace("_", "-"): value for name, value in headers.items()}
    )
    response = connection.getresponse()
    return response.status, response.read().decode(), response.headers


def at(explorer) -> tuple[str, str]:
    """The host, and the path with the token."""
    parts = urlsplit(explorer.url)
    return parts.netloc, f"{parts.path}?{parts.query}"


def socket(explorer, path: str | None = None, origin: str | None = None, **options):
    host, query = at(explorer)
    path = path or f"/board?{query.partition('?')[2]}"
    return connect(f"ws://{host}{path}", origin=origin or f"http://{host}", compression=None, **options)


def test_the_page_may_reach_its_server_and_nothing_else(explorer):
    host, path = at(explorer)
    status, text, headers = get(explorer, path)
    assert (status, text) == (
        200,
        PAGE.replace("'none';", f"'none'; connect-src ws://{host};"),
    )
    assert headers["Content-Type"] == "text/html; charset=utf-8"
    assert (headers["Cache-Control"], headers["Referrer-Policy"]) == ("no-store", "no-referrer")


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("/", {}),  # no token
        ("/?token=wrong", {}),
        ("/?token=%FF%00", {}),
        (None, {"Host": "example.org"}),  # by another name: DNS rebinding
        (None, {"Origin": "https://example.org"}),
        (None, {"Origin": "null"}),
    ],
)
def test_403_for_strangers(explorer, path, headers):
    status, text, _ = get(explorer, path or at(explorer)[1], **headers)
    assert (status, text[:4]) == (403, "403:")


@pytest.mark.parametrize(
    ("path", "origin"),
    [
        ("/board", None),
        ("/board?token=wrong", None),
        (None, "https://example.org"),
        (None, "http://127.0.0.1:1"),
    ],
)
def test_403_for_strangers_sockets(explorer, path, origin):
    with pytest.raises(InvalidStatus) as refused, socket(explorer, path, origin):
        pass
    assert refused.value.response.status_code == 403


def test_404_for_other_paths(explorer):
    query = at(explorer)[1]
    assert get(explorer, query.replace("/", "/other", 1))[0] == 404


def test_bytes_go_both_ways(explorer):
    with socket(explorer) as page:
        page.send(b"\x00\xff\x04")
        assert page.recv(timeout=5) == b"\x00\xff\x04" * 2
        page.send("text")
        assert page.recv(timeout=5) == b"texttext"


def test_one_page_at_a_time_has_the_board(explorer):
    with socket(explorer) as first:
        first.send(b"a")
        first.recv(timeout=5)
        with socket(explorer) as second, pytest.raises(ConnectionClosed) as closed:
            second.recv(timeout=5)
    assert closed.value.rcvd.reason == "another page has the board; close it and connect again"
    with socket(explorer) as third:  # it is free again
        third.send(b"b")
        assert third.recv(timeout=5) == b"bb"


def test_a_board_that_goes_says_so(explorer):
    with socket(explorer) as page, pytest.raises(ConnectionClosed) as closed:
        page.send(b"unplug")
        while True:
            page.recv(timeout=5)
    assert closed.value.rcvd.reason == "port: the board is gone; plug it in and connect again"


def test_no_board(page):
    explorer = Explorer(page=page)
    with socket(explorer) as alone, pytest.raises(ConnectionClosed) as closed:
        alone.recv(timeout=5)
    explorer.close()
    assert closed.value.rcvd.reason == "no board here: anne explore --on emulator, or --on PORT"


def test_a_port_that_is_taken(explorer, page):
    port = int(urlsplit(explorer.url).port)
    with pytest.raises(DeviceError, match=f"port {port}: .*take another, or none for a free one"):
        Explorer(page=page, port=port)
