"""`anne explore` out of a wheel: the page, who may have it, and the whole way to the emulated Pico and back."""

from __future__ import annotations

import http.client
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from empty_places import Place
from explore_page import explore, page_at

NETWORK = Path(__file__).parents[2] / "examples/networks/iris-8.anne"
# README.md has the first answer; the second is that of a larger flower.
ANSWERS = {(5.9, 3.0, 4.2, 1.5): "versicolor", (6.5, 3.0, 5.5, 2.0): "virginica"}


def get(url: str, **headers: str) -> tuple[int, str]:
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.netloc, timeout=5)
    connection.request("GET", f"{parts.path}?{parts.query}", headers=headers)
    response = connection.getresponse()
    return response.status, response.read().decode()


def test_the_page_and_100_frames_of_the_emulated_pico(environments, built, tmp_path):
    for name in ("anne-pico.uf2", "anne-explorer.html"):
        if not (built["runtime"] / name).exists():
            pytest.skip(f"{name} is not built")
    place = Place(environments["any"], tmp_path)
    command = (place.programs / "anne", "--on", "emulator")
    with explore(*command, cwd=tmp_path, env=place.environment) as (_, url):
        own = (built["runtime"] / "anne-explorer.html").read_text("utf-8")
        door = f"default-src 'none'; connect-src ws://{urlsplit(url).netloc};"
        assert get(url) == (200, own.replace("default-src 'none';", door))
        assert get(url + "x")[0] == get(url.partition("?")[0])[0] == 403  # a wrong token, none
        assert get(url, Origin="https://example.org")[0] == get(url, Host="example.org")[0] == 403
        with page_at(url) as page:
            page.enter()
            page.put("explorer.anne", NETWORK.read_bytes())
            assert page.exec("import anne\nnet = anne.load('explorer.anne')") == ("", "")
            page.begin(f"anne.stream(net, {[list(row) for row in ANSWERS]} * 50, 100)")
            frames = page.frames(100)
    for frame, (row, answer) in zip(frames, list(ANSWERS.items()) * 50, strict=True):
        assert (tuple(frame["x"]), frame["answer"]) == (row, answer)
        assert sum(map(len, frame["layers"])) == 8
