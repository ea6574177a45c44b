"""What `make size` says of each room, from a linker's map of a few lines; sums are by hand."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
_spec = importlib.util.spec_from_file_location("report_size", ROOT / "micropython" / "report_size.py")
report_size = importlib.util.module_from_spec(_spec)
pytest.importorskip("elftools")
_spec.loader.exec_module(report_size)

CORE = "CMakeFiles/anne_core.dir/src/native_module"
MAP = f"""
Discarded input sections

 .text.left_out 0x10000000     0x999 {CORE}/kernels/add.c.o

Linker script and memory map

.text           0x10000100    0x416e0
 .text          0x10000100       0x10 CMakeFiles/firmware.dir/src/py/gc.c.o
 .text.py_call  0x10000200       0x26 CMakeFiles/firmware.dir/src/native_module/binding/functions.c.o
 .text.of_a_long_name
                0x10000300       0x20 libanne_core.a(add.c.o)
 .rodata.anne_add
                0x10000400        0xc libanne_core.a(add.c.o)
 .text.check_tensors
                0x10000500        0x8 libanne_core.a(checks.c.o)
 .text.read     0x10000600        0x4 {CORE}/model.c.o

.data           0x200000c0     0x24e8 load address 0x1005b504
 .time_critical.anne_add_s8
                0x20000100       0x30 libanne_core.a(add.c.o)
 .bss.state     0x20000200        0x8 {CORE}/kernels/armv6m/dense_s8.S.o
 .debug_info    0x00000000      0xfff libanne_core.a(add.c.o)
"""
OBJECTS = {
    "add.c.o": [
        (f"{CORE}/kernels/add.c.o", {".time_critical.anne_add_s8": 0x30, ".text.of_a_long_name": 0x44}),
        (f"{CORE}/layers/add.c.o", {".rodata.anne_add": 0xC, ".text.of_a_long_name": 0x20}),
    ],
    "checks.c.o": [(f"{CORE}/layers/checks.c.o", {".text.check_tensors": 0x8})],
}


def test_each_room_has_the_sections_of_its_object_files():
    """Code in RAM lies in flash, too, and variables without a value do not; of two of one name, the size decides."""
    assert report_size.rooms(MAP, OBJECTS) == {
        "binding": (0x26, 0),
        "kernels": (0x30, 0x30 + 0x8),
        "layers, shared": (0x8, 0),
        "layers/add": (0x20 + 0xC, 0),
        "loader": (0x4, 0),
    }


def test_what_is_not_ours_has_no_room():
    assert report_size.room_of("CMakeFiles/firmware.dir/src/py/gc.c.o") is None
    assert report_size.room_of("libanne_core.a(add.c.o)") is None
