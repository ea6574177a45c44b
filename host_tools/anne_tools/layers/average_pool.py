"""output = activation(the mean of what a window sees), channel by channel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from anne import model_file

from ..errors import ModelError
from ..network.layer import Record, Shape
from ..network.tensor import Tensor
from .pools import Pool
from .prices import Cost

MAX_TAPS = 1 << 15


@dataclass
class AveragePool(Pool):
    """What lies outside the image counts not at all, as in TensorFlow, or as zeros: `count_padding`, PyTorch's default.

    `counted` are the rows below and the columns to the right that count then, if those are fewer than window.after, as
    where the output's size is rounded up. On integers relu and relu6 are limits, and without padding that counts this
    is TensorFlow Lite Micro's AVERAGE_POOL_2D to the bit.
    """

    count_padding: bool = False
    activation: str = "linear"
    alpha: float = 0.0
    counted: tuple[int, int] | None = None

    ON_CORTEX_M33: ClassVar[dict[str, Cost]] = {
        "average_pool float32": Cost(250, 0, 15, window=80, block_column=32, rest_column=8),
        "average_pool int8": Cost(250, 0, 15, window=80, block_column=12, rest_column=3),
        "average_pool int8 by fours": Cost(250, 0, 15, window=80, block_column=12, rest_column=3),
        "average_pool int16": Cost(250, 0, 15, window=80, block_column=12, rest_column=3),
    }

    def output_shapes(self, shapes: list[Shape], declared: list[Shape], where: str) -> list[Shape]:
        made = super().output_shapes(shapes, declared, where)
        n_taps = self.window.kernel[0] * self.window.kernel[1]
        if n_taps > MAX_TAPS:
            raise ModelError(f"{where}: expected at most {MAX_TAPS} elements in a window, got {n_taps}")
        if min(self.counted or (0, 0)) < 0:
            raise ModelError(f"{where}: expected padding from 0 on, got {self.counted}")
        return made

    @classmethod
    def alone(cls, layer: model_file.Layer) -> bool:
        return layer.inputs[0].dtype == "float32"

    def joined(self, x: np.ndarray, made: Shape) -> np.ndarray:
        total = sum(tap for _, _, tap in self.window.taps(x, made))
        return total / self._how_many(x.shape[1:], total.shape[1:3]).astype(x.dtype)

    def _how_many(self, shape: Shape, made: Shape) -> np.ndarray:
        """Return how many taps count at each row and column of the output: (rows, columns, 1)."""
        numbers, size = [], shape[:2] if len(shape) == 3 else (1, shape[0])
        for k in range(2):
            begins = np.arange(made[k]) * self.window.stride[k] - self.window.before[k]
            taps = begins[:, None] + np.arange(self.window.kernel[k]) * self.window.dilation[k]
            counts = (
                taps < size[k] + self._behind[k] if self.count_padding else (taps >= 0) & (taps < size[k])
            )
            numbers.append(counts.sum(axis=1))
        return np.multiply.outer(*numbers)[..., None]

    @property
    def _behind(self) -> tuple[int, int]:
        return self.window.after if self.counted is None else self.counted

    def record(self, sources: list[Tensor], targets: list[Tensor]) -> Record:
        result = super().record(sources, targets)
        # no tap is further behind than the last of a window that begins in the last pixel
        reach = [(k - 1) * d for k, d in zip(self.window.kernel, self.window.dilation, strict=True)]
        behind = [
            min(b, r, MAX_TAPS) if self.count_padding else 0 for b, r in zip(self._behind, reach, strict=True)
        ]
        result.parameters += [int(self.count_padding), *behind]
        return result
