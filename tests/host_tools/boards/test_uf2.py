"""UF2 files are taken only whole and for the right chip."""

import pytest
from anne_tools.boards.uf2 import read_uf2, uf2_family
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
