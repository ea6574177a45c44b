"""A value between layers: its shape, its type, and what its integers stand for."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from anne.model_file import DTYPES

_ITEM_BYTES = {name: size for name, size, *_ in DTYPES.values()}


@dataclass(frozen=True)
class Quantization:
    """real = scale * (integer - zero_point); `scale` holds one value, or one a row of weights."""

    scale: np.ndarray
    zero_point: int = 0

    def __post_init__(self):
        object.__setattr__(self, "scale", np.atleast_1d(np.asarray(self.scale, np.float64)))


@dataclass(frozen=True)
class Tensor:
    """A value that flows between layers: `shape` without the batch axis; dtype float32, int8 or int16."""

    name: str
    shape: tuple[int, ...]
    dtype: str = "float32"
    quantization: Quantization | None = None

    @property
    def size(self) -> int:
        """Number of elements."""
        return math.prod(self.shape)

    @property
    def nbytes(self) -> int:
        """Bytes of its values in the arena."""
        return self.size * _ITEM_BYTES[self.dtype]

    @property
    def is_float(self) -> bool:
        """Whether it is plain float32."""
        return self.dtype == "float32" and self.quantization is None

    def means_the_same(self, other: Tensor) -> bool:
        """Whether equal numbers in both mean equal values."""
        mine, theirs = self.quantization, other.quantization
        if mine is None or theirs is None:
            return self.dtype == other.dtype and mine is theirs
        same_scale = np.array_equal(mine.scale, theirs.scale)
        return self.dtype == other.dtype and same_scale and mine.zero_point == theirs.zero_point

    def with_range(self, dtype: str, span: tuple[float, float]) -> Tensor:
        """Return it with integers of `dtype` for values from the least to the greatest of `span`."""
        return replace(self, dtype=dtype, quantization=value_quantization(*span, dtype))


def _step(scale: float) -> np.float32:
    """Return the scale as a file may have it, at least 2^-125; smaller values count as 0, which 1 is good for."""
    return np.float32(scale if scale >= 2.0**-125 else 1.0)


def value_quantization(least: float, most: float, dtype: str) -> Quantization:
    """Return scale and zero point for values from `least` to `most`: both, and 0, are representable."""
    least, most = min(least, 0.0), max(most, 0.0)
    if dtype == "int16":
        return Quantization(_step(max(-least, most) / 32767))
    scale = _step((most - least) / 255)
    zero_point = int(np.clip(round(-128 - least / float(scale)), -128, 127))
    return Quantization(scale, zero_point)
