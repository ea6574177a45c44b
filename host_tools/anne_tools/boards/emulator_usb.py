"""The PC's side of an emulated Pico's USB serial line: a quiet host, and what the raw REPL answers."""

from collections.abc import Callable
from typing import Any

from ..errors import DeviceError

OnOutput = Callable[[str], None]


class UsbHost:
    """The PC's side of the USB serial line: quiet while it has nothing to say.

    `rp2040py` answers every armed OUT transfer at once, with an empty packet if need be. TinyUSB then arms it again
    and MicroPython's VM runs the USB task at every loop back-edge, about 800 cycles each: interpreted code looks
    three times slower than it is. A real host sends nothing (NAK) until it has data; so does this one. It also gives
    the flow control: the firmware takes the next packet when it has room, however long the script is.
    """

    def __init__(self, serial_line: Any, usb: Any, on_data: Callable[[bytes], None]) -> None:
        """`serial_line` is the emulator's class USBCDC, `usb` its USB controller."""
        self._cdc = serial_line(usb)
        self._usb = usb
        self._input = bytearray()
        self._armed_bytes: int | None = None
        self.connected = False
        self.resets = 0
        self._cdc.on_serial_data = on_data
        self._cdc.on_device_connected = self._on_connected
        self._answer_control, usb.on_endpoint_read = usb.on_endpoint_read, self._on_armed
        self._forget_device, usb.on_reset = usb.on_reset, self._on_reset

    def send(self, data: bytes) -> None:
        self._input += data
        self._deliver()

    @property
    def idle(self) -> bool:
        """True when the firmware has taken everything and asks for more."""
        return not self._input and self._armed_bytes is not None

    def _on_connected(self) -> None:
        self.connected = True

    def _on_armed(self, endpoint: int, n_bytes: int) -> None:
        if endpoint != self._cdc._out_endpoint:  # control transfers stay with rp2040py
            return self._answer_control(endpoint, n_bytes)
        self._armed_bytes = n_bytes
        self._deliver()

    def _deliver(self) -> None:
        if self._armed_bytes and self._input:
            packet = bytes(self._input[: self._armed_bytes])
            del self._input[: len(packet)]
            self._armed_bytes = None
            self._usb.endpoint_read_done(self._cdc._out_endpoint, packet)

    def _on_reset(self) -> None:
        self._forget_device()
        self._input.clear()
        self._armed_bytes = None
        self.connected = False
        self.resets += 1


class RawReplReply:
    """The raw REPL's answer to a script, as it arrives: `OK`, stdout, 0x04, stderr, 0x04, `>`."""

    def __init__(self, on_output: OnOutput | None) -> None:
        self.data = bytearray()
        self._on_output = on_output
        self._shown = 2

    def feed(self, data: bytes) -> bool:
        """Take more bytes; return whether the answer is complete."""
        self.data += data
        if self._on_output and len(self.data) > 2:
            end = self.data.find(b"\x04", self._shown)
            end = len(self.data) if end < 0 else end
            text = self.data[self._shown : end]
            cut = len(text) - _unfinished_bytes(text)
            if cut:
                self._shown += cut
                self._on_output(_text(text[:cut]))
        return self.data.endswith(b"\x04>") and self.data.count(b"\x04") >= 2

    def split(self) -> tuple[str, str]:
        if not self.data.startswith(b"OK"):
            raise DeviceError(
                f"the board did not accept the script: expected OK, got {bytes(self.data[:60])!r}"
            )
        stdout, stderr = self.data[2:].split(b"\x04")[:2]
        return _text(stdout), _text(stderr)


def _text(data: bytes | bytearray) -> str:
    return data.decode("utf-8", "replace").replace("\r\n", "\n")


def _unfinished_bytes(data: bytearray) -> int:
    """How many bytes at the end may be half a UTF-8 character or half a line end."""
    if data.endswith(b"\r"):
        return 1
    for back in range(1, min(4, len(data) + 1)):
        lead = data[-back]
        if lead >= 0xC0:
            return back if back < 2 + (lead >= 0xE0) + (lead >= 0xF0) else 0
        if lead < 0x80:
            break
    return 0
