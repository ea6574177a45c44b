"""The ROMFS partition of a Pico: the files under /rom, which models are used from in flash, read and written whole.

A file there lies in one piece, so the file system is written anew by the host; only blocks that change are sent. Its
first block is erased first and written last: where the power fails meanwhile, there is no /rom, never half of one.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from contextlib import suppress

from ..errors import DeviceError, ModelError
from .board_files import script
from .device import Device, OnBytes
from .flash_files import too_large
from .romfs import HEAD_BYTES, image_bytes, romfs_files, romfs_image


class RomPartition:
    """The partition of a Pico, `n_bytes` long. DeviceError if its firmware has none."""

    def __init__(self, device: Device) -> None:
        self._device = device
        told = [int(number) for number in device.exec(script("rom_partition.py")).split()]
        if told == [0]:
            raise DeviceError(
                f"{device.name}: expected a firmware with a ROMFS partition, got one without; put ours on the board: "
                "anne flash"
            )
        self.n_bytes, self._block_bytes = told
        self._image: bytes | None = None

    @property
    def image(self) -> bytes:
        """What lies there, without what follows it; empty where there is no file system. It is read once."""
        if self._image is None:
            n_bytes = image_bytes(self._device.read_buffer("_anne_rom[0]", HEAD_BYTES))
            # of a length that cannot be, an image without end is kept, which romfs_files refuses
            self._image = self._device.read_buffer("_anne_rom[0]", min(n_bytes, self.n_bytes))
        return self._image

    def files(self) -> dict[str, bytes]:
        """Return what lies there, path (without /rom/) to content. ModelError if it is damaged, says what to do."""
        try:
            return romfs_files(self.image)
        except ModelError as error:
            raise ModelError(
                f"{self._device.name}: /rom: {error}; to have other files there instead: anne romfs put --replace"
            ) from None

    def write(self, files: Mapping[str, bytes], on_bytes: OnBytes | None = None) -> int:
        """Have these files there and no others; return the bytes that they take. `on_bytes` is told of those sent.

        ModelError if they do not fit, DeviceError if there is something else than was sent in the end.
        """
        image = romfs_image(files)
        if len(image) > self.n_bytes:
            raise ModelError(f"{self._device.name}: {too_large(len(image), self.n_bytes)}")
        try:
            self._write_blocks(image, self._changed(image), on_bytes)
        except (DeviceError, KeyboardInterrupt) as error:
            if self._image != b"":  # nothing was erased yet
                raise
            raise DeviceError(
                f"{self._device.name}: /rom was broken off while it was written, and is gone; put all its files there "
                f"again: {', '.join(sorted(files))}" + (f" ({error})" if str(error) else "")
            ) from error
        self._image = image
        told, expected = self._device.exec(script("rom_mount.py", n_bytes=len(image))), zlib.crc32(image)
        if told.strip() != str(expected):
            raise DeviceError(
                f"{self._device.name}: /rom: sent {len(image)} bytes with CRC {expected}, got back {told.strip()}; "
                "repeat, and if that does not help, the flash is worn out"
            )
        return len(image)

    def _write_blocks(self, image: bytes, changed: list[int], on_bytes: OnBytes | None) -> None:
        """Write these blocks of the image, after the first one of what is there is erased."""
        if changed:
            self._device.exec("_anne_rom[0].ioctl(6, 0)")
            self._image = b""
        for done, block in enumerate(changed, 1):
            begin = block * self._block_bytes
            piece = image[begin : begin + self._block_bytes].ljust(self._block_bytes, b"\xff")
            self._device.write_buffer("_anne_rom[1]", piece)
            self._device.exec(f"_anne_rom[0].writeblocks({block}, _anne_rom[1])")
            if on_bytes:
                on_bytes(done * self._block_bytes, len(changed) * self._block_bytes)

    def _changed(self, image: bytes) -> list[int]:
        """The numbers of the blocks that differ from what is there, the first block last; none if nothing does."""
        size, old = self._block_bytes, b""
        with suppress(ModelError):  # an image whose length is none
            old = self.image
        blocks = range(0, len(image), size)
        changed = [at // size for at in blocks if image[at : at + size] != old[at : at + size]]
        return [*(block for block in changed if block), 0] if changed else []
