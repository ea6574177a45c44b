"""output = the input's elements in the same order under another shape: Flatten, Reshape. Nothing is moved."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from anne import model_file

from ..errors import ModelError
from ..network.layer import SAME, Layer, Record, Shape
from ..network.tensor import Tensor
from .prices import Cost


@dataclass
class Reshape(Layer):
    """The shape is the output tensor's."""

    place: ClassVar[str] = SAME
    keeps_values: ClassVar[bool] = True
    ON_CORTEX_M33: ClassVar[dict[str, Cost]] = {"reshape": Cost(20)}

    def output_shapes(self, shapes: list[Shape], declared: list[Shape], where: str) -> list[Shape]:
        if math.prod(shapes[0]) != math.prod(declared[0]):
            raise ModelError(f"{where}: cannot reshape {shapes[0]} to {declared[0]}")
        return declared

    def run(self, x: list[np.ndarray], sources: list[Tensor], targets: list[Tensor]) -> list[np.ndarray]:
        return [x[0].reshape(len(x[0]), *targets[0].shape)]

    def record(self, sources: list[Tensor], targets: list[Tensor]) -> Record:
        return Record("reshape")

    @classmethod
    def timed(cls, builder: Any, inputs: list[Tensor]) -> None:
        builder.reshape("timed", (1, -1))

    @classmethod
    def price_name(cls, layer: model_file.Layer) -> str:
        return "reshape"

    @classmethod
    def counts(cls, layer: model_file.Layer) -> dict[str, Any]:
        return {}
