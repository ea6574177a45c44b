"""Rooms as firmware has them: a small one line by line; all of ours take the layers of the golden models."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest
from anne.layers import KINDS
from anne.model_file import ModelFile

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "micropython" / "freeze_rooms.py"
_spec = importlib.util.spec_from_file_location("freeze_rooms", SCRIPT)
freeze_rooms = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(freeze_rooms)

ROOM = '''"""Double: output = 2 input."""

import math
import struct

from ..checks import check_counts, refuse

PLACE = "own"
# words of parameters
LEAST, (MOST, _) = 1, (2, 2)


def check(layer):
    check_counts(layer, 0, MOST)
    _look(struct.unpack("<f", layer.constants[0]))


def run(layer, inputs):
    return [[math.fabs(_twice(v)) for v in inputs[0]]]


def _look(values):
    from ..tensors import DTYPES


def _twice(v):
    return 2 * v
'''
CHECK_ONLY = """


import struct

from ..checks import check_counts, refuse

PLACE = "own"
# words of parameters
LEAST, (MOST, _) = 1, (2, 2)


def check(layer):
    check_counts(layer, 0, MOST)
    _look(struct.unpack("<f", layer.constants[0]))






def _look(values):
    from ..tensors import DTYPES




"""


def test_a_room_keeps_what_its_check_needs_where_it_was():
    assert freeze_rooms.check_only(ROOM) == CHECK_ONLY


@pytest.fixture(scope="module")
def frozen(tmp_path_factory):
    """Return kind -> the names of its frozen room, with what they stand for."""
    folder = tmp_path_factory.mktemp("frozen") / "layers"
    folder.mkdir()
    (folder / "gone.py").write_text("")  # of a kind that there is no more
    subprocess.run([sys.executable, SCRIPT, ROOT / "python_api/anne/layers", folder], check=True)
    rooms = {}
    for path in folder.iterdir():
        rooms[path.stem] = {"__name__": f"anne.layers.{path.stem}", "__package__": "anne.layers"}
        exec(compile(path.read_text(), path, "exec"), rooms[path.stem])
    return rooms


def test_firmware_has_every_room(frozen):
    assert set(frozen) == set(KINDS.values())
    assert not any("run" in room for room in frozen.values())


def test_frozen_rooms_take_what_whole_ones_take(frozen):
    seen = set()
    for path in sorted((ROOT / "tests/golden/models").glob("*.anne")):
        for layer in ModelFile(path.read_bytes()).layers:
            frozen[layer.kind]["check"](layer)
            assert frozen[layer.kind]["PLACE"] == layer.room.PLACE
            seen.add(layer.kind)
    assert seen == set(frozen)
