"""UF2 files are taken only whole and for the right chip."""

import pytest
from anne_tools.boards.romfs_uf2 import files_of_uf2, romfs_uf2
from anne_tools.boards.uf2 import read_uf2, uf2_bytes, uf2_family
from anne_tools.errors import ModelError
from uf2_files import ABSOLUTE, RP2040, RP2350, uf2_block, uf2_file


def test_pieces_come_with_their_addresses(tmp_path):
    path = tmp_path / "a.uf2"
    path.write_bytes(uf2_file(RP2040, 2))
    assert read_uf2(path, "rp2040") == [(0x10000000, b"x" * 256), (0x10000100, b"x" * 256)]
    assert uf2_family(path) == "rp2040"


def test_the_block_for_an_rp2350_erratum_is_left_out(tmp_path):
    path = tmp_path / "a.uf2"
    path.write_bytes(uf2_block(0, 2, ABSOLUTE, address=0x10FFFF00) + uf2_file(RP2350, 2))
    assert len(read_uf2(path, "rp2350")) == 2
    assert uf2_family(path) == "rp2350"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "not a UF2 file"),
        (b"MZ" * 300, "expected a multiple of 512 bytes, got 600"),
        (b"\0" * 512, "block 0 is damaged"),
        (uf2_file()[:-512], "incomplete: expected 3 blocks, got 2"),
        (uf2_file()[:512] * 3, "incomplete: expected 3 blocks, got 1"),
        (uf2_file(RP2350), "a firmware for rp2040 was expected, this one is for rp2350"),
        (uf2_file(0x12345678), "this one is for family 0x12345678"),
    ],
)
def test_what_is_not_a_whole_firmware_for_this_chip_is_refused(tmp_path, content, message):
    path = tmp_path / "a.uf2"
    path.write_bytes(content)
    with pytest.raises(ModelError, match=message):
        read_uf2(path, "rp2040")


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(ModelError, match="No such file"):
        read_uf2(tmp_path / "none.uf2")


def test_bytes_become_pages_of_256():
    """Against the specification of UF2, as tests/host_tools/uf2_files.py writes it."""
    expected = uf2_block(0, 2, RP2040, b"a" * 256, 0x10078000)
    expected += uf2_block(1, 2, RP2040, b"b".ljust(256, b"\xff"), 0x10078000)
    assert uf2_bytes(b"a" * 256 + b"b", 0x10078000, "rp2040") == expected


@pytest.mark.parametrize(
    ("board", "chip", "address"),  # the size of the flash less storage and ROMFS: DESIGN.md, "Flash layout"
    [("pico", "rp2040", 0x10078000), ("pico-models", "rp2040", 0x10080000), ("pico2", "rp2350", 0x100C0000)],
)
def test_files_of_rom_come_out_of_the_uf2_file_for_each_board(tmp_path, board, chip, address):
    files = {"a.anne": b"a" * 3000, "more/b.anne": b"b"}
    path = tmp_path / "rom.uf2"
    path.write_bytes(romfs_uf2(files, board))
    assert read_uf2(path, chip)[0][0] == address
    assert files_of_uf2(path)[:2] == (board, files)


def test_files_too_large_for_rom_are_refused():
    with pytest.raises(ModelError, match=r"the files need 200\d+ bytes, the ROMFS partition has 163840"):
        romfs_uf2({"a": bytes(200_000)}, "pico")


@pytest.mark.parametrize(
    "content",
    [
        uf2_file(RP2040, 2),  # a firmware
        uf2_bytes(b"no ROMFS", 0x10078000, "rp2040"),
        uf2_block(0, 2, RP2040, address=0x10078000) + uf2_block(1, 2, RP2040, address=0x10079000),  # a gap
    ],
)
def test_a_uf2_file_of_something_else_holds_no_rom(tmp_path, content):
    path = tmp_path / "a.uf2"
    path.write_bytes(content)
    with pytest.raises(ModelError, match=r"expected a UF2 file of a ROMFS, at 0x10078000 \(pico\), "):
        files_of_uf2(path)
