"""A real Pico on a USB port, or one reached through a socket, by way of PyPI `mpremote`."""

import errno
import os
import stat
import struct
import sys
import time
from collections.abc import Callable
from contextlib import redirect_stdout, suppress
from io import StringIO
from typing import Any

from ..errors import DeviceError
from .device import Device, OnBytes, OnOutput, script_error

RASPBERRY_PI_USB = 0x2E8A
_CONNECT_S = 20.0
# A board that takes nothing or does not obey Ctrl-C for so long is stuck; it cannot be waited for at the end.
_WRITE_S, _INTERRUPT_S, _DRAIN_S = 10.0, 5.0, 1.0


class SerialDevice(Device):
    """A Pico behind a serial port ("/dev/ttyACM0", "COM5") or "socket://host:port"."""

    kind = "serial"

    def __init__(self, port: str, connect_s: float = _CONNECT_S) -> None:
        """Open the port, stop what runs on the board and soft-reset it. DeviceError says why that cannot be."""
        self.name = port
        self._connect_s = connect_s
        self._transport: Any = None
        self._connect()

    def exec(self, source: str, timeout_s: float = 60.0, on_output: OnOutput | None = None) -> str:
        output = _Output(on_output)

        def run() -> str:
            self._transport.exec_raw_no_follow(source)
            self._transport.read_until(
                1, b"\x04", timeout=None, timeout_overall=timeout_s, data_consumer=output.take
            )
            if not output.ended:
                if not self._interrupt(output):
                    raise DeviceError(f"{self.name}: the script took longer than {timeout_s:g} s; {_STUCK}")
                raise DeviceError(
                    f"{self.name}: the script took longer than {timeout_s:g} s and was interrupted"
                )
            return self._transport.read_until(1, b"\x04", timeout=10)[:-1].decode("utf-8", "replace")

        traceback = self._asked(run)
        if traceback:
            raise script_error(self.name, traceback.replace("\r\n", "\n"))
        return output.text()

    def put(self, path: str, content: bytes, on_bytes: OnBytes | None = None) -> None:
        self._make_folders(path)
        self._asked(lambda: self._transport.fs_writefile(path, bytes(content), 1024, on_bytes))

    def get(self, path: str) -> bytes:
        return bytes(self._asked(lambda: self._transport.fs_readfile(path, 1024)))

    def reset(self) -> None:
        self._leave_with("machine.reset()")
        self._connect()

    def bootloader(self) -> None:
        """Restart the board as a USB drive that takes a UF2 file. It is then no serial port any more."""
        self._leave_with("machine.bootloader()")

    def close(self) -> None:
        if self._transport is not None:
            with suppress(Exception):  # the board may be gone already
                self._transport.exit_raw_repl()
                self._drain(self._transport.serial)
            with suppress(Exception):
                self._transport.close()
            self._transport = None

    @staticmethod
    def _drain(serial: Any) -> None:
        """Give the board a moment to take what was sent, then drop it: `flush`, and `close`, too, may wait forever."""
        end_s = time.monotonic() + _DRAIN_S
        while getattr(serial, "out_waiting", 0) and time.monotonic() < end_s:
            time.sleep(0.01)
        serial.reset_output_buffer()

    def _connect(self) -> None:
        """Open the port and get the raw REPL, patiently: after a reset the port takes a moment to come back."""
        from mpremote.transport import TransportError
        from mpremote.transport_serial import SerialTransport

        end_s = time.monotonic() + (self._connect_s if self._transport else 0.0)
        while True:
            try:
                transport = SerialTransport(self.name, timeout=min(10.0, self._connect_s))
                break
            except (TransportError, OSError, ValueError) as error:
                if time.monotonic() >= end_s:
                    raise DeviceError(why_not_open(self.name, error)) from None
                time.sleep(0.2)
        self._transport = transport
        chatter = StringIO()  # mpremote prints what it could not understand
        try:
            with redirect_stdout(chatter):
                transport.serial.write_timeout = _WRITE_S
                transport.enter_raw_repl(soft_reset=True, timeout_overall=self._connect_s)
        except (TransportError, OSError) as error:
            self.close()
            raise DeviceError(
                f"{self.name}: no answer from MicroPython ({error}); is it a Pico with MicroPython? A program on it "
                "may block Ctrl-C: unplug it, hold BOOTSEL while plugging it in, then: anne flash"
            ) from None

    def _leave_with(self, statement: str) -> None:
        self._asked(lambda: self._transport.exec_raw_no_follow(f"import machine\n{statement}"))
        time.sleep(0.3)
        with suppress(Exception):
            self._transport.close()

    def _interrupt(self, output: "_Output") -> bool:
        """Press Ctrl-C; return whether that ended the script."""
        self._transport.serial.write(b"\x03")
        self._transport.read_until(1, b"\x04", timeout=_INTERRUPT_S, data_consumer=output.take)
        return output.ended and self._transport.read_until(1, b"\x04", timeout=_INTERRUPT_S).endswith(b"\x04")

    def _make_folders(self, path: str) -> None:
        folders = path.strip("/").split("/")[:-1]
        for depth in range(len(folders)):
            folder = "/" + "/".join(folders[: depth + 1])
            if not self._asked(lambda folder=folder: self._transport.fs_exists(folder)):
                self._asked(lambda folder=folder: self._transport.fs_mkdir(folder))

    def _asked(self, action: Callable[[], Any]) -> Any:
        """Do it, and turn what mpremote and the port may raise into DeviceError."""
        from mpremote.transport import TransportError, TransportExecError

        if self._transport is None:
            raise DeviceError(f"{self.name}: closed")
        try:
            return action()
        except TransportExecError as error:
            raise script_error(self.name, error.error_output) from None
        except FileNotFoundError as error:
            raise DeviceError(f"{self.name}: no file {error.args[-1]}") from None
        except (TransportError, OSError) as error:
            raise DeviceError(why_failed(self.name, error)) from None
        # mpremote on an answer that is cut short or garbled
        except (struct.error, SyntaxError, UnicodeDecodeError):
            raise DeviceError(f"{self.name}: an answer that makes no sense; {_STUCK}") from None


class _Output:
    """What a script prints, byte by byte, up to the 0x04 that ends it."""

    def __init__(self, on_output: OnOutput | None) -> None:
        self._data = bytearray()
        self._on_output = on_output
        self._shown = 0
        self.ended = False

    def take(self, data: bytes) -> None:
        if data == b"\x04":
            self.ended = True
        else:
            self._data += data
        if self._on_output and (self.ended or data == b"\n") and len(self._data) > self._shown:
            self._on_output(_text(self._data[self._shown :]))
            self._shown = len(self._data)

    def text(self) -> str:
        return _text(self._data)


def _text(data: bytes | bytearray) -> str:
    return data.decode("utf-8", "replace").replace("\r\n", "\n")


def pico_ports() -> list[str]:
    """Return the ports on which a Raspberry Pi board answers to USB."""
    from serial.tools.list_ports import comports

    return sorted(port.device for port in comports() if port.vid == RASPBERRY_PI_USB)


_STUCK = "the board is stuck or busy: unplug it, plug it in again and repeat"


def _is_port(name: str) -> bool:
    """Return whether there is such a port: a file, but on Windows only a name in a list."""
    if sys.platform != "win32":
        return os.path.exists(name)
    from serial.tools.list_ports import comports

    return name.upper() in (port.device.upper() for port in comports())


def why_failed(port: str, error: Exception) -> str:
    """Return one line: what happened on an open port, to the line or to the files on the board, and what to do."""
    from mpremote.transport import TransportError
    from serial import SerialException

    reason = " ".join(str(error).split())
    number = getattr(error, "errno", None)
    if number in (errno.EIO, errno.ENXIO, errno.EPIPE, errno.ECONNRESET) or not (
        "://" in port or _is_port(port)
    ):
        return f"{port}: the board is gone ({reason}); was it unplugged or reset? Plug it in again and repeat"
    if isinstance(error, (TransportError, SerialException)):
        return f"{port}: no answer ({reason}); {_STUCK}"
    if number == errno.ENOSPC:
        return (
            f"{port}: its storage is full; remove files from it, e.g. with: mpremote connect {port} rm :FILE"
        )
    return f"{port}: {reason}"


def why_not_open(port: str, error: Exception) -> str:
    """Return one line: why this port cannot be opened, and what to do."""
    from .flash import bootloader

    if "://" in port:
        return f"{port}: nothing answers there ({error})"
    if _is_port(port):
        if os.path.exists(port) and not os.access(port, os.R_OK | os.W_OK):
            return f"{port}: permission denied; do: sudo usermod -aG dialout $USER, log out and in again"
        if os.path.exists(port) and not stat.S_ISCHR(os.stat(port).st_mode):
            return f"{port}: not a serial port; ports with a Pico: {_found_ports()}"
        return (
            f"{port}: in use by another program (Thonny, mpremote, a serial monitor?); close it and try again"
        )
    place = bootloader()
    if place:
        return f"{port}: no such port; the board is in bootloader mode ({place}): anne flash"
    return f"{port}: no such port; ports with a Pico: {_found_ports()}; without a board: --on emulator"


def _found_ports() -> str:
    return ", ".join(pico_ports()) or "none"
