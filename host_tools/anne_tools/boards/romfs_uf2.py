"""A UF2 file with nothing in it but a ROMFS: dragged onto the drive of a board in its bootloader, it brings models.

The boot ROM writes the blocks of a UF2 file where they say, so firmware and storage stay as they are: with our firmware
on the board, nobody needs a program or a command to bring it a model. What was in /rom before is gone. Tried on the
emulated Pico, whose flash gets the blocks without a boot ROM; not on a real one, and not on a Pico 2.
"""

from collections.abc import Mapping
from pathlib import Path

from ..errors import ModelError
from .fit import BOARDS, OWN_FIRMWARE
from .flash_files import too_large
from .layout import FLASH_BASE
from .romfs import image_bytes, romfs_files, romfs_image
from .uf2 import read_uf2, uf2_bytes


def romfs_uf2(files: Mapping[str, bytes], board: str) -> bytes:
    """Return the UF2 file that has these files, path in /rom to content, and no others in the board's /rom.

    `board` is a name of BOARDS. ModelError if they do not fit.
    """
    about, image = BOARDS[board], romfs_image(files)
    if not about.romfs_bytes:
        raise ModelError(f"the {board} has MicroPython's own firmware, which has no ROMFS; use anne deploy")
    if len(image) > about.romfs_bytes:
        raise ModelError(too_large(len(image), about.romfs_bytes))
    return uf2_bytes(image, romfs_address(board), about.chip)


def romfs_address(board: str) -> int:
    """Return where the board's ROMFS begins: below the storage, which ends with the flash."""
    about = BOARDS[board]
    return FLASH_BASE + about.flash_bytes - about.storage_bytes - about.romfs_bytes


def files_of_uf2(path: Path) -> tuple[str, dict[str, bytes], int]:
    """Return (board, files, bytes of the image) of a UF2 file as `romfs_uf2` makes them. ModelError for another."""
    pieces = read_uf2(path)
    for board in OWN_FIRMWARE:
        if pieces[0][0] == romfs_address(board) and _in_one_piece(pieces):
            image = b"".join(payload for _, payload in pieces)
            if used := image_bytes(image):
                return board, romfs_files(image), used
    starts = ", ".join(f"{romfs_address(board):#x} ({board})" for board in OWN_FIRMWARE)
    raise ModelError(f"{path}: expected a UF2 file of a ROMFS, at {starts}; got one at {pieces[0][0]:#x}")


def _in_one_piece(pieces: list[tuple[int, bytes]]) -> bool:
    return all(a + len(payload) == b for (a, payload), (b, _) in zip(pieces, pieces[1:], strict=False))
