"""Lets the tests below this folder import its helpers (command_line, tflite_writer), and gives them files."""

import json
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from command_line import NETWORK
from fake_board import FakeBoard


@pytest.fixture
def files(tmp_path, monkeypatch) -> Path:
    """A folder with net.json, x.npy (50 samples), y.npy, and the model file net.anne."""
    import numpy as np
    from anne_tools.conversion.convert import convert

    monkeypatch.chdir(tmp_path)
    (tmp_path / "net.json").write_text(json.dumps(NETWORK))
    x = np.random.default_rng(11).normal(0, 1, (50, 2))
    np.save("x.npy", x)
    np.save("y.npy", (x[:, 1] > x[:, 0]).astype(int))
    (tmp_path / "net.anne").write_bytes(convert(NETWORK).data)
    return tmp_path


@pytest.fixture
def fake_board():
    """A function that makes a FakeBoard."""
    boards = []

    def make(answer) -> FakeBoard:
        boards.append(FakeBoard(answer))
        return boards[-1]

    yield make
    for board in boards:
        board.close()
