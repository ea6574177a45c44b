"""Real numbers as the integers of a tensor, and back, as the device rounds them."""

from __future__ import annotations

import numpy as np
from anne.model_file import ModelFile

from ..network.graph import INPUT_TYPE, OUTPUT_TYPE


def from_source_type(x: np.ndarray, file: ModelFile) -> np.ndarray:
    """Return samples for a model file: uint8 as int8 that are 128 less if its source takes uint8, all else as it is."""
    if x.dtype != np.uint8 or f"{INPUT_TYPE}: uint8" not in file.lines("provenance"):
        return x
    return flip_sign(x)


def to_source_type(raw: np.ndarray, file: ModelFile) -> np.ndarray:
    """Return a model file's raw outputs: int8 as uint8 that are 128 more if its source gives uint8."""
    if raw.dtype != np.int8 or f"{OUTPUT_TYPE}: uint8" not in file.lines("provenance"):
        return raw
    return flip_sign(raw)


def real_samples(x: np.ndarray, dtype: str, scale: float, zero_point: int, takes_uint8: bool) -> np.ndarray:
    """Return samples as real numbers: integers of the input's type `dtype` (or its source's) as what they stand for."""
    x = np.asarray(x)
    if takes_uint8 and x.dtype == np.uint8:
        x = flip_sign(x)
    if dtype == "float32" or x.dtype.name != dtype:
        return x
    return ((x.astype(np.int32) - zero_point).astype(np.float32) * np.float32(scale)).astype(np.float64)


def flip_sign(integers: np.ndarray) -> np.ndarray:
    """Return uint8 as int8 that are 128 less, or int8 as uint8 that are 128 more."""
    return (integers.view(np.uint8) ^ 0x80).view(np.int8 if integers.dtype == np.uint8 else np.uint8)


def quantize_input(x: np.ndarray, tensor) -> np.ndarray:
    """Return real inputs as the device would round them: x / scale in float32, halves away from zero, limited.

    An integer array of the tensor's own type holds the integers already. NaN becomes the zero point.
    """
    x = np.asarray(x)
    if tensor.dtype == "float32" or x.dtype.name == tensor.dtype:
        return x.astype(tensor.dtype, copy=False)
    with np.errstate(over="ignore", invalid="ignore"):
        steps = np.float32(x) / np.float32(tensor.scale)
        whole = np.trunc(np.clip(steps, -1e5, 1e5))
        rest = np.clip(steps, -1e5, 1e5) - whole
        rounded = whole + (rest >= 0.5) - (rest <= -0.5) + tensor.zero_point
    limited = np.clip(rounded, tensor.least, tensor.greatest)
    return np.where(np.isnan(steps), tensor.zero_point, limited).astype(tensor.dtype)


def dequantize_output(raw: np.ndarray, tensor) -> np.ndarray:
    """Return raw outputs as real numbers, float32, as the device computes them."""
    if tensor.dtype == "float32":
        return raw
    return (raw.astype(np.int32) - tensor.zero_point).astype(np.float32) * np.float32(tensor.scale)
