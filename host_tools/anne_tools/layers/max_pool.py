"""output = activation(the greatest of what a window sees), channel by channel. Padding never wins."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ..network.layer import Shape
from .pools import Pool
from .prices import Cost


@dataclass
class MaxPool(Pool):
    """`window` says where; on integers relu and relu6 are limits, which is TensorFlow Lite Micro's MAX_POOL_2D."""

    activation: str = "linear"
    alpha: float = 0.0

    ON_CORTEX_M33: ClassVar[dict[str, Cost]] = {
        "max_pool float32": Cost(200, 0, 8, window=60, block_column=20, rest_column=5),
        "max_pool int8": Cost(200, 0, 8, window=60, block_column=16, rest_column=4),
        "max_pool int8 by fours": Cost(200, 0, 8, window=60, block_column=16, rest_column=4),
        "max_pool int16": Cost(200, 0, 8, window=60, block_column=16, rest_column=4),
    }

    def joined(self, x: np.ndarray, made: Shape) -> np.ndarray:
        result = None
        for _, _, tap in self.window.taps(x, made, -np.inf):
            result = tap.copy() if result is None else np.maximum(result, tap, out=result)
        return result
