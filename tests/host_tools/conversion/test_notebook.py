"""What a conversion shows of itself: short text at a prompt, HTML in a notebook, nothing that a file could inject."""

from __future__ import annotations

import re
import subprocess
import sys
from html.parser import HTMLParser

import anne_tools
import numpy as np
from anne_tools.conversion.convert import convert
from anne_tools.layers.build import GraphBuilder
from anne_tools.network.graph import Metadata

NASTY = "<script>alert(1)</script>\x1b[31m&amp;\u202e"


def converted(name: str = "net", layer: str = "dense", **options) -> anne_tools.Converted:
    builder = GraphBuilder((2,))
    builder.dense(layer, [[1.0, 2.0], [3.0, -1.0]], [0.1, 0.2], "relu")
    x = np.random.default_rng(1).normal(0, 1, (50, 2))
    return convert(builder.build(Metadata(name=name)), calibrate=x, **options)


def test_a_prompt_shows_the_report_in_some_lines():
    x = np.zeros((10, 2))
    lines = repr(converted(dtype="int8", test=(x, np.zeros((10, 2))))).splitlines()
    assert re.fullmatch(r"net as int8, \d+ bytes", lines[0])
    assert any(line.startswith("rms error on 10 samples: ") for line in lines)
    assert lines[-2].startswith("fits the pico in RAM: ")
    assert lines[-1].startswith("one prediction: about ")
    assert len(lines) <= 6


def test_a_warning_is_seen_at_a_prompt():
    builder = GraphBuilder((2,))
    builder.dense("dense", [[1.0, 2.0], [3.0, -1.0]], [0.1, 0.2], "relu")
    x = np.random.default_rng(1).normal(0, 1, (50, 2))
    x[3, 1] = 1e9
    assert "\nwarning: calibration data: input 1 reaches 1e+09" in repr(
        convert(builder.build(), "int8", calibrate=x)
    )


class Tags(HTMLParser):
    """Collects the tags of a page and what cells say."""

    def __init__(self, page: str):
        super().__init__()
        self.tags, self.words, self.open = [], [], []
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words.append(data)


def test_a_notebook_shows_a_table_with_a_row_a_layer():
    page = Tags(converted()._repr_html_())
    assert page.open == []
    assert page.tags.count("tr") == 2
    assert {"layer", "kernel", "cycles", "error", "dense", "relu", "2 -> 2"} <= set(page.words)


def test_names_from_files_are_text():
    shown = converted(NASTY, NASTY)
    page = Tags(shown._repr_html_())
    assert set(page.tags) == {"div", "b", "table", "tr", "th", "td"}
    assert any("<script>alert(1)</script>\\x1b[31m&amp;\\u202e" in words for words in page.words)
    for text in (repr(shown), shown._repr_html_()):
        assert "\x1b" not in text
        assert "\u202e" not in text


def test_what_is_imported_late_is_listed():
    """In a new Python, where nobody has asked for it yet; and listing it imports nothing."""
    program = "import anne_tools, sys; print(*dir(anne_tools)); print('numpy' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    listed, numpy_too = done.stdout.splitlines()
    assert set(anne_tools.__all__) <= set(listed.split())
    assert numpy_too == "False"
