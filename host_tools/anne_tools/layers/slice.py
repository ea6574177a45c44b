"""output = input[begin + i step], i = 0 to size - 1, along each axis; backwards, too. A split is several of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from ..errors import ModelError
from ..network.layer import Layer, Record, Shape, check_same_values
from ..network.tensor import Tensor
from .prices import Cost


@dataclass
class Slice(Layer):
    """`size` elements of each axis: at begin, begin + step, begin + 2 step ...; of axes without the batch."""

    begin: tuple[int, ...]
    size: tuple[int, ...]
    step: tuple[int, ...]

    keeps_values: ClassVar[bool] = True
    ON_CORTEX_M33: ClassVar[dict[str, Cost]] = {
        "slice float32": Cost(120, 0, 3),
        "slice int8": Cost(120, 0, 2),
        "slice int16": Cost(120, 0, 2),
    }

    def output_shapes(self, shapes: list[Shape], declared: list[Shape], where: str) -> list[Shape]:
        (shape,) = shapes
        if not len(self.begin) == len(self.size) == len(self.step) == len(shape):
            got = f"{len(self.begin)}, {len(self.size)} and {len(self.step)}"
            raise ModelError(f"{where}: expected begin, size and step of {len(shape)} axes, got {got}")
        for n, begin, size, step in zip(shape, self.begin, self.size, self.step, strict=True):
            last = begin + (size - 1) * step
            if size < 1 or step == 0 or not 0 <= begin < n or not 0 <= last < n or abs(step) >= 1 << 31:
                raise ModelError(
                    f"{where}: expected indices of 0 to {n - 1}, got {size} from {begin} on by steps of {step}"
                )
        return [tuple(self.size)]

    def run(self, x: list[np.ndarray], sources: list[Tensor], targets: list[Tensor]) -> list[np.ndarray]:
        y = x[0]
        for axis, (begin, size, step) in enumerate(zip(self.begin, self.size, self.step, strict=True), 1):
            y = np.take(y, begin + step * np.arange(size), axis)
        return [y]

    def record(self, sources: list[Tensor], targets: list[Tensor]) -> Record:
        check_same_values(self, sources[0], targets[0])
        return Record("slice", parameters=[*self.begin, *self.step])

    @classmethod
    def timed(cls, builder: Any, inputs: list[Tensor]) -> None:
        builder.add(cls, "timed", (0,), ((inputs[0].size + 1) // 2,), (2,), inputs=inputs)
