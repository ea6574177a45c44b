"""What a model file says about itself, with the verdict on a board."""

from __future__ import annotations

import struct
from dataclasses import asdict, dataclass

from anne.model_file import ModelFile

from ..boards.fit import Verdict, fit
from ..cores.files import stored_crc
from ..cores.local import open_core
from ..cores.memory import ArenaUse, arena_use
from ..cores.packed import input_names, output_names
from .report import LayerReport, layer_reports


@dataclass
class Inspection:
    """All that `anne inspect` tells: the file's metadata, its layers, and how it runs on a board."""

    name: str
    file_bytes: int
    crc32: int
    # the first input and output, of most networks the only ones; then all of them
    input: dict
    output: dict
    inputs: list[dict]
    outputs: list[dict]
    labels: list[str]
    feature_names: list[str]
    threshold: float | None
    provenance: dict[str, str]
    golden_samples: int
    arena_bytes: int
    arena: ArenaUse
    layers: list[LayerReport]
    fit: Verdict

    def to_json(self) -> dict:
        """Return the inspection as plain data for JSON."""
        return asdict(self)


def inspect(data: bytes, board: str = "pico") -> Inspection:
    """Return what is in the model file `data`. ModelError as the loader words it if the file is not whole."""
    with open_core(data) as model:
        file, verdict = model.file, fit(data, board)
        threshold = file.metadata.get("threshold")
        return Inspection(
            name=file.text("name", "model"),
            file_bytes=len(data),
            crc32=stored_crc(data),
            input=_tensor(model.input),
            output=_tensor(model.output),
            inputs=_named(input_names(file), model.inputs),
            outputs=_named(output_names(file), model.outputs),
            labels=file.lines("labels"),
            feature_names=file.lines("feature_names"),
            threshold=struct.unpack("<f", threshold)[0] if threshold is not None else None,
            provenance=dict(line.split(": ", 1) for line in file.lines("provenance") if ": " in line),
            golden_samples=_n_golden(file),
            arena_bytes=file.arena_bytes,
            arena=arena_use(file),
            layers=layer_reports(model, verdict),
            fit=verdict,
        )


def _n_golden(file: ModelFile) -> int:
    return len(file.metadata.get("golden_inputs", b"")) // sum(tensor.nbytes for tensor in file.inputs)


def _named(names: list[str], tensors: list) -> list[dict]:
    return [{"name": name, **_tensor(tensor)} for name, tensor in zip(names, tensors, strict=True)]


def _tensor(tensor) -> dict:
    return {
        "shape": list(tensor.shape),
        "dtype": tensor.dtype,
        "scale": tensor.scale,
        "zero_point": tensor.zero_point,
    }
