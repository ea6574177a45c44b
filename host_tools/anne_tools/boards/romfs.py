"""ROMFS, MicroPython's read-only file system whose files are used where they lie in flash, as bytes: written and read.

Source: the format as described at the top of MicroPython's `extmod/vfs_rom.c`. A file system is nested records, each a
kind, a length and a payload; numbers are big-endian, seven bits a byte:

    ROMFS  = kind 0x14A6B1, length, records
    file   = kind 5, length, name length, name, padding record, data record (kind 2, length, bytes)
    folder = kind 4, length, name length, name, records

MicroPython gives `memoryview(open(...))` of a file without copying. The data of ours starts at a multiple of 16 bytes,
because a model's float and int32 weights can only be used in place if they are aligned: a padding record (kind 1)
before each data record moves it there. Where a record starts depends on the sizes of the lengths before it, so
lengths are written with a fixed width (leading 0x80 bytes are allowed) and every position is known when it is
written. What is read may be anybody's: `mpremote romfs` writes images, too, and a partition may hold anything. What
could not be written again as it was, such as two files of one name, is refused.
"""

from collections.abc import Iterator, Mapping

from ..errors import ModelError

ALIGNMENT = 16
_FILESYSTEM, _PADDING, _DATA, _FOLDER, _FILE = 0x14A6B1, 1, 2, 4, 5
_LENGTH_BYTES = 4  # 4 x 7 bits: up to 256 MB
_POINTER = 3  # of mpremote's kinds the one that is not read here: bytes elsewhere in the image
_MAGIC = bytes([0xD2, 0xCD, 0x31])  # _FILESYSTEM as it stands there
HEAD_BYTES = len(_MAGIC) + 10
_MOST_FOLDERS = 100  # in one another, of what is read
_NUMBER_END = 1 << 32


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


# --- Reading --------------------------------------------------------------------------------------------------------


def image_bytes(begin: bytes) -> int:
    """Return how long the image is that begins with `begin`, HEAD_BYTES or more; 0 if none begins there."""
    if not begin.startswith(_MAGIC):
        return 0
    reader = _Reader(begin, len(_MAGIC), len(begin))
    length = reader.number()
    return reader.at + length


def romfs_files(image: bytes) -> dict[str, bytes]:
    """Return the files of an image (path to content), none for a partition without one. ModelError if it is damaged."""
    n_bytes = image_bytes(image[:HEAD_BYTES])
    if n_bytes > len(image):
        raise ModelError(f"romfs: damaged: expected {n_bytes} bytes, got {len(image)}")
    files: dict[str, bytes] = {}
    if n_bytes:
        reader = _Reader(image, len(_MAGIC), n_bytes)
        reader.number()
        _read_folder(reader, "", files)
    return files


class _Reader:
    """A place in an image, and the end of the record that it is in."""

    def __init__(self, image: bytes, at: int, end: int) -> None:
        self.image, self.at, self.end = image, at, end

    def number(self) -> int:
        """Read a number; ModelError if the record ends in it, or it has more than 32 bits."""
        value = 0
        while self.at < self.end:
            byte = self.image[self.at]
            self.at, value = self.at + 1, value << 7 | byte & 0x7F
            if value >= _NUMBER_END:
                raise ModelError("romfs: damaged: expected numbers of 32 bits, got a larger one")
            if byte < 0x80:
                return value
        raise ModelError("romfs: damaged: a number reaches beyond its record")

    def take(self, n_bytes: int) -> bytes:
        """Read so many bytes; ModelError if the record has less."""
        if n_bytes > self.end - self.at:
            raise ModelError(f"romfs: damaged: expected {n_bytes} bytes more, got {self.end - self.at}")
        self.at += n_bytes
        return bytes(self.image[self.at - n_bytes : self.at])

    def records(self) -> Iterator[tuple[int, "_Reader"]]:
        """Read the records up to the end: the kind and a reader of each."""
        while self.at < self.end:
            kind, n_bytes = self.number(), self.number()
            begin = self.at
            self.take(n_bytes)
            yield kind, _Reader(self.image, begin, self.at)


def _read_folder(folder: _Reader, path: str, files: dict[str, bytes]) -> None:
    if path.count("/") > _MOST_FOLDERS:
        raise ModelError(f"romfs: expected at most {_MOST_FOLDERS} folders in one another, got more")
    names = set()
    for kind, record in folder.records():
        if kind not in (_FILE, _FOLDER):
            continue
        name = _read_name(record)
        if name in names:
            raise ModelError(f"romfs: {path + name!r}: expected one file or folder of this name, got two")
        names.add(name)
        if kind == _FOLDER:
            _read_folder(record, f"{path}{name}/", files)
        else:
            files[path + name] = _read_data(record, path + name)


def _read_name(record: _Reader) -> str:
    encoded = record.take(record.number())
    try:
        name = encoded.decode()
    except UnicodeDecodeError:
        name = ""
    if not name or "/" in name or name in (".", ".."):
        raise ModelError(f"romfs: expected a name in UTF-8 without '/', got {encoded[:40]!r}")
    return name


def _read_data(record: _Reader, name: str) -> bytes:
    parts = list(record.records())
    if any(part == _POINTER for part, _ in parts):
        raise ModelError(
            f"romfs: {name!r}: its bytes lie elsewhere (record of kind 3), which is not read here"
        )
    return b"".join(data.take(data.end - data.at) for part, data in parts if part == _DATA)
