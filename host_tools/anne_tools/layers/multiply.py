"""output = activation(a b), element by element: gates, and squeeze-and-excite, whose b has one element a channel.

On integers it is TensorFlow Lite Micro's MUL to the bit.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from anne import model_file

from ..network import tflm_binary
from .binary import LEAST_JOINED, Binary
from .prices import Cost

# Shifts for which a product has the quick way, as in native_module/kernels/multiply.c.
LEAST_SHIFT, MOST_SHIFT = -20, -3


@dataclass
class Multiply(Binary):
    """The product; fields as in Binary."""

    ON_CORTEX_M33: ClassVar[dict[str, Cost]] = {
        "multiply float32": Cost(100, 0, 8),
        "multiply int8": Cost(120, 0, 15, exact=15),
        "multiply int16": Cost(120, 0, 15),
    }

    def joined(self, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        return a * b

    def finest(self, a: float, b: float, dtype: str) -> float:
        return tflm_binary.finest_product(a, b, dtype)

    def factors(self, a: float, b: float, output: float, dtype: str) -> list[int]:
        return tflm_binary.multiply_factor(a, b, output, dtype)

    @classmethod
    def joins(cls, layer: model_file.Layer, row: int, repeated: tuple[bool, bool]) -> bool:
        return row >= LEAST_JOINED and not any(repeated) and LEAST_SHIFT <= layer.parameters[1] <= MOST_SHIFT
