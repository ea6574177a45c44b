"""What a model file says of itself: CRC, names of layers, the work of a prediction, golden samples."""

from __future__ import annotations

import struct

import numpy as np
from anne.model_file import ModelFile

from ..errors import ModelError


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
    """Return the file's golden inputs and outputs, as they stand in the arena. ModelError if it has none."""
    if "golden_inputs" not in file.metadata:
        raise ModelError("the file has no golden samples; give some with --input x.npy")
    arrays = []
    for tensor, name in ((file.inputs[0], "golden_inputs"), (file.outputs[0], "golden_outputs")):
        values = np.frombuffer(bytes(file.metadata[name]), np.dtype(tensor.dtype).newbyteorder("<"))
        arrays.append(values.reshape(-1, *tensor.shape))
    return arrays[0], arrays[1]
