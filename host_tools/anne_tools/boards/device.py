"""One interface to a Pico, be it emulated or on a USB port: run scripts, move files; open_device.py gives one."""

from abc import ABC, abstractmethod
from base64 import b64decode, b64encode
from collections.abc import Callable
from types import TracebackType
from typing import Self

from ..errors import DeviceError

OnOutput = Callable[[str], None]
OnBytes = Callable[[int, int], None]


class Device(ABC):
    """A Pico that runs MicroPython. Use it in a `with` statement."""

    kind: str
    """"emulator" or "serial"."""

    name: str
    """What it is called in messages: "the emulated Pico", "/dev/ttyACM0"."""

    @property
    def flash(self) -> str:
        """What reads of flash cost in its figures: "silicon", "cache model", or "no cache", as if flash were RAM."""
        return "silicon"

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

    def read_buffer(self, buffer: str, n_bytes: int) -> bytes:
        """Return the first `n_bytes` of what a script calls `buffer`: a bytearray, a partition of the flash."""
        return b64decode(self.exec(_READ_BUFFER.format(buffer=buffer, n_bytes=n_bytes)))

    def write_buffer(self, buffer: str, content: bytes) -> None:
        """Write into the bytearray that a script calls `buffer`, from its beginning."""
        self.exec(_WRITE_BUFFER.format(buffer=buffer, content=b64encode(content)))

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
        """Return whether the board has AI-ANNE's native module."""
        return self.exec("try:\n import _anne;print(1)\nexcept ImportError:print(0)").strip() == "1"

    def require_anne(self) -> None:
        """DeviceError unless the board has AI-ANNE, in its firmware or in files, and it can be imported."""
        told = self.exec(
            "try:\n import anne\nexcept (ImportError, MemoryError) as error:\n print(error)"
        ).strip()
        if told.startswith("anne: "):  # there is one, which says what is wrong with it
            raise DeviceError(f"{self.name}: {told}")
        if told:
            raise DeviceError(
                f"{self.name}: this board has no AI-ANNE; put our firmware on it (anne flash), or AI-ANNE onto its "
                "own: anne deploy --runtime"
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, where: TracebackType | None) -> None:
        self.close()


# In pieces of whole groups of 3 bytes, so that what is printed is the text of all.
_READ_BUFFER = """from binascii import b2a_base64
for i in range(0, {n_bytes}, 3072):
    print(str(b2a_base64(memoryview({buffer})[i : min(i + 3072, {n_bytes})]), "ascii").strip(), end="")
"""
_WRITE_BUFFER = """from binascii import a2b_base64
content = a2b_base64({content})
memoryview({buffer})[: len(content)] = content
"""
_DESCRIBE = "u=__import__('os').uname();print(u.machine+', MicroPython '+u.version.split(' (')[0])"


def script_error(name: str, traceback: str) -> DeviceError:
    """Return the error that says how a script ended on the board."""
    lines = [line for line in traceback.strip().splitlines() if line.strip()] or ["no traceback"]
    return DeviceError(f"{name}: {lines[-1]}", traceback)
