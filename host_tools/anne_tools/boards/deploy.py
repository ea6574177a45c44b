"""A model file onto a Pico so that a power cut or a bad cable harms nothing: temporary name, CRC, rename."""

from __future__ import annotations

import posixpath
import zlib
from collections.abc import Callable
from dataclasses import asdict, dataclass

from ..cores.files import open_model, stored_crc
from ..errors import DeviceError, ModelError
from .board_files import script, temporary_file
from .device import Device
from .fit import fit

Progress = Callable[[str, int, int], None]


@dataclass
class Deployed:
    """What lies on the board now: the path, its bytes, the CRC-32 in its header, and how many golden samples it got
    right there."""

    device: str
    path: str
    file_bytes: int
    crc32: int
    golden_samples: int

    def to_json(self) -> dict:
        """Return this as plain data for JSON."""
        return asdict(self)


def path_on_board(path: str | None, name: str) -> str:
    """Return where a file called `name` goes on a Pico if the user says `path`: a folder if that ends with "/".

    ModelError for /rom, in which nobody can write a single file.
    """
    path = path or "/"
    path = posixpath.normpath("/" + path.lstrip("/") + (name if path.endswith("/") else ""))
    if path == "/rom" or path.startswith("/rom/"):
        raise ModelError(
            f"{path}: /rom is read-only, it is written whole: python -m anne_tools.boards.romfs {name} -o rom.romfs, "
            f"then mpremote romfs deploy rom.romfs (an emulated Pico: anne emulate --rom {name})"
        )
    return path


def deploy(
    device: Device,
    data: bytes,
    path: str,
    board: str = "pico",
    force: bool = False,
    progress: Progress = lambda step, done, total: None,
) -> Deployed:
    """Put the model file `data` at `path` on a Pico, check it there, and run its golden samples.

    A file that is there already is replaced in one step, once the new one has proven whole. ModelError if the file is
    damaged or (without `force`) does not fit the board; DeviceError if (without `force`) the firmware is not ours, if
    the board got something else than was sent, or if the golden samples come out wrong. `progress` is told each step
    before it begins, and how much of how much of it is done.
    """
    file = open_model(data)
    verdict = fit(data, board)
    if verdict.place != "storage" and not force:
        reason = (
            verdict.reason
            or f"read into RAM it needs {len(data) + verdict.workspace_bytes} of {verdict.heap_bytes} bytes"
        )
        raise ModelError(f"it does not fit the {board}: {reason} (--force puts it there all the same)")
    if not force:
        device.require_anne()
    expected = zlib.crc32(data)
    sending = f"sends {path}"
    progress(sending, 0, len(data))
    folder = path[: path.rfind("/") + 1]
    with temporary_file(device, data, "deploy", folder, lambda *done: progress(sending, *done)) as beside:
        progress("compares the CRC-32 there", 0, 0)
        told = device.exec(script("checksum.py", path=beside)).split()
        if told != [str(len(data)), str(expected)]:
            raise DeviceError(
                f"{device.name}: {path}: sent {len(data)} bytes with CRC {expected}, there are {' '.join(told)}"
            )
        device.rename(beside, path)
    golden = 0
    if "golden_inputs" in file.metadata and device.has_native() and verdict.place == "storage":
        progress("runs the golden samples there", 0, 0)
        golden = int(device.exec(f"import anne\nprint(anne.load({path!r}).selftest())").strip())
    return Deployed(device.name, path, len(data), stored_crc(data), golden)
