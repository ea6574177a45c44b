"""The power fails while `anne deploy` replaces a model: at every operation on the flash, done not at all or in part.

The board is a file system of its kind and version of littlefs, on a flash that stops; deploy itself, and the scripts it
runs on the board, are the real ones.
"""

from __future__ import annotations

import builtins
import io
from collections.abc import Callable
from contextlib import redirect_stdout
from types import SimpleNamespace

from anne_tools.deploy import deploy
from anne_tools.device import Device
from anne_tools.errors import DeviceError
from anne_tools.flash_files import STORAGE_BYTES
from figures import ROOT, Found, ReliabilityError
from littlefs import LittleFS, UserContext
from littlefs.errors import LittleFSError

MODELS = ROOT / "tests" / "golden" / "models"
PATH = "/model.anne"
OTHERS = {
    "/main.py": b"import anne\n" * 60,
    "/data/notes.txt": b"kept",
    "/data/log.bin": bytes(range(256)) * 20,
}
BLOCK_BYTES, CHUNK_BYTES = 4096, 1024


class Flash(UserContext):
    """A flash of which `on_cut(image, what)` sees what it would hold if the power failed, at each operation."""

    def __init__(self, image: bytes, on_cut: Callable[[bytes, str], None] | None = None) -> None:
        super().__init__(buffer=bytearray(image))
        self._on_cut = on_cut
        self.operations = 0

    def prog(self, cfg, block: int, off: int, data: bytes) -> int:
        """Write into erased bytes."""
        return self._write("write", block * cfg.block_size + off, data)

    def erase(self, cfg, block: int) -> int:
        """Erase a block."""
        return self._write("erase", block * cfg.block_size, b"\xff" * cfg.block_size)

    def _write(self, kind: str, at: int, data: bytes) -> int:
        self.operations += 1
        if self._on_cut:
            what = f"operation {self.operations}, {kind} at {at:#x}"
            self._on_cut(bytes(self.buffer), what + ", clean")
            torn, half = self.buffer.copy(), len(data) // 2
            torn[at : at + half] = data[:half]
            torn[at + half] ^= 0x55 & (torn[at + half] ^ data[half])  # a byte that gets some of its bits
            self._on_cut(bytes(torn), what + ", torn")
        self.buffer[at : at + len(data)] = data
        return 0


class Board(Device):
    """The storage of a Pico on a Flash, reached as through a serial line: a file comes in pieces."""

    kind, name = "serial", "the board"

    def __init__(self, flash: Flash, mount: bool = True) -> None:
        self.flash = flash
        # as rp2.Flash and MicroPython's VfsLfs2 have it
        geometry = {"block_size": BLOCK_BYTES, "block_count": STORAGE_BYTES // BLOCK_BYTES}
        self.files = LittleFS(flash, mount, prog_size=256, read_size=32, lookahead_size=32, **geometry)

    def exec(self, source: str, timeout_s: float = 60.0, on_output=None) -> str:
        """Run a script, with the board's files and `os` instead of this computer's."""
        if source.endswith(".selftest())"):
            return "0"  # which only reads
        board = SimpleNamespace(remove=self.files.remove, rename=self.files.rename)
        names = vars(builtins) | {
            "open": self.files.open,
            "__import__": lambda name, *rest: board if name == "os" else __import__(name, *rest),
        }
        printed = io.StringIO()
        try:
            with redirect_stdout(printed):
                exec(source, {"__builtins__": names})
        except (LittleFSError, OSError) as error:
            raise DeviceError(str(error)) from None
        return printed.getvalue()

    def put(self, path: str, content: bytes) -> None:
        """Write piece by piece, as mpremote does."""
        try:
            with self.files.open(path, "wb") as file:
                for at in range(0, len(content), CHUNK_BYTES):
                    file.write(content[at : at + CHUNK_BYTES])
        except (LittleFSError, OSError) as error:
            raise DeviceError(str(error)) from None

    def get(self, path: str) -> bytes:
        """Return a file's content."""
        with self.files.open(path, "rb") as file:
            return file.read()

    def has_native(self) -> bool:
        """Ours, but without an interpreter."""
        return True

    def reset(self) -> None:
        """Nothing runs here."""

    def close(self) -> None:
        """Nothing is open."""


def put_model(board: Board, data: bytes) -> None:
    """What is tried: anne deploy."""
    deploy(board, data, PATH)


def fresh_image() -> bytes:
    """A storage with some files and no model."""
    flash = Flash(b"\xff" * STORAGE_BYTES)
    board = Board(flash, mount=False)
    board.files.format()
    board.files.mount()
    board.files.mkdir("/data")
    for path, content in OTHERS.items():
        board.put(path, content)
    return bytes(flash.buffer)


def cut_everywhere(image: bytes, old: bytes | None, new: bytes, put=put_model) -> tuple[int, bytes]:
    """Check what each power cut during `put` leaves; return how many operations it has, and the image after it."""
    errors: list[Exception] = []  # littlefs lets none pass

    def check(cut: bytes, what: str) -> None:
        try:
            _check(cut, old, new, what)
        except Exception as error:
            errors.append(error)

    flash = Flash(image, check)
    put(Board(flash), new)
    if errors:
        raise errors[0]
    return flash.operations, bytes(flash.buffer)


def _check(image: bytes, old: bytes | None, new: bytes, what: str) -> None:
    """The power is back: the old model or the new one is there, the other files too, and it can be done again."""
    board = Board(Flash(image))
    try:
        found = board.get(PATH)
    except FileNotFoundError:
        found = None
    if found not in (old, new):
        raise ReliabilityError(f"{what}: neither the old model nor the new one")
    put_model(board, new)
    if board.get(PATH) != new:
        raise ReliabilityError(f"{what}: the next deploy leaves something else")
    for path, content in OTHERS.items():
        if board.get(path) != content:
            raise ReliabilityError(f"{what}: {path} is not what it was")


def power_cut(soak: bool) -> Found:
    """Deploy after deploy, each cut at every operation."""
    models = [
        (MODELS / f"{name}.anne").read_bytes() for name in ("wide_int8", "broad_int16", "small_float32")
    ]
    deploys = 60 if soak else 3
    image, old, operations = fresh_image(), None, 0
    for i in range(deploys):
        new = models[i % len(models)]
        more, image = cut_everywhere(image, old, new)
        operations, old = operations + more, new
    return Found(
        f"{deploys} deploys, {operations:,} operations x {{clean, torn}}",
        "old or new model whole, other files whole, the next deploy works",
    )
