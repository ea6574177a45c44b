"""ROMFS against the format, as MicroPython's extmod/vfs_rom.c words it, and where in flash it lies."""

import struct

import pytest
from anne_tools.boards.flash_files import littlefs_image, romfs_partition
from anne_tools.boards.layout import MODELS, PICO, layout_of
from anne_tools.boards.romfs import romfs_files, romfs_image
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
    assert len(partition) == PICO.romfs_bytes
    assert partition[-1] == 0xFF
    with pytest.raises(ModelError, match=f"the ROMFS partition has {PICO.romfs_bytes}"):
        romfs_partition({"a": bytes(PICO.romfs_bytes)})


def test_a_storage_that_is_too_small_is_told_in_bytes():
    with pytest.raises(
        ModelError, match=r"the files need 2000000 bytes and more .*, the storage has 1441792;"
    ):
        littlefs_image({"a": bytes(2_000_000)}, PICO)  # 1408 KB


# --- Reading ----------------------------------------------------------------------------------------------------------

FILES = {"a.anne": b"ANNE" * 9, "empty": b"", "deep/er/b.bin": bytes(range(256)), "deep/c": b"c"}


def test_what_is_written_is_read():
    assert romfs_files(romfs_image(FILES)) == FILES
    assert romfs_files(romfs_partition(FILES)) == FILES  # with what follows it in the partition
    assert romfs_files(romfs_image({})) == {}
    assert romfs_files(b"\xff" * 4096) == {}  # no file system


def test_images_of_mpremote_are_read(tmp_path):
    mpremote = pytest.importorskip("mpremote.romfs")
    for path, content in FILES.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes(content)
    assert romfs_files(mpremote.make_romfs(str(tmp_path), mpy_cross=False)) == FILES


def test_damaged_images_are_refused_and_read_no_further():
    image = romfs_image(FILES)
    with pytest.raises(ModelError, match=rf"damaged: expected {len(image)} bytes, got {len(image) - 1}"):
        romfs_files(image[:-1])
    refused = 0
    for at in range(3, len(image)):  # whatever byte is wrong: files, or one kind of error
        try:
            romfs_files(image[:at] + bytes([image[at] ^ 0xFF]) + image[at + 1 :])
        except ModelError:
            refused += 1
    assert refused > 20


def record(kind: int, payload: bytes) -> bytes:
    """One record whose length takes three bytes, 7 bits each."""
    return (
        bytes([kind, *(len(payload) >> bits & 0x7F | 0x80 for bits in (14, 7)), len(payload) & 0x7F])
        + payload
    )


def crafted(*records: bytes) -> bytes:
    """An image of these records."""
    body = b"".join(records)
    return romfs_image({})[:3] + record(0, body)[1:]


def named(kind: int, name: bytes, inside: bytes = b"") -> bytes:
    """A file (kind 5) or a folder (kind 4)."""
    return record(kind, bytes([len(name)]) + name + inside)


def folders(n: int) -> bytes:
    """A file in n folders in one another."""
    inside = named(5, b"f")
    for _ in range(n):
        inside = named(4, b"d", inside)
    return inside


def test_folders_may_lie_100_deep():
    assert romfs_files(crafted(folders(100))) == {"d/" * 100 + "f": b""}


@pytest.mark.parametrize(
    ("records", "words"),
    [
        ([folders(101)], "at most 100 folders"),
        ([folders(4000)], "at most 100 folders"),  # deeper than Python's stack
        ([b"\xff" * 900_000 + b"\x01\x00"], "numbers of 32 bits"),  # to compute it took minutes
        ([named(5, b"a"), named(5, b"a")], "'a': expected one file or folder of this name, got two"),
        ([named(5, b"a"), named(4, b"a")], "'a': expected one file or folder of this name, got two"),
        ([named(5, b"")], "expected a name"),
        ([named(4, b"..", named(5, b"x"))], "expected a name"),
        ([named(5, b"a/b")], "expected a name"),
        ([named(5, b"\xff")], "expected a name in UTF-8"),
    ],
)
def test_images_that_could_not_be_written_again_are_refused_at_once(records, words):
    with pytest.raises(ModelError, match=words):
        romfs_files(crafted(*records))


# --- Where the partition lies -----------------------------------------------------------------------------------------


def firmware(storage_offset: int) -> list[tuple[int, bytes]]:
    """Pieces of a firmware whose binary info names a pin and a drive; words as in pico-sdk's structure.h."""
    base = 0x10000000
    header = struct.pack("<5I", 0x7188EBF2, base + 0x200, base + 0x208, 0, 0xE71AA390)
    table = struct.pack("<2I", base + 0x210, base + 0x220)
    pin = struct.pack("<2HI", 1, 0x5052, 0)
    drive = struct.pack("<2H3I", 7, 0x504D, base, base + storage_offset, 0x200000 - storage_offset)
    return [(base + 0x100, header), (base + 0x200, table), (base + 0x210, pin), (base + 0x220, drive)]


@pytest.mark.parametrize("layout", [PICO, MODELS])
def test_a_firmware_tells_where_its_storage_begins(layout):
    assert layout_of(firmware(layout.storage_offset)) == layout


def test_a_firmware_that_tells_nothing_has_the_usual_layout():
    assert layout_of([(0x10000000, b"x" * 256)]) == PICO
    assert layout_of(firmware(0x100000)) == PICO
    header, *_ = firmware(MODELS.storage_offset)
    assert layout_of([header]) == PICO  # its table is blank flash
