"""A model file onto a Pico so that a power cut or a bad cable harms nothing: temporary name, CRC, rename.

Under /rom, where nobody can rename, the files of ROMFS are written anew (rom_partition.py)."""

from __future__ import annotations

import posixpath
import zlib
from collections.abc import Callable
from dataclasses import asdict, dataclass

from anne.model_file import ModelFile
from anne.unfit import refuse_kinds

from ..cores.files import open_model, stored_crc
from ..errors import DeviceError, ModelError
from .board_files import script, temporary_file
from .device import Device
from .fit import RESERVE_BYTES, fit
from .rom_partition import RomPartition
from .runtime_files import kinds_for

ROM = "/rom/"
_MOST_NAME_BYTES = 255  # littlefs's limit
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

    ModelError for /rom itself, and for names that are longer than the storage takes.
    """
    path = path or "/"
    path = posixpath.normpath("/" + path.lstrip("/") + (name if path.endswith("/") else ""))
    if path == "/rom":
        raise ModelError(
            f"{path}: expected a path in it, got the folder; name a file in it, such as /rom/{name}"
        )
    longest = max(len(part.encode()) for part in path.split("/"))
    if longest > _MOST_NAME_BYTES:
        raise ModelError(
            f"expected names of at most {_MOST_NAME_BYTES} bytes on the board, got one of {longest}; name it with --as"
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

    A file that is there already is replaced in one step, once the new one has proven whole; in /rom all files are
    written anew (rom_partition.py). ModelError if the file is damaged or (without `force`) does not fit the board;
    DeviceError if (without `force`) the board has no AI-ANNE, or of a layer's kind none, if the board got something
    else than was sent, or if the golden samples come out wrong. `progress` is told each step before it begins, and how
    much of how much of it is done.
    """
    file = open_model(data)
    into_rom = path.startswith(ROM)
    misfit = _misfit(data, board, into_rom)
    if not force:
        require_fit(data, path, board)
        device.require_anne()
        _require_kinds(device, file)
    (_put_into_rom if into_rom else _put_into_storage)(device, data, path, progress)
    golden = 0
    if "golden_inputs" in file.metadata and device.has_native() and not misfit:
        progress("runs the golden samples there", 0, 0)
        # of what lies in flash the weights stay there, as nobody knows what else is in RAM
        load = f"anne.load({path!r}, copy=False)"
        golden = int(device.exec(f"import anne\nprint({load}.selftest())", timeout_s=600).strip())
    return Deployed(device.name, path, len(data), stored_crc(data), golden)


def require_fit(data: bytes, path: str, board: str) -> None:
    """ModelError if the file cannot be loaded from that path on a board."""
    misfit = _misfit(data, board, path.startswith(ROM))
    if misfit:
        raise ModelError(f"it does not fit the {board}: {misfit} (--force puts it there all the same)")


def require_heap(data: bytes, board: str, heap_free: int) -> None:
    """ModelError if the file, read into RAM, needs more than the bytes of heap that a board says are free."""
    need = len(data) + fit(data, board).workspace_bytes
    if need > heap_free:
        raise ModelError(
            f"read into RAM it needs {need} bytes, beside AI-ANNE {heap_free} are free (--force puts it there all the "
            "same)"
        )


def _require_kinds(device: Device, file: ModelFile) -> None:
    """DeviceError for a layer that the board's native module leaves out; one of dense layers alone has no Trainer."""
    if kinds_for(layer.kind for layer in file.layers) == "dense" or not device.has_native():
        return
    if device.exec("import _anne;print(hasattr(_anne, 'Trainer'))").strip() == "False":
        try:
            refuse_kinds(file)
        except ValueError as error:
            raise DeviceError(f"{device.name}: {error}") from None


def _misfit(data: bytes, board: str, into_rom: bool) -> str:
    """Why the file cannot be loaded where it goes, "" if it can. What ROMFS has room for, the board says itself."""
    verdict = fit(data, board)
    need = verdict.workspace_bytes + (0 if into_rom else len(data))
    if verdict.place == "storage" or (into_rom and need + RESERVE_BYTES <= verdict.heap_bytes):
        return ""
    where = "its values need" if into_rom else "read into RAM it needs"
    text = f"{where} {need} of {verdict.heap_bytes} bytes"
    return text if into_rom else verdict.reason or f"{text}; in flash it is used in place: --as /rom/"


def _put_into_storage(device: Device, data: bytes, path: str, progress: Progress) -> None:
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


def _put_into_rom(device: Device, data: bytes, path: str, progress: Progress) -> None:
    """Beside what is there."""
    partition = RomPartition(device)
    progress("reads what is in /rom", 0, 0)
    files = {**partition.files(), path.removeprefix(ROM): data}
    writing = f"writes {path}"
    progress(writing, 0, len(data))
    partition.write(files, lambda *done: progress(writing, *done))
