"""The same elements in the same order under another shape: Flatten, Reshape. Nothing is moved."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
from anne import model_file

from ..errors import ModelError
from ..network.layer import SAME, Layer, Record, Shape
from ..network.tensor import Tensor


@dataclass
class Reshape(Layer):
    """The shape is the output tensor's."""

    place: ClassVar[str] = SAME

    def output_shapes(self, shapes: list[Shape], declared: list[Shape], where: str) -> list[Shape]:
        if math.prod(shapes[0]) != math.prod(declared[0]):
            raise ModelError(f"{where}: cannot reshape {shapes[0]} to {declared[0]}")
        return declared

    def run(self, x: list[np.ndarray], sources: list[Tensor], targets: list[Tensor]) -> list[np.ndarray]:
        return [x[0].reshape(len(x[0]), *targets[0].shape)]

    def quantized(
        self,
        sources: list[Tensor],
        targets: list[Tensor],
        spans: Sequence[tuple[float, float]],
        dtype: str,
        most_weight: int,
    ) -> tuple[Layer, list[Tensor]]:
        source = sources[0]
        return self, [replace(targets[0], dtype=source.dtype, quantization=source.quantization)]

    def record(self, sources: list[Tensor], targets: list[Tensor]) -> Record:
        return Record("reshape")

    @classmethod
    def price_name(cls, layer: model_file.Layer) -> str:
        return "reshape"
