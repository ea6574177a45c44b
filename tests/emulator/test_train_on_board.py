"""Training on the emulated Pico: `anne train --on`. What is typed at its prompt, tests/docs types."""

from pathlib import Path

import numpy as np
import pytest
from anne_tools.boards.training import Settings, train, train_on
from anne_tools.cores.files import open_model
from anne_tools.cores.local import HOST, run_local
from anne_tools.data.labelled import read_labelled
from anne_tools.errors import ModelError

ROOT = Path(__file__).parents[2]
IRIS = ROOT / "examples/iris.csv"
SETTINGS = Settings(
    [4, 8, 3],
    ["tanh", "softmax"],
    "categorical_cross_entropy",
    "adam",
    lr=0.02,
    batch=8,
    seed=0,
    momentum=0.0,
    decay=0.0,
    scaling="standard",
    labels=["setosa", "versicolor", "virginica"],
)


def test_a_board_learns_from_a_table_what_this_computer_does_and_keeps_nothing(device):
    data = read_labelled(IRIS)
    data = data.only(np.arange(0, 150, 5))
    lesson = (
        SETTINGS,
        data.x,
        data.class_numbers(SETTINGS.labels),
        10,
        {"name": "iris", "feature_names": data.names},
    )
    heard = []
    there, here = train_on(device, *lesson, heard.append), train(*lesson)
    assert heard[0].startswith("4-8-3, 67 weights")
    assert there.losses == pytest.approx(here.losses, abs=1e-4)
    assert there.losses[-1] < 0.7 * there.losses[0]
    outputs = [run_local(one.data, data.x, HOST) for one in (there, here)]
    assert np.abs(outputs[0] - outputs[1]).max() < 1e-3
    file = open_model(there.data)
    assert (file.lines("labels"), file.lines("feature_names")) == (SETTINGS.labels, data.names)
    assert there.elapsed_s > 0
    assert device.exec("import os; print(os.listdir())") == "[]\n"


def test_what_a_board_cannot_hold_or_refuses_is_said_in_one_line(device):
    x, y = np.zeros((3, 4), np.float32), np.zeros(3)
    large = Settings(**{**vars(SETTINGS), "sizes": [4, 9000, 3]})  # 72,003 weights, four times 4 bytes each
    with pytest.raises(
        ModelError, match="the emulated Pico: no memory for the network; give smaller --layers"
    ):
        train_on(device, large, x, y, 1, {})
    with pytest.raises(ModelError, match="^Trainer: "):
        train_on(device, Settings(**{**vars(SETTINGS), "lr": -1.0}), x, y, 1, {})
    assert device.exec("import os; print(os.listdir())") == "[]\n"
