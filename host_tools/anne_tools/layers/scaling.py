"""output = input * scale + offset along the last axis; with an integer output, rounded to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ..errors import ModelError
from ..network.layer import Integers, Layer, Record, Shape, check_finite, float32
from ..network.tensor import Tensor
from .prices import Cost


@dataclass
class Scaling(Layer):
    """Scalers, Normalization, Rescaling and BatchNormalization (with its moving statistics) all become this.

    `scale` and `offset` hold one number, or one for each element of the last axis.
    """

    scale: np.ndarray
    offset: np.ndarray

    takes_floats: ClassVar[bool] = True
    ON_CORTEX_M33: ClassVar[dict[str, Cost]] = {
        "scaling float32": Cost(60, 0, 15),
        "scaling int8": Cost(60, 0, 40),
        "scaling int16": Cost(60, 0, 40),
    }

    def output_shapes(self, shapes: list[Shape], declared: list[Shape], where: str) -> list[Shape]:
        last = shapes[0][-1:]
        for what, array in (("scale", self.scale), ("offset", self.offset)):
            if array.shape not in ((), (1,), last):
                raise ModelError(f"{where}: expected {last[0]} values of {what}, got shape {array.shape}")
            check_finite(array, where, what)
        return shapes

    def run(self, x: list[np.ndarray], sources: list[Tensor], targets: list[Tensor]) -> list[np.ndarray]:
        return [x[0] * self.scale.astype(x[0].dtype) + self.offset.astype(x[0].dtype)]

    def expected(self, x: np.ndarray) -> np.ndarray:
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(self.scale != 0, (x - self.offset) / self.scale, 0.0)

    def quantized(
        self, sources: list[Tensor], targets: list[Tensor], into: Integers
    ) -> tuple[Layer, list[Tensor]]:
        if sources[0].dtype != "float32":
            raise ModelError(f"{self.name}: a scaling between integer layers is not supported")
        return super().quantized(sources, targets, into)

    def record(self, sources: list[Tensor], targets: list[Tensor]) -> Record:
        (source,), (target,) = sources, targets
        n = source.shape[-1]
        scale, offset = np.broadcast_to(self.scale, n), np.broadcast_to(self.offset, n)
        if target.dtype != "float32":
            # the output's integers directly: x scale / s + offset / s, rounded; the zero point is added after rounding
            step = target.quantization.scale[0]
            scale, offset = scale / step, offset / step
        for values in (scale, offset):
            float32(f"layer {self.name}: scaling", np.abs(values).max())
        return Record(
            "scaling", constants=[np.asarray(values, "<f4").tobytes() for values in (scale, offset)]
        )
