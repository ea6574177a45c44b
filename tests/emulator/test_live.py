"""anne.stream on the board: its frames come when they are due, in emulated time; Ctrl-C ends it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

NETWORK = Path(__file__).parents[2] / "examples/networks/iris-8.anne"  # AI-ANNE's, of 8 neurons
BEGIN = """
import anne, time, gc
net = anne.load("iris-8.anne")
rows = [[5.0 + i % 7 / 8, 3.0, 1.5 + i % 5 / 2, 0.25] for i in range(100)]
begun = []
def timed():
    for row in rows:
        begun.append(time.ticks_us())
        yield row
"""
TIMES = "print('|', [time.ticks_diff(t, begun[0]) for t in begun])"


@pytest.fixture
def board(device):
    device.put("/iris-8.anne", NETWORK.read_bytes())
    device.exec(BEGIN)
    return device


def test_frames_at_100_hz_keep_their_spacing(board):
    """Frame n begins n * 10 ms after the first; one that waits for the garbage collector delays none after it."""
    printed = board.exec("anne.stream(net, timed(), hz=100)\n" + TIMES)
    *lines, times = printed.splitlines()
    assert [len(json.loads(line)["layers"][-1]) for line in lines] == [1] * 100
    off_us = [abs(begun - 10_000 * frame) for frame, begun in enumerate(json.loads(times[1:]))]
    assert max(off_us) < 10_000 and sum(off < 100 for off in off_us) > 90 and off_us[-1] < 100, off_us


def test_frames_that_take_longer_follow_each_other(board):
    """At 1000 Hz each begins as soon as the last is written; 8 neurons and their line take 2 to 10 ms."""
    printed = board.exec("anne.stream(net, timed(), hz=1000)\n" + TIMES)
    times = json.loads(printed.splitlines()[-1][1:])
    steps_us = [later - earlier for earlier, later in zip(times, times[1:], strict=False)]
    assert 2_000 < sorted(steps_us)[50] < 10_000, steps_us
