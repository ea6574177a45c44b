"""What a model file says of itself: CRC, names of layers, the work of a prediction, golden samples."""

from __future__ import annotations

import struct

import numpy as np
from anne.model_file import ModelFile

from ..errors import ModelError
from .packed import raw_of_bytes


def open_model(data: bytes) -> ModelFile:
    """Return the checked model file; ModelError in the loader's words if it is not whole."""
    try:
        return ModelFile(data)
    except ValueError as error:
        raise ModelError(str(error)) from None


def stored_crc(data: bytes) -> int:
    """Return the CRC-32 in a model file's header (FORMAT.md): the one number that every command calls its CRC."""
    return struct.unpack_from("<I", data, 12)[0]


def size_and_crc(file_bytes: int, crc32: int) -> str:
    """Return the words by which `anne inspect` and `anne deploy` tell which file it is."""
    return f"{file_bytes} bytes, CRC-32 {crc32:08x}"


def layer_names(file: ModelFile) -> list[str]:
    """Return the layers' names from the file, or "layer 0" and so on."""
    names = file.lines("layer_names")
    return names if len(names) == len(file.layers) else [f"layer {i}" for i in range(len(file.layers))]


def work(file: ModelFile) -> int:
    """Return the steps of one prediction: multiplications, and elements that layers write. At least 1."""
    return sum(layer.macs + sum(tensor.size for tensor in layer.outputs) for layer in file.layers) or 1


def golden_samples(file: ModelFile) -> tuple[np.ndarray, np.ndarray]:
    """Return the file's golden inputs and outputs, raw (packed.py). ModelError if it has none."""
    if "golden_inputs" not in file.metadata:
        raise ModelError("the file has no golden samples; give some with --input x.npy")
    inputs, outputs = (bytes(file.metadata[name]) for name in ("golden_inputs", "golden_outputs"))
    return raw_of_bytes(inputs, file.inputs), raw_of_bytes(outputs, file.outputs)
