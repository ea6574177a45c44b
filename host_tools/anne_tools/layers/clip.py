"""output = the input limited to two constants: relus with a maximum, hardtanh, minimum and maximum with a number."""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from ..errors import ModelError
from ..network.layer import IN_PLACE, Layer, Record, Shape, check_same_values
from ..network.tensor import Tensor
from .prices import Cost


@dataclass
class Clip(Layer):
    """`least` and `most` may be infinite. Of integers they are the nearest that stand for values."""

    least: float
    most: float

    place: ClassVar[str] = IN_PLACE
    keeps_values: ClassVar[bool] = True
    ON_CORTEX_M33: ClassVar[dict[str, Cost]] = {
        "clip float32": Cost(60, 0, 12),
        "clip int8": Cost(60, 0, 8),
        "clip int16": Cost(60, 0, 8),
    }

    def output_shapes(self, shapes: list[Shape], declared: list[Shape], where: str) -> list[Shape]:
        if not self.least <= self.most:
            raise ModelError(
                f"{where}: expected a least and a greatest value, got {self.least} and {self.most}"
            )
        return shapes

    def run(self, x: list[np.ndarray], sources: list[Tensor], targets: list[Tensor]) -> list[np.ndarray]:
        return [np.clip(x[0], self.least, self.most)]

    def record(self, sources: list[Tensor], targets: list[Tensor]) -> Record:
        (source,), (target,) = sources, targets
        check_same_values(self, source, target)
        limits = (self.least, self.most)
        if source.dtype == "float32":
            with np.errstate(over="ignore"):
                rounded = [float(np.float32(limit)) for limit in limits]  # beyond float32 there is no limit
            return Record("clip", parameters=list(struct.unpack("<2i", struct.pack("<2f", *rounded))))
        return Record("clip", parameters=[_integer(limit, source) for limit in limits])

    @classmethod
    def timed(cls, builder: Any, inputs: list[Tensor]) -> None:
        builder.add(cls, "timed", -1.0, 1.0, inputs=inputs)


def _integer(limit: float, tensor: Tensor) -> int:
    """The integer of `tensor` nearest to the limit, halves away from zero, as TensorFlow Lite has them."""
    info = np.iinfo(tensor.dtype)
    with np.errstate(over="ignore"):
        steps = float(np.float32(limit) / np.float32(tensor.quantization.scale[0]))
    if not math.isfinite(steps):
        return info.max if steps > 0 else info.min
    nearest = int(math.copysign(math.floor(abs(steps) + 0.5), steps)) + tensor.quantization.zero_point
    return min(max(nearest, info.min), info.max)
