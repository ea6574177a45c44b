"""Files inside the flash of a Pico that runs our firmware, as bytes: how to edit its two file systems.

Where they lie, layout.py says. PyPI `littlefs-python` reads and writes the storage.
"""

from collections.abc import Mapping

from ..errors import ModelError
from .layout import MODELS, PICO, Layout
from .romfs import romfs_image

_BLOCK_BYTES = 4096
_BLANK = 0xFF


def romfs_partition(files: Mapping[str, bytes], layout: Layout = PICO) -> bytes:
    """Return what the ROMFS partition holds with these files in it. Raises ModelError if they do not fit."""
    image = romfs_image(files)
    if len(image) > layout.romfs_bytes:
        raise ModelError(too_large(len(image), layout.romfs_bytes))
    return image.ljust(layout.romfs_bytes, bytes([_BLANK]))


def too_large(image_bytes: int, romfs_bytes: int) -> str:
    """Return in words that an image of ROMFS does not fit a partition of so many bytes, and what to do."""
    text = f"the files need {image_bytes} bytes, the ROMFS partition has {romfs_bytes}"
    if romfs_bytes < image_bytes <= MODELS.romfs_bytes:
        text += (
            f"; build/anne-pico-models.uf2 has {MODELS.romfs_bytes}: anne flash --board pico-models "
            "(it formats the storage), on an emulated one --uf2 build/anne-pico-models.uf2"
        )
    return text


def littlefs_image(files: Mapping[str, bytes], layout: Layout = PICO) -> bytes:
    """Return the image of a storage with these files in it, folders made as needed. ModelError if they do not fit."""
    from littlefs.errors import LittleFSError

    storage = _open(bytes([_BLANK]) * layout.storage_bytes)
    try:
        for path, content in files.items():
            folder = path.strip("/").rpartition("/")[0]
            if folder:
                storage.makedirs(folder, exist_ok=True)
            with storage.open(path, "wb") as file:
                file.write(content)
    except (LittleFSError, OSError) as error:
        if getattr(error, "code", None) == LittleFSError.Error.LFS_ERR_NOSPC:
            need = sum(map(len, files.values()))
            raise ModelError(
                f"the files need {need} bytes and more for their folders, the storage has {layout.storage_bytes}; put "
                "fewer there, or models into /rom"
            ) from None
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
