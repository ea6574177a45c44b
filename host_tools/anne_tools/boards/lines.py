"""Serial lines as bytes in and out: what a terminal, or a page in a browser, has of a board.

line = SerialLine("/dev/ttyACM0")            # or EmulatedLine(machine)
line.open(on_bytes, on_end)                  # on_bytes(data): what the board says; on_end(why): it is gone
line.write(b"print(1)\\r")
line.close()
"""

import queue
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from ..errors import DeviceError

OnData = Callable[[bytes], None]
OnEnd = Callable[[str], None]


class EmulatedLine:
    """The line of an emulated Pico, which runs on in a thread of its own while nobody listens."""

    def __init__(self, machine: Any) -> None:
        """`machine` is a booted EmulatedPico."""
        self._typed: queue.Queue[bytes | None] = queue.Queue()
        self._on_bytes: OnData | None = None
        self._on_end: OnEnd | None = None
        self._thread = threading.Thread(target=self._run, args=(machine,), daemon=True)
        self._thread.start()

    def open(self, on_bytes: OnData, on_end: OnEnd) -> None:
        self._on_bytes, self._on_end = on_bytes, on_end
        if not self._thread.is_alive():
            raise DeviceError("the emulated Pico has stopped; start anne explore again")

    def write(self, data: bytes) -> None:
        self._typed.put(data)

    def close(self) -> None:
        self._on_bytes = self._on_end = None

    def stop(self) -> None:
        """Let the emulated Pico end: what runs is interrupted, and it leaves the raw REPL for the prompt it ends at."""
        self._typed.put(b"\r\x03\x03\x02")
        self._typed.put(None)
        self._thread.join(timeout=5)

    def _run(self, machine: Any) -> None:
        from .emulator import EmulatorFault

        try:
            machine.interact(self._read, self._show)
        except EmulatorFault as fault:
            if on_end := self._on_end:
                on_end(f"the emulated Pico crashed: {fault}")

    def _read(self, timeout_s: float) -> bytes | None:
        with suppress(queue.Empty):
            return self._typed.get(timeout=timeout_s) if timeout_s > 0 else self._typed.get_nowait()
        return b""

    def _show(self, data: bytes) -> None:
        if on_bytes := self._on_bytes:
            on_bytes(bytes(data))


class SerialLine:
    """The line of a real board on a port, open only while somebody listens, so that others may use it in between."""

    _READ_S, _WRITE_S = 0.05, 5.0

    def __init__(self, port: str) -> None:
        self._port = port
        self._serial: Any = None

    def open(self, on_bytes: OnData, on_end: OnEnd) -> None:
        """Open the port. DeviceError says why that cannot be."""
        import serial

        from .serial_device import why_not_open

        try:
            self._serial = serial.serial_for_url(
                self._port,
                115200,
                timeout=self._READ_S,
                write_timeout=self._WRITE_S,
                exclusive=True,  # else two programs would each hear half of what the board says
            )
        except (OSError, ValueError) as error:  # SerialException is an OSError
            raise DeviceError(why_not_open(self._port, error)) from None
        arguments = (self._serial, on_bytes, on_end)
        threading.Thread(target=self._listen, args=arguments, daemon=True).start()

    def write(self, data: bytes) -> None:
        """Send `data`. OSError if the board takes nothing, or another thread has closed the line."""
        line = self._serial
        if line is None:
            raise OSError(f"{self._port} is closed")
        line.write(data)

    def close(self) -> None:
        line, self._serial = self._serial, None
        if line is not None:
            with suppress(OSError):
                line.close()

    def stop(self) -> None:
        self.close()

    def _listen(self, line: Any, on_bytes: OnData, on_end: OnEnd) -> None:
        while self._serial is line:
            try:
                data = line.read(max(1, line.in_waiting))
            except (OSError, TypeError, ValueError):  # unplugged, or closed by the other thread
                if self._serial is line:
                    on_end(f"{self._port}: the board is gone; plug it in and connect again")
                return
            if data:
                on_bytes(data)
