"""Networks that learn by `anne.Trainer`, here or on a Pico: the same script with the same rows."""

from __future__ import annotations

import contextlib
import io
import json
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..cores.local import HOST, tell_if_no_core
from ..data.files import read_whole
from ..errors import DeviceError, ModelError
from .board_files import MARK, script, temporary_file
from .device import Device
from .open_device import open_device

# Nobody knows how long a board will learn; who waits can press Ctrl-C.
_TIMEOUT_S = 7 * 86400.0
# The trainer shuffles so many rows: their numbers have 16 bits.
_MOST_SHUFFLED = 65536
# What a board may have no memory for, it learns row by row from a file, as they stand there.
_MOST_HELD_BYTES = 64 * 1024

OnText = Callable[[str], None]


@dataclass(frozen=True)
class Settings:
    """The arguments of `anne.Trainer`, which has their meaning and refuses what makes none."""

    sizes: list[int]
    activations: list[str]
    loss: str
    optimizer: str
    lr: float
    batch: int
    seed: int
    momentum: float
    decay: float
    scaling: str | None
    labels: list[str] | None


@dataclass(frozen=True)
class Trained:
    """A network that has learnt: its model file, each epoch's mean loss, seconds on the clock of where it ran."""

    data: bytes
    losses: list[float]
    elapsed_s: float


def train(
    settings: Settings,
    x: np.ndarray,
    y: np.ndarray,
    epochs: int,
    save: dict[str, Any],
    where: str = HOST,
    on_text: OnText | None = None,
    **board: Any,
) -> Trained:
    """Return the network after learning from rows x (n_rows, n_in) and their answers y (n_rows), numbers of classes or
    what the output should be.

    A board that has no memory for the rows takes them from a file, one by one, in the same order each time.
    `save` are arguments of the trainer's method of that name, `where` is "host", "emulator" or a port, `board` options
    of `open_device`; `on_text` gets what the trainer prints. ModelError as the trainer refuses it, and where a board
    has no memory for it.
    """
    task = _Task(settings, x, y, epochs, save)
    if where == HOST:
        tell_if_no_core()  # the trainer then finds none either
        return _train_here(task, on_text)
    with open_device(where, **board) as device:
        return train_on(device, settings, x, y, epochs, save, on_text)


class _Task:
    """What the script needs: the bytes of a file of rows, and its names."""

    def __init__(
        self, settings: Settings, x: np.ndarray, y: np.ndarray, epochs: int, save: dict[str, Any]
    ) -> None:
        shuffle = len(x) <= _MOST_SHUFFLED
        if not shuffle or 4 * x.size > _MOST_HELD_BYTES:  # once at least: tables are often sorted by class
            order = np.random.default_rng(settings.seed).permutation(len(x))
            x, y = x[order], y[order]
        self.rows = MARK + np.ascontiguousarray(x, "<f4").tobytes() + np.ascontiguousarray(y, "<f4").tobytes()
        trainer = asdict(settings)
        fit = {"epochs": epochs, "shuffle": shuffle}
        task = {"trainer": trainer, "fit": fit, "save": save, "n_rows": len(x), "n_in": x.shape[1]}
        self._names = {"task": json.dumps(task), "first": len(MARK)}

    def script(self, rows_path: str, model_path: str) -> str:
        """Return the script for files of these names."""
        return script("train_network.py", rows_path=rows_path, model_path=model_path, **self._names)


def _train_here(task: _Task, on_text: OnText | None) -> Trained:
    with tempfile.TemporaryDirectory() as folder:
        rows_path, model_path = Path(folder, "rows"), Path(folder, "net.anne")
        rows_path.write_bytes(task.rows)
        source = compile(task.script(str(rows_path), str(model_path)), "train_network.py", "exec")
        printed = _Printed(on_text)
        try:
            with contextlib.redirect_stdout(printed):
                exec(source, {"__name__": "train_network"})
        except (MemoryError, TypeError, ValueError) as error:
            raise ModelError(str(error) or type(error).__name__) from None
        return _trained(read_whole(model_path), printed.getvalue())


def train_on(
    device: Device,
    settings: Settings,
    x: np.ndarray,
    y: np.ndarray,
    epochs: int,
    save: dict[str, Any],
    on_text: OnText | None = None,
) -> Trained:
    """Return what a board with our firmware makes of the rows, as `train` does; nothing stays on it."""
    device.require_anne()
    task, printed = _Task(settings, x, y, epochs, save), _Printed(on_text)
    with (
        temporary_file(device, task.rows, "rows") as rows_path,
        temporary_file(device, MARK, "trained") as model_path,
    ):
        try:
            device.exec(task.script(rows_path, model_path), _TIMEOUT_S, printed.write)
        except DeviceError as error:
            raise _refused(device, error) from None
        return _trained(device.get(model_path), printed.getvalue())


def _refused(device: Device, error: DeviceError) -> DeviceError | ModelError:
    """The error of the script on a board, in one line: what the trainer refuses is no fault of the board."""
    kind, _, text = (error.traceback or "").strip().rpartition("\n")[2].partition(": ")
    if kind in ("ValueError", "TypeError"):
        return ModelError(text)
    if kind == "MemoryError":
        return ModelError(f"{device.name}: no memory for the network; give smaller --layers")
    return error


def _trained(data: bytes, printed: str) -> Trained:
    return Trained(data, **json.loads(printed.strip().rpartition("\n")[2]))


class _Printed(io.StringIO):
    """What a script prints; whole lines of it are handed on as they come."""

    def __init__(self, on_text: OnText | None) -> None:
        super().__init__()
        self._on_text, self._rest = on_text, ""

    def write(self, text: str) -> int:
        *lines, self._rest = (self._rest + text.replace("\r\n", "\n").replace("\r", "\n")).split("\n")
        for line in lines:
            if self._on_text and line and not line.startswith("{"):
                self._on_text(line)
        return super().write(text)
