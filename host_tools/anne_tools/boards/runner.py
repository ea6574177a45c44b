"""Runs a model file wherever it can be run: the C core on this computer, the pure-Python reference, a Pico.

All take and give arrays of samples. What comes out are the integers (or floats) as they stand in the model's output, so
that results can be compared to the bit; `native.dequantize_output` makes real numbers of them.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from anne.model_file import ModelFile
from anne.reference_model import Model as ReferenceModel

from ..conversion.report import NO_CLASS, classes
from ..cores.native import NativeModel, dequantize_output, from_source_type, quantize_input, to_source_type
from ..data.samples import as_samples
from ..errors import DeviceError, ModelError
from .board_files import MARK, script, temporary_file
from .device import Device, open_device

Progress = Callable[[int, int], None]

# Float outputs may differ from the golden ones by this part of the sample's largest (as in `Model.selftest`).
GOLDEN_BOUND = 1e-5

HOST, REFERENCE = "host", "reference"
# Inputs that are put onto the board at once, in bytes, and emulated or real seconds that one sample may take.
_BATCH_BYTES = 256 * 1024
_SAMPLE_TIMEOUT_S = 20.0


def run_local(data: bytes, x: np.ndarray, where: str) -> np.ndarray:
    """Return the raw outputs for samples x on this computer: `where` is "host" or "reference"."""
    with NativeModel(data) as model:
        inputs = quantize_input(as_samples(x, model.input.shape, "x"), model.input)
        return model.run_raw(inputs) if where == HOST else reference_outputs(data, inputs)


def reference_outputs(data: bytes, inputs: np.ndarray) -> np.ndarray:
    """Return the outputs of the pure-Python reference, in the output's type, for inputs in the input's own type.

    ModelError for a network that is too large for it.
    """
    model = ReferenceModel(data)
    output = model.file.outputs[0]
    raw = bytearray(output.nbytes)
    results = []
    for sample in inputs:
        try:
            model.run_raw(sample.tobytes(), raw)
        except ValueError as error:
            raise ModelError(f"reference: {error}") from None
        results.append(np.frombuffer(bytes(raw), output.dtype).reshape(output.shape))
    return np.stack(results)


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


def work(file: ModelFile) -> int:
    """Return the steps of one prediction: multiplications, and elements that layers write. At least 1."""
    return sum(layer.macs + sum(tensor.size for tensor in layer.outputs) for layer in file.layers) or 1


def open_model(data: bytes) -> ModelFile:
    """Return the checked model file; ModelError in the loader's words if it is not whole."""
    try:
        return ModelFile(data)
    except ValueError as error:
        raise ModelError(str(error)) from None


# --- Any of them, and what came out -----------------------------------------------------------------------------------


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


def golden_samples(file: ModelFile) -> tuple[np.ndarray, np.ndarray]:
    """Return the file's golden inputs and outputs, as they stand in the arena. ModelError if it has none."""
    if "golden_inputs" not in file.metadata:
        raise ModelError("the file has no golden samples; give some with --input x.npy")
    arrays = []
    for tensor, name in ((file.inputs[0], "golden_inputs"), (file.outputs[0], "golden_outputs")):
        values = np.frombuffer(bytes(file.metadata[name]), np.dtype(tensor.dtype).newbyteorder("<"))
        arrays.append(values.reshape(-1, *tensor.shape))
    return arrays[0], arrays[1]


@dataclass
class Result:
    """Outputs of a run: `values` as asked for, the classes they stand for if any, whether golden ones were met."""

    values: np.ndarray
    classes: list[str | None]
    golden: bool
    problem: str

    def to_json(self) -> dict:
        """Return all but the values as plain data for JSON."""
        return {"classes": self.classes, "golden": self.golden, "problem": self.problem}


def result(file: ModelFile, outputs: np.ndarray, expected: np.ndarray | None, raw: bool) -> Result:
    """Return what a run gave: real numbers, or with `raw` integers of its source's type or the model's own; `expected`
    are golden outputs, if known."""
    real = dequantize_output(outputs, file.outputs[0])
    problem = ""
    if expected is not None:
        worst = max(difference(e, g) for e, g in zip(expected, outputs, strict=True))
        if not worst <= (GOLDEN_BOUND if outputs.dtype.kind == "f" else 0):
            problem = f"golden outputs are missed by {worst:.3g}"
    return Result(
        to_source_type(outputs, file) if raw else real,
        class_names(file, real),
        expected is not None and not problem,
        problem,
    )


def class_names(file: ModelFile, real: np.ndarray) -> list[str | None]:
    """Return the label of each sample's class as `Model.classify` finds it, None where it finds none (an output is
    NaN); [] for a file without labels."""
    labels = file.lines("labels")
    if not labels:
        return []
    threshold = struct.unpack("<f", file.metadata["threshold"])[0] if "threshold" in file.metadata else None
    indices = classes(real.reshape(len(real), -1), threshold)
    return [None if i == NO_CLASS else labels[i] if i < len(labels) else str(i) for i in indices]


def difference(expected: np.ndarray, got: np.ndarray) -> float:
    """Return the largest difference: of integers in steps, of floats relative to the largest finite one expected.

    Infinite if a NaN or an infinity stands where another value was expected, or the other way round.
    """
    if expected.dtype.kind != "f":
        return float(np.abs(expected.astype(np.float64) - got).max())
    finite = np.isfinite(expected)
    same = np.array_equal(expected[~finite], got[~finite], equal_nan=True)
    if not same or not np.isfinite(got[finite]).all():
        return np.inf
    expected, got = expected[finite].astype(np.float64), got[finite]
    if not expected.size:
        return 0.0
    return float(np.abs(expected - got).max()) / (float(np.abs(expected).max()) or 1.0)
