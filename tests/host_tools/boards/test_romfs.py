"""The ROMFS writer against the format, as MicroPython's extmod/vfs_rom.c words it."""

import pytest
from anne_tools.boards.flash_files import ROMFS_BYTES, romfs_partition
from anne_tools.boards.romfs import main, romfs_image
from anne_tools.errors import ModelError


def numbers(data: bytes, n: int) -> tuple[list[int], int]:
    """Read n numbers (big-endian, 7 bits a byte); return them and how many bytes they take."""
    values, at = [], 0
    for _ in range(n):
        value = 0
        while True:
            value = value << 7 | data[at] & 0x7F
            at += 1
            if data[at - 1] < 0x80:
                break
        values.append(value)
    return values, at


def test_an_image_begins_with_rm1_and_its_length():
    image = romfs_image({"a.txt": b"hello"})
    assert image[:3] == bytes([0x80 | ord("R"), 0x80 | ord("M"), ord("1")])
    (kind, length), header = numbers(image, 2)
    assert kind == 0x14A6B1
    assert header + length == len(image)
    assert len(image) % 2 == 0


@pytest.mark.parametrize("name_length", range(1, 34))
def test_file_data_is_aligned_whatever_comes_before(name_length):
    image = romfs_image({"n" * name_length: b"\xaa" * 5, "z": b"\xbb" * 7})
    assert image.index(b"\xaa" * 5) % 16 == 0
    assert image.index(b"\xbb" * 7) % 16 == 0


@pytest.mark.parametrize("paths", [["a", "a/b"], ["a", "a/b/c"], [""], ["a//b"], ["a", "/a"]])
def test_unusable_paths_are_refused(paths):
    with pytest.raises(ModelError, match="not a usable path"):
        romfs_image(dict.fromkeys(paths, b""))


def test_a_partition_is_filled_up_and_no_more_goes_in_than_fits():
    partition = romfs_partition({"a": b"1"})
    assert len(partition) == ROMFS_BYTES
    assert partition[-1] == 0xFF
    with pytest.raises(ModelError, match=f"the ROMFS partition has {ROMFS_BYTES}"):
        romfs_partition({"a": bytes(ROMFS_BYTES)})


def test_an_image_is_written_for_mpremote(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "net.anne").write_bytes(b"ANNE")
    assert main(["net.anne", "-o", "rom.romfs"]) == 0
    assert (tmp_path / "rom.romfs").read_bytes() == romfs_image({"net.anne": b"ANNE"})
    assert main(["net.anne", "-o", "net.anne"]) == 1
    assert main(["net.anne"]) == 2
    assert "would replace net.anne" in capsys.readouterr().err
