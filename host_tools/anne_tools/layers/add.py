"""output = activation(a + b), element by element: where two branches of a network meet.

On integers it is TensorFlow Lite Micro's ADD to the bit: both inputs are brought to one scale with more bits behind the
point, added, and rescaled to the output's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from anne import model_file

from ..network import tflm_binary
from .binary import LEAST_JOINED, Binary
from .prices import Cost


@dataclass
class Add(Binary):
    """The sum; fields as in Binary."""

    ON_CORTEX_M33: ClassVar[dict[str, Cost]] = {
        "add float32": Cost(100, 0, 8),
        "add int8": Cost(120, 0, 25, exact=25),
        "add int16": Cost(120, 0, 25),
    }

    def joined(self, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        return a + b

    def finest(self, a: float, b: float, dtype: str) -> float:
        return tflm_binary.finest_sum(a, b, dtype)

    def factors(self, a: float, b: float, output: float, dtype: str) -> list[int]:
        return tflm_binary.add_factors(a, b, output, dtype)

    @classmethod
    def joins(cls, layer: model_file.Layer, row: int, repeated: tuple[bool, bool]) -> bool:
        return row >= LEAST_JOINED
