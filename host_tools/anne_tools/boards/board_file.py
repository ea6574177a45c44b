"""A board file: what the flash of an emulated Pico keeps from one command to the next.

    0x000000  MAGIC, a line of text in place of the firmware, which each start takes from its UF2 file; behind it a line
              with the board that it was last, "pico" or "pico-models" (layout.py), if any: else it was a pico
    0x078000  ROMFS and storage, byte by byte as in a Pico's flash (layout.py)
    0x200000  end

A firmware that has its storage elsewhere than the one before formats it, as it would on a real Pico.

One command at a time has it. It is read when the board starts and written when it ends, whole or not at all.
"""

import os
import sys
from contextlib import suppress
from pathlib import Path

from ..data.files import check_target, write_atomically
from ..errors import DeviceError, ModelError
from .layout import FLASH_BYTES, KEPT_OFFSET, LAYOUTS, PICO, Layout

MAGIC = b"AI-ANNE: flash of an emulated Pico, 1\n"
_MOST_NAME_BYTES = 16


class BoardFile:
    """The board file at `path`, locked until `close`; a file that is not there, or is empty, is a new board.

    `flash` is what it keeps, the bytes from KEPT_OFFSET on; None for a new board. `layout` is where its last firmware
    had its storage: remains of another one may look formatted, so that the flash itself cannot tell. ModelError if the
    file is anything else than a board file or cannot be written, DeviceError if another process has it.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self._target = check_target(self.path)
        self._made = not self._target.exists()
        self._file = _locked(self.path, self._target)
        self.layout = PICO
        try:
            self.flash = self._read()
        except ModelError:
            self.close()
            raise

    def save(self, flash: bytes, layout: Layout = PICO) -> None:
        """Write what the flash holds from KEPT_OFFSET on. ModelError if that fails; then the file is as it was."""
        if (flash, layout) != (self.flash, self.layout):
            head = MAGIC + f"{layout.board}\n".encode()
            write_atomically(self._target, head.ljust(KEPT_OFFSET, b"\xff") + flash)
            self.flash, self.layout = flash, layout

    def close(self) -> None:
        """Let others have it. Closing twice does no harm."""
        if self._made and self._file is not None and os.fstat(self._file).st_size == 0:
            with suppress(OSError):
                _remove_if(self._target, self._file)
        if self._file is not None:
            os.close(self._file)
        self._file = None

    def _read(self) -> bytes | None:
        n_bytes = os.fstat(self._file).st_size
        if n_bytes == 0:
            return None
        with os.fdopen(os.dup(self._file), "rb") as file:
            begin = file.read(len(MAGIC))
            if n_bytes != FLASH_BYTES or begin != MAGIC:
                raise ModelError(
                    f"{self.path}: not a board file: expected {FLASH_BYTES} bytes that begin with "
                    f"{MAGIC.decode().strip()!r}, got {n_bytes} with {begin[:12]!r}; name another file"
                )
            board = file.readline(_MOST_NAME_BYTES).decode("ascii", "replace").strip()
            self.layout = LAYOUTS.get(board, PICO)
            file.seek(KEPT_OFFSET)
            return file.read()


def _locked(path: Path, target: Path) -> int:
    """Open a file, made if it is not there, that nobody else has; return its descriptor."""
    if sys.platform == "win32":
        raise DeviceError(f"{path}: board files need file locks of Linux or macOS; on Windows use WSL")
    import fcntl

    while True:
        try:
            descriptor = os.open(target, os.O_RDWR | os.O_CREAT | os.O_NONBLOCK | os.O_CLOEXEC, 0o666)
        except OSError as error:
            raise ModelError(f"{path}: cannot be written: {error.strerror}") from None
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.path.samestat(os.fstat(descriptor), os.stat(target)):
                return descriptor
        except FileNotFoundError:
            pass
        except OSError:
            os.close(descriptor)
            raise DeviceError(
                f"{path}: another process has this board; end it, or name another file"
            ) from None
        os.close(descriptor)  # it was replaced by a new one between opening and locking


def _remove_if(target: Path, descriptor: int) -> None:
    """Remove the file that was made for a lock, unless something else has taken its place."""
    if os.path.samestat(os.fstat(descriptor), os.stat(target)):
        os.unlink(target)
