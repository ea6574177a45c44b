"""Files inside the flash of a Pico that runs our firmware, as bytes: where its file systems lie, and how to edit them.

    0x000000  firmware
    0x070000  ROMFS, 192 KB: read-only files under /rom, used in place (romfs.py)
    0x0A0000  storage, 1408 KB: littlefs, mounted at /; as in stock firmware
    0x200000  end of a Pico's flash

Given by `micropython/boards/ANNE_PICO`; a test compares them with what the booted firmware says. PyPI
`littlefs-python` reads and writes the storage.
"""

from collections.abc import Mapping

from ..errors import ModelError
from .romfs import romfs_image

ROMFS_OFFSET, ROMFS_BYTES = 0x70000, 192 * 1024
STORAGE_OFFSET, STORAGE_BYTES = 0xA0000, 1408 * 1024
FLASH_BYTES = STORAGE_OFFSET + STORAGE_BYTES
_BLOCK_BYTES = 4096
_BLANK = 0xFF


def romfs_partition(files: Mapping[str, bytes]) -> bytes:
    """Return what the ROMFS partition holds with these files in it. Raises ModelError if they do not fit."""
    image = romfs_image(files)
    if len(image) > ROMFS_BYTES:
        raise ModelError(f"the files need {len(image)} bytes, the ROMFS partition has {ROMFS_BYTES}")
    return image.ljust(ROMFS_BYTES, bytes([_BLANK]))


def littlefs_image(files: Mapping[str, bytes]) -> bytes:
    """Return the image of a storage with these files in it, folders made as needed. ModelError if they do not fit."""
    from littlefs.errors import LittleFSError

    storage = _open(bytes([_BLANK]) * STORAGE_BYTES)
    try:
        for path, content in files.items():
            folder = path.strip("/").rpartition("/")[0]
            if folder:
                storage.makedirs(folder, exist_ok=True)
            with storage.open(path, "wb") as file:
                file.write(content)
    except (LittleFSError, OSError) as error:
        raise ModelError(f"storage: {error}") from None
    storage.unmount()
    return bytes(storage.context.buffer)


def littlefs_file(image: bytes, path: str) -> bytes | None:
    """Return a file's content from a storage image, None if it is not there."""
    storage = _open(image)
    try:
        with storage.open(path, "rb") as file:
            return file.read()
    except FileNotFoundError:
        return None


def _open(image: bytes):
    from littlefs import LittleFS, UserContext

    context = UserContext(buffsize=len(image))
    blank = not image.strip(bytes([_BLANK]))
    if not blank:
        context.buffer[:] = image
    storage = LittleFS(
        context=context,
        block_size=_BLOCK_BYTES,
        block_count=len(image) // _BLOCK_BYTES,
        prog_size=256,
        mount=False,
    )
    if blank:
        storage.format()
    storage.mount()
    return storage
