"""Samples as they stand in the arena, raw, and as real numbers.

Of a model of one input raw samples are an array (n_samples, *shape) of the input's own type. Of several inputs, which
may differ in type, they are bytes, (n_samples, bytes of all inputs), one input after another in the file's order, as
golden samples have them. Real numbers of several inputs are joined (data/samples.py). Outputs likewise.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from anne.model_file import ModelFile

from ..data.samples import as_inputs, joined, parted
from ..network.graph import INPUT_AXES, INPUT_TYPE, default_names, orders_in
from .numbers import dequantize_output, from_source_type, quantize_input, real_samples


def input_names(file: ModelFile) -> list[str]:
    """Return what the inputs are called: by the file's names, or "input", "input 0" and so on."""
    return file.lines("input_names") or default_names("input", len(file.inputs))


def output_names(file: ModelFile) -> list[str]:
    """Return what the outputs are called, likewise."""
    return file.lines("output_names") or default_names("output", len(file.outputs))


def source_axes(file: ModelFile) -> list[tuple[int, ...]]:
    """Return for each input the source's axis that each of its axes is; () where they are the same."""
    told = [
        line.removeprefix(f"{INPUT_AXES}: ")
        for line in file.lines("provenance")
        if line.startswith(f"{INPUT_AXES}: ")
    ]
    return orders_in(told[0] if told else "", len(file.inputs))


def given_inputs(x: Any, file: ModelFile, what: str = "x") -> np.ndarray:
    """Return what a user gives as samples: of one input as it is, (n_samples, *shape), of several real numbers, joined.

    Integers of an input's own type, or its source's, stay what they stand for. ModelError for other names or shapes.
    """
    shapes = [tensor.shape for tensor in file.inputs]
    arrays = as_inputs(x, shapes, input_names(file), what, source_axes(file))
    if len(arrays) == 1:
        return from_source_type(arrays[0], file)
    return joined([_real(array, tensor, file) for array, tensor in zip(arrays, file.inputs, strict=True)])


def real_inputs(x: Any, file: ModelFile, what: str = "x") -> np.ndarray:
    """Return what a user gives as real numbers, of several inputs joined."""
    x = given_inputs(x, file, what)
    return x if len(file.inputs) > 1 else _real(x, file.inputs[0], file)


def _real(array: np.ndarray, tensor: Any, file: ModelFile) -> np.ndarray:
    takes_uint8 = f"{INPUT_TYPE}: uint8" in file.lines("provenance")
    return real_samples(array, tensor.dtype, tensor.scale, tensor.zero_point, takes_uint8)


def raw_inputs(x: np.ndarray, file: ModelFile) -> np.ndarray:
    """Return samples as they stand in the arena, for real numbers (or, of one input, integers of its own type)."""
    parts = parted(x, [tensor.shape for tensor in file.inputs], "inputs")
    return packed([quantize_input(part, tensor) for part, tensor in zip(parts, file.inputs, strict=True)])


def real_outputs(raw: np.ndarray, tensors: Sequence[Any]) -> np.ndarray:
    """Return raw outputs (or inputs) of `tensors` as real numbers, float32, of several joined."""
    return joined(
        [
            dequantize_output(part, tensor)
            for part, tensor in zip(unpacked(raw, tensors), tensors, strict=True)
        ]
    )


def packed(arrays: Sequence[np.ndarray]) -> np.ndarray:
    """Return raw samples of one or several tensors, which are given as arrays (n_samples, *shape) of their types."""
    if len(arrays) == 1:
        return arrays[0]
    return np.concatenate([_as_bytes(array) for array in arrays], axis=1)


def _as_bytes(array: np.ndarray) -> np.ndarray:
    little = np.ascontiguousarray(array, array.dtype.newbyteorder("<"))
    return little.reshape(len(array), -1).view(np.uint8).reshape(len(array), -1)


def unpacked(raw: np.ndarray, tensors: Sequence[Any]) -> list[np.ndarray]:
    """Return raw samples tensor by tensor, (n_samples, *shape) of its type each."""
    if len(tensors) == 1:
        return [raw]
    ends = np.cumsum([tensor.nbytes for tensor in tensors])
    parts = np.split(raw, ends[:-1], axis=1)
    return [
        np.frombuffer(part.tobytes(), np.dtype(tensor.dtype).newbyteorder("<")).reshape(
            len(raw), *tensor.shape
        )
        for part, tensor in zip(parts, tensors, strict=True)
    ]


def raw_of_bytes(content: bytes, tensors: Sequence[Any]) -> np.ndarray:
    """Return the raw samples in bytes that hold one after another."""
    if len(tensors) > 1:
        return np.frombuffer(content, np.uint8).reshape(-1, sum(tensor.nbytes for tensor in tensors))
    values = np.frombuffer(content, np.dtype(tensors[0].dtype).newbyteorder("<"))
    return values.reshape(-1, *tensors[0].shape)
