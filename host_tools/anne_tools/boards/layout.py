"""Where a Pico's flash has its parts: firmware, ROMFS, storage. Two firmwares of the same board differ in it.

                anne-pico            anne-pico-models
    0x000000    firmware             firmware
    ROMFS       0x078000, 160 KB     0x080000, 1024 KB    read-only files under /rom, used in place (romfs.py)
    storage     0x0A0000, 1408 KB    0x180000, 512 KB     littlefs, mounted at /; the first as in stock firmware
    0x200000    end of a Pico's flash

Given by `micropython/boards/ANNE_PICO` and `micropython/CMakeLists.txt`; a test compares them with what the booted
firmwares say. A firmware file tells where its storage lies in its binary info, a list of facts that pico-sdk has the
linker collect: the words MARKER, begin and end of a table of addresses, a third, MARKER_END stand within the first 256
bytes behind the boot stage. Source: pico_binary_info/defs.h and structure.h of pico-sdk 2.1.1.
"""

import struct
from collections.abc import Iterable
from dataclasses import dataclass

FLASH_BASE, FLASH_BYTES = 0x10000000, 2048 * 1024
_MARKER, _MARKER_END = 0x7188EBF2, 0xE71AA390
_SEARCHED_BYTES = 1024
_BLOCK_DEVICE = 7


@dataclass(frozen=True)
class Layout:
    """Offsets in flash: the firmware ends at ROMFS, ROMFS at the storage, and that at the end of the flash.

    `board` is what commands call a Pico with this firmware.
    """

    board: str
    romfs_offset: int
    storage_offset: int

    @property
    def romfs_bytes(self) -> int:
        """The size of the ROMFS partition."""
        return self.storage_offset - self.romfs_offset

    @property
    def storage_bytes(self) -> int:
        """The size of the storage."""
        return FLASH_BYTES - self.storage_offset


PICO, MODELS = Layout("pico", 0x78000, 0xA0000), Layout("pico-models", 0x80000, 0x180000)
LAYOUTS = {layout.board: layout for layout in (PICO, MODELS)}
# From here on an emulated Pico keeps its flash from one start to the next, whichever firmware it has.
KEPT_OFFSET = PICO.romfs_offset


def layout_of(pieces: Iterable[tuple[int, bytes]]) -> Layout:
    """Return the layout of a Pico's firmware, whose (address, bytes) are `pieces`: PICO if it does not tell another."""
    image = bytearray(b"\xff") * FLASH_BYTES
    for address, payload in pieces:
        at = address - FLASH_BASE
        if 0 <= at <= FLASH_BYTES - len(payload):
            image[at : at + len(payload)] = payload
    return MODELS if MODELS.storage_offset in _block_devices(image) else PICO


def _block_devices(image: bytes) -> list[int]:
    """Where in flash the drives begin that a firmware's binary info names."""
    for at in range(0, _SEARCHED_BYTES, 4):
        marker, begin, end, _, marker_end = struct.unpack_from("<5I", image, at)
        if (marker, marker_end) == (_MARKER, _MARKER_END):
            break
    else:
        return []
    found = []
    for at in range(max(0, begin - FLASH_BASE), min(end - FLASH_BASE, FLASH_BYTES), 4):
        entry = _word(image, at) - FLASH_BASE
        if _word(image, entry) & 0xFFFF == _BLOCK_DEVICE:  # kind, tag; name; address; bytes
            found.append(_word(image, entry + 8) - FLASH_BASE)
    return found


def _word(image: bytes, at: int) -> int:
    """The word at an offset, 0 outside of the image."""
    return struct.unpack_from("<I", image, at)[0] if 0 <= at <= len(image) - 4 else 0
