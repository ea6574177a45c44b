"""Runs a model file on a Pico, or wherever the user says.

All take and give arrays of samples. What comes out are integers (or floats) as they stand in the model's outputs, as
`cores.local` gives them, too.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from ..cores.files import open_model
from ..cores.local import HOST, REFERENCE, run_local
from ..cores.packed import given_inputs, raw_of_bytes
from ..errors import DeviceError
from .board_files import MARK, loadable_file, script, temporary_file
from .device import Device
from .open_device import open_device

Progress = Callable[[int, int], None]

# Inputs that are put onto the board at once, in bytes, and emulated or real seconds that one sample may take.
_BATCH_BYTES = 256 * 1024
_SAMPLE_TIMEOUT_S = 20.0


def run_device(device: Device, data: bytes, x: np.ndarray, progress: Progress | None = None) -> np.ndarray:
    """Return the raw outputs for samples x, computed by `anne.load(...).predict_into` on a Pico.

    Floats are rounded to an integer input there. The model file is put onto the board (loadable_file) and removed
    afterwards. DeviceError if the board refuses the model, ModelError if it has no room for it.
    """
    device.require_anne()
    file = open_model(data)
    given = given_inputs(x, file)
    # integers of the only input's own type are sent as such, all else as floats
    first = file.inputs[0]
    own = len(file.inputs) == 1 and first.dtype != "float32" and given.dtype.name == first.dtype
    x = np.ascontiguousarray(given, first.dtype if own else "<f4").reshape(len(given), -1)
    results: list[bytes] = []
    per_batch = max(1, _BATCH_BYTES // x[0].nbytes)
    with loadable_file(device, data) as (model_path, copy):
        for start in range(0, len(x), per_batch):
            batch = x[start : start + per_batch]
            with temporary_file(device, MARK + batch.tobytes(), "inputs") as inputs_path:
                names = {
                    "model_path": model_path,
                    "copy": copy,
                    "inputs_path": inputs_path,
                    "first": len(MARK),
                    "n_samples": len(batch),
                    "inputs": [(first.letter if own else "f", tensor.size) for tensor in file.inputs],
                    "outputs": [(tensor.letter, tensor.size) for tensor in file.outputs],
                }
                results += _run_batch(device, names, len(x), len(results), progress)
    return raw_of_bytes(b"".join(results), file.outputs)


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

    x are real numbers, or integers of the model's or of its source's input type, of several inputs a mapping or a list;
    `board` are options of `open_device`.
    """
    x = given_inputs(x, open_model(data))
    if where in (HOST, REFERENCE):
        return run_local(data, x, where)
    with open_device(where, **board) as device:
        return run_device(device, data, x, progress)
