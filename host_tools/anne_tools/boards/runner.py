"""Runs a model file on a Pico, or wherever the user says.

All take and give arrays of samples. What comes out are the integers (or floats) as they stand in the model's output, as
`cores.local` gives them, too.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from ..cores.files import open_model
from ..cores.local import HOST, REFERENCE, run_local
from ..cores.numbers import from_source_type
from ..data.samples import as_samples
from ..errors import DeviceError
from .board_files import MARK, script, temporary_file
from .device import Device
from .open_device import open_device

Progress = Callable[[int, int], None]

# Inputs that are put onto the board at once, in bytes, and emulated or real seconds that one sample may take.
_BATCH_BYTES = 256 * 1024
_SAMPLE_TIMEOUT_S = 20.0


def run_device(device: Device, data: bytes, x: np.ndarray, progress: Progress | None = None) -> np.ndarray:
    """Return the raw outputs for samples x, computed by `anne.load(...).predict_into` on a Pico.

    Floats are rounded to an integer input there. The model file is put into the board's storage and removed afterwards.
    DeviceError if the board refuses the model or has no room for it.
    """
    device.require_anne()
    file = open_model(data)
    source, target = file.inputs[0], file.outputs[0]
    x = as_samples(x, source.shape, "x")
    raw = source.dtype != "float32" and x.dtype.name == source.dtype
    x = np.ascontiguousarray(x, source.dtype if raw else "<f4").reshape(len(x), source.size)
    results: list[bytes] = []
    per_batch = max(1, _BATCH_BYTES // (x.itemsize * source.size))
    with temporary_file(device, data, "model") as model_path:
        for start in range(0, len(x), per_batch):
            batch = x[start : start + per_batch]
            with temporary_file(device, MARK + batch.tobytes(), "inputs") as inputs_path:
                names = {
                    "model_path": model_path,
                    "inputs_path": inputs_path,
                    "first": len(MARK),
                    "n_samples": len(batch),
                    "x_code": source.letter if raw else "f",
                    "y_code": target.letter,
                    "x_size": source.size,
                    "y_size": target.size,
                }
                results += _run_batch(device, names, len(x), len(results), progress)
    return np.frombuffer(b"".join(results), np.dtype(target.dtype).newbyteorder("<")).reshape(
        len(x), *target.shape
    )


def _run_batch(
    device: Device, names: dict, n_total: int, n_before: int, progress: Progress | None
) -> list[bytes]:
    done = n_before

    def count(text: str) -> None:
        nonlocal done
        done += text.count("\n")
        if progress is not None:
            progress(done, n_total)

    timeout_s = 30 + _SAMPLE_TIMEOUT_S * names["n_samples"]
    lines = device.exec(script("run_model.py", **names), timeout_s, on_output=count).split()
    if len(lines) != names["n_samples"]:
        raise DeviceError(f"{device.name}: expected {names['n_samples']} outputs, got {len(lines)}")
    return [bytes.fromhex(line) for line in lines]


def run(
    data: bytes, x: np.ndarray, where: str, progress: Progress | None = None, **board: Path | None
) -> np.ndarray:
    """Return the raw outputs for samples x: `where` is "host", "reference", "emulator" or a port.

    x are real numbers, or integers of the model's or of its source's input type; `board` are options of `open_device`.
    """
    x = from_source_type(x, open_model(data))
    if where in (HOST, REFERENCE):
        return run_local(data, x, where)
    with open_device(where, **board) as device:
        return run_device(device, data, x, progress)
