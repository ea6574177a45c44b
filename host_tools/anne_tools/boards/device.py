"""One interface to a Pico, be it emulated or on a USB port: run scripts, move files.

with open_device("emulator") as pico:            # or "/dev/ttyACM0", "COM5", "socket://127.0.0.1:2040"
    pico.put("/iris.anne", data)
    print(pico.exec("import anne; print(anne.native)"))
"""

import errno
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from ..errors import DeviceError
from .board_file import BoardFile

OnOutput = Callable[[str], None]
OnBytes = Callable[[int, int], None]


class Device(ABC):
    """A Pico that runs MicroPython. Use it in a `with` statement."""

    kind: str
    """"emulator" or "serial"."""

    name: str
    """What it is called in messages: "the emulated Pico", "/dev/ttyACM0"."""

    @abstractmethod
    def exec(self, source: str, timeout_s: float = 60.0, on_output: OnOutput | None = None) -> str:
        """Run a script; return what it printed. `on_output` sees it as it comes.

        Names stay defined for the next script. DeviceError if it ends with an exception (its `traceback` is the
        board's), takes longer than `timeout_s` (emulated seconds in the emulator), or if the board does not answer.
        """

    @abstractmethod
    def put(self, path: str, content: bytes, on_bytes: OnBytes | None = None) -> None:
        """Write a file, replacing one that is there; folders are made as needed.

        `on_bytes` is told how many bytes of how many are there. Files that a program on the board holds open stay
        whole.
        """

    @abstractmethod
    def get(self, path: str) -> bytes:
        """Return a file's content; DeviceError if there is none."""

    @abstractmethod
    def reset(self) -> None:
        """Reset the board, as its reset button or power would; files stay."""

    @abstractmethod
    def close(self) -> None:
        """Let go of the board. Closing twice does no harm."""

    @property
    def cycles(self) -> int | None:
        """CPU cycles spent since power-on, exactly; None where only the board's own clock (time.ticks_us) can tell."""
        return None

    def remove(self, path: str) -> None:
        self.exec(f"__import__('os').remove({path!r})")

    def rename(self, old: str, new: str) -> None:
        """Rename a file, replacing one of the new name, in one step that a power cut cannot halve."""
        self.exec(f"__import__('os').rename({old!r}, {new!r})")

    def describe(self) -> str:
        """Return the board and the firmware in one line."""
        return f"{self.name}: {self.exec(_DESCRIBE).strip()}"

    def has_native(self) -> bool:
        """Return whether the firmware has AI-ANNE's native module."""
        return self.exec("try:\n import _anne;print(1)\nexcept ImportError:print(0)").strip() == "1"

    def require_anne(self) -> None:
        """DeviceError unless the firmware is ours."""
        if not self.has_native():
            raise DeviceError(
                f"{self.name}: this firmware has no native module _anne; put ours on it with: anne flash"
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, where: TracebackType | None) -> None:
        self.close()


_DESCRIBE = "u=__import__('os').uname();print(u.machine+', MicroPython '+u.version.split(' (')[0])"
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


def script_error(name: str, traceback: str) -> DeviceError:
    """Return the error that says how a script ended on the board."""
    lines = [line for line in traceback.strip().splitlines() if line.strip()] or ["no traceback"]
    return DeviceError(f"{name}: {lines[-1]}", traceback)


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

    def reset(self) -> None:
        self.machine.reset()

    def close(self) -> None:
        board_file, self._board_file = self._board_file, None
        if board_file is None:
            return
        try:
            board_file.save(self.machine.kept_flash)
        finally:
            board_file.close()

    @property
    def cycles(self) -> int:
        return self.machine.cycles


def open_device(
    where: str,
    *,
    firmware: str | Path | None = None,
    files: Mapping[str, bytes] | None = None,
    romfs: Mapping[str, bytes] | None = None,
    board_file: str | Path | None = None,
) -> Device:
    """Return the Pico that `where` names: "emulator", or a port ("/dev/ttyACM0", "COM5", "socket://host:port").

    `files` (path to bytes) are put into its storage. The rest is for the emulator: `firmware`, looked for as
    firmware.py says if it is not given, `romfs`, files that replace what is in /rom, and `board_file`, which keeps its
    flash from one time to the next (board_file.py). DeviceError if there is no such board, ModelError if there is no
    firmware or the board file is none.
    """
    if where == "emulator":
        return _open_emulator(firmware, files, romfs, board_file)
    if board_file or romfs:
        raise DeviceError(f"{where}: a board file and romfs are for the emulated Pico")
    from .serial_device import SerialDevice

    return _with_files(SerialDevice(where), files)


def _open_emulator(
    firmware: str | Path | None,
    files: Mapping[str, bytes] | None,
    romfs: Mapping[str, bytes] | None,
    board_file: str | Path | None,
) -> Device:
    from .emulator import EmulatedPico
    from .firmware import find_firmware

    uf2 = find_firmware(firmware)
    elf = uf2.with_suffix(".elf")
    kept = BoardFile(board_file) if board_file else None
    try:
        options = {"kept_flash": kept.flash} if kept else {"files": files}
        machine = EmulatedPico(uf2, elf if elf.exists() else None, romfs=romfs, **options)
        machine.boot()
    except BaseException as error:
        if kept:
            kept.close()
        if isinstance(error, TimeoutError):
            raise DeviceError(f"{uf2}: does not boot: {error}") from None
        raise
    return _with_files(EmulatedDevice(machine, kept), files if kept else None)


def _with_files(device: Device, files: Mapping[str, bytes] | None) -> Device:
    try:
        for path, content in (files or {}).items():
            device.put(path, content)
    except BaseException:
        device.close()
        raise
    return device
