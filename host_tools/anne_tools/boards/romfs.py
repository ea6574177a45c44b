"""A writer for ROMFS, MicroPython's read-only file system whose files are used where they lie in flash.

Source: the format as described at the top of MicroPython's `extmod/vfs_rom.c`. A file system is nested records, each a
kind, a length and a payload; numbers are big-endian, seven bits a byte:

    ROMFS  = kind 0x14A6B1, length, records
    file   = kind 5, length, name length, name, padding record, data record (kind 2, length, bytes)
    folder = kind 4, length, name length, name, records

MicroPython gives `memoryview(open(...))` of a file without copying. The data of ours starts at a multiple of 16 bytes,
because a model's float and int32 weights can only be used in place if they are aligned: a padding record (kind 1)
before each data record moves it there. Where a record starts depends on the sizes of the lengths before it, so
lengths are written with a fixed width (leading 0x80 bytes are allowed) and every position is known when it is
written.
"""

import sys
from collections.abc import Mapping
from pathlib import Path

from ..errors import ModelError

ALIGNMENT = 16
_FILESYSTEM, _PADDING, _DATA, _FOLDER, _FILE = 0x14A6B1, 1, 2, 4, 5
_LENGTH_BYTES = 4  # 4 x 7 bits: up to 256 MB


def romfs_image(files: Mapping[str, bytes]) -> bytes:
    """Return the image of a file system with these files (path to content), each aligned to 16 bytes.

    Assumes that the image itself starts at a multiple of 16 bytes. Raises ModelError for an empty or doubled name.
    """
    image = bytearray(_number(_FILESYSTEM) + bytes(_LENGTH_BYTES))
    _add_folder(image, _tree(files))
    if len(image) % 2:  # the whole must be even; a padding record has at least two bytes
        image += _number(_PADDING) + _number(1) + b"\0"
    _close(image, len(_number(_FILESYSTEM)))
    return bytes(image)


def _tree(files: Mapping[str, bytes]) -> dict:
    root: dict = {}
    for path, content in sorted(files.items()):
        *folders, name = path.strip("/").split("/")
        here = root
        for folder in folders:
            here = here.setdefault(folder, {}) if isinstance(here, dict) else here
        if not all([name, *folders]) or not isinstance(here, dict) or name in here:
            raise ModelError(
                f"romfs: {path!r} is not a usable path: empty, doubled, or a file and a folder in one"
            )
        here[name] = bytes(content)
    return root


def _add_folder(image: bytearray, entries: dict) -> None:
    for name, entry in entries.items():
        is_folder = isinstance(entry, dict)
        image += _number(_FOLDER if is_folder else _FILE)
        length_at = len(image)
        encoded = name.encode()
        image += bytes(_LENGTH_BYTES) + _number(len(encoded)) + encoded
        if is_folder:
            _add_folder(image, entry)
        else:
            _add_data(image, entry)
        _close(image, length_at)


def _add_data(image: bytearray, content: bytes) -> None:
    header_bytes = 1 + _LENGTH_BYTES
    gap = -(len(image) + header_bytes) % ALIGNMENT
    if gap:
        gap += ALIGNMENT if gap == 1 else 0  # a padding record takes two bytes at least
        image += _number(_PADDING) + _number(gap - 2) + bytes(gap - 2)
    image += _number(_DATA)
    length_at = len(image)
    image += bytes(_LENGTH_BYTES)
    assert len(image) % ALIGNMENT == 0
    image += content
    _close(image, length_at)


def _close(image: bytearray, length_at: int) -> None:
    length = len(image) - length_at - _LENGTH_BYTES
    image[length_at : length_at + _LENGTH_BYTES] = _number(length, _LENGTH_BYTES)


def _number(value: int, n_bytes: int = 1) -> bytes:
    digits = []
    while value or len(digits) < n_bytes:
        digits.append(value & 0x7F | (0x80 if digits else 0))
        value >>= 7
    return bytes(reversed(digits))


def main(arguments: list[str]) -> int:
    """Write FILE... -o IMAGE, for `mpremote romfs deploy IMAGE`; return the exit status."""
    from ..data.files import read_whole, write_atomically

    if len(arguments) < 3 or arguments[-2] != "-o":
        print("usage: python -m anne_tools.boards.romfs FILE... -o IMAGE.romfs", file=sys.stderr)
        return 2
    paths, image = [Path(name) for name in arguments[:-2]], Path(arguments[-1])
    try:
        write_atomically(image, romfs_image({path.name: read_whole(path) for path in paths}), paths)
    except (ModelError, OSError) as error:
        print(f"romfs: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
