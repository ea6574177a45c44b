"""The commands that make a firmware with other partitions, from those that ninja used for the first."""

import importlib.util
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
_spec = importlib.util.spec_from_file_location("move", ROOT / "micropython" / "move_partitions.py")
move = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(move)

OBJECT = "CMakeFiles/firmware.dir/rp2_flash.c.o"
COMPILE = (
    "gcc -DMICROPY_HW_FLASH_STORAGE_BYTES=1441792 -DMICROPY_HW_ROMFS_BYTES=196608 -Os "
    f"-MF {OBJECT}.d -o {OBJECT} -c /s/rp2_flash.c"
)
LINK = (
    ": && g++ -Wl,-Map=firmware.elf.map -Wl,--defsym=__anne_code_end=0x10070000 a.o "
    f"{OBJECT} -o firmware.elf libanne_core.a && cd /b && objdump -h /b/firmware.elf > firmware.dis && cd /b && "
    "picotool uf2 convert --quiet /b/firmware.elf firmware.uf2 --family rp2040"
)


def test_one_file_is_compiled_with_other_sizes():
    assert move.compile_command(COMPILE, 1024 * 1024, 512 * 1024) == (
        "gcc -DMICROPY_HW_FLASH_STORAGE_BYTES=524288 -DMICROPY_HW_ROMFS_BYTES=1048576 -Os "
        "-MF moved/rp2_flash.c.o.d -o moved/rp2_flash.c.o -c /s/rp2_flash.c"
    )


def test_all_is_linked_with_it_under_another_name():
    link, convert = move.link_commands(LINK, 0x10080000, Path("/out/models"))
    assert link == (
        "g++  -Wl,--defsym=__anne_code_end=0x10080000 a.o moved/rp2_flash.c.o -o /out/models.elf libanne_core.a"
    )
    assert convert == "picotool uf2 convert --quiet /out/models.elf /out/models.uf2 --family rp2040"


def test_a_command_that_is_not_as_expected_is_an_error():
    with pytest.raises(ValueError, match="MICROPY_HW_ROMFS_BYTES"):
        move.compile_command("gcc -c rp2_flash.c", 0, 0)
