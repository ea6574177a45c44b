"""output = the input, times a slope where it is negative: PReLU (arXiv 1502.01852), mostly with a slope a channel.

On integers it is TensorFlow Lite Micro's PRELU to the bit.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np

from ..network import tflm_binary
from ..network.tensor import Quantization, Tensor
from .binary import TwoOperands
from .prices import Cost


@dataclass
class Prelu(TwoOperands):
    """`slope` has the shape of the input, or 1 or no axis where the input has more; with `slope_quantization` it holds
    integers."""

    slope: np.ndarray
    slope_quantization: Quantization | None = None

    activation: ClassVar[str] = "linear"
    alpha: ClassVar[float] = 0.0
    constant_first: ClassVar[bool] = False
    ON_CORTEX_M33: ClassVar[dict[str, Cost]] = {
        "prelu float32": Cost(100, 0, 8),
        "prelu int8": Cost(120, 0, 20),
        "prelu int16": Cost(120, 0, 20),
    }

    @property
    def constant(self) -> np.ndarray:
        """The slope, as an operand."""
        return np.asarray(self.slope)

    @property
    def constant_quantization(self) -> Quantization | None:
        """What its integers stand for."""
        return self.slope_quantization

    def with_constant(self, constant: np.ndarray, quantization: Quantization) -> Prelu:
        return replace(self, slope=constant, slope_quantization=quantization)

    def joined(self, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        return np.where(a < 0, a * b, a)

    def finest(self, a: float, b: float, dtype: str) -> float:
        return a * max(1.0, b) / (1 << tflm_binary.MAX_SHIFT)

    def factors(self, a: float, b: float, output: float, dtype: str) -> list[int]:
        return tflm_binary.prelu_factors(a, b, output)

    @classmethod
    def timed_constant(cls, builder: Any, constant: np.ndarray) -> None:
        builder.add(cls, "timed constant", constant)

    @classmethod
    def timed(cls, builder: Any, inputs: list[Tensor]) -> None:
        builder.add(cls, "timed", np.full(inputs[0].size, 0.25), inputs=inputs)
        builder.reshape("rows", (-1, 4 if inputs[0].size % 4 == 0 else 1))
        cls.timed_constant(builder, np.linspace(0.5, 1.5, builder.last.shape[1]))
