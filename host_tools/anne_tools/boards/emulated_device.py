"""The emulated Pico as a Device: files go through MicroPython, as on a real board."""

import errno
import re
from contextlib import suppress
from typing import Any

from ..errors import DeviceError
from .board_file import BoardFile
from .device import Device, OnBytes, OnOutput, script_error
from .emulator_core import FLASH

_MAKE_FOLDERS = """import os
path = %r
for i in range(1, len(path)):
    if path[i] == "/":
        try:
            os.stat(path[:i])
        except OSError:
            os.mkdir(path[:i])
"""
# A file that goes to or comes from the board in pieces of the buffer, whose address is printed.
_OPEN = "_anne_file=(open(%r,%r),bytearray(%d));print(__import__('uctypes').addressof(_anne_file[1]))"
_WRITE = "_anne_file[0].write(memoryview(_anne_file[1])[:%d])"
_READ = "print(_anne_file[0].readinto(_anne_file[1]))"
_CLOSE = "try:\n _anne_file[0].close()\nfinally:\n del _anne_file"
_CHUNK_BYTES = 4096


def in_no_ones_names(source: str) -> str:
    """Return a script that runs `source` without touching the names that programs have defined."""
    return f"exec({source!r},{{}})"


def _errno(error: DeviceError) -> int | None:
    """Return the number of the OSError that a script ended with, as MicroPython writes it with or without a name."""
    found = re.search(r"OSError: (?:\[Errno )?(\d+)", str(error))
    return int(found[1]) if found else None


class EmulatedDevice(Device):
    """An emulated Pico (emulator.py): the same answers and the same cycles each time."""

    kind = "emulator"
    name = "the emulated Pico"

    def __init__(self, machine: Any, board_file: BoardFile | None = None) -> None:
        """`machine` is a booted EmulatedPico, or a fork of one; `board_file` gets its flash in the end."""
        self.machine = machine
        self._board_file = board_file
        if board_file:
            self.name = f"the emulated Pico in {board_file.path}"

    @property
    def flash(self) -> str:
        return FLASH[self.machine.flash_cache]

    def exec(self, source: str, timeout_s: float = 60.0, on_output: OnOutput | None = None) -> str:
        stdout, stderr = self.machine.exec(source, timeout_s, on_output=on_output)
        if stderr:
            raise script_error(self.name, stderr)
        return stdout

    def put(self, path: str, content: bytes, on_bytes: OnBytes | None = None) -> None:
        """Written by MicroPython, as on a real board; only the way into its RAM is shorter than a serial line."""
        if "/" in path.strip("/"):
            self.exec(in_no_ones_names(_MAKE_FOLDERS % path))
        address = int(self.exec(_OPEN % (path, "wb", _CHUNK_BYTES)))
        try:
            for start in range(0, len(content), _CHUNK_BYTES):
                chunk = bytes(content[start : start + _CHUNK_BYTES])
                self.machine.write_memory(address, chunk)
                self.exec(_WRITE % len(chunk))
                if on_bytes:
                    on_bytes(start + len(chunk), len(content))
        except DeviceError as error:
            with suppress(DeviceError):
                self.exec(_CLOSE)
            if _errno(error) == errno.ENOSPC:
                raise DeviceError(f"{self.name}: its storage is full; remove files from it") from None
            raise
        self.exec(_CLOSE)

    def get(self, path: str) -> bytes:
        try:
            address = int(self.exec(_OPEN % (path, "rb", _CHUNK_BYTES)))
        except DeviceError as error:
            if _errno(error) == errno.ENOENT:
                raise DeviceError(f"{self.name}: no file {path}") from None
            raise
        content = b""
        try:
            while n_bytes := int(self.exec(_READ)):
                content += self.machine.read_memory(address, n_bytes)
        finally:
            self.exec(_CLOSE)
        return content

    def read_buffer(self, buffer: str, n_bytes: int) -> bytes:
        return self.machine.read_memory(self._address_of(buffer), n_bytes)

    def write_buffer(self, buffer: str, content: bytes) -> None:
        self.machine.write_memory(self._address_of(buffer), content)

    def _address_of(self, buffer: str) -> int:
        return int(self.exec(f"print(__import__('uctypes').addressof({buffer}))"))

    def reset(self) -> None:
        self.machine.reset()

    def close(self) -> None:
        board_file, self._board_file = self._board_file, None
        if board_file is None:
            return
        try:
            board_file.save(self.machine.kept_flash, self.machine.layout)
        finally:
            board_file.close()

    @property
    def cycles(self) -> int:
        return self.machine.cycles
