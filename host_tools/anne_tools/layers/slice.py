"""output = input[begin + i step], i = 0 to size - 1, along each axis; backwards, too. A split is several of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from anne import model_file

from ..errors import ModelError
from ..network.layer import Layer, Record, Shape, check_same_values
from ..network.tensor import Tensor
from .copies import ON_CORTEX_M33, item_bytes, moved
from .prices import Cost
from .views import row_steps


@dataclass
class Slice(Layer):
    """`size` elements of each axis: at begin, begin + step, begin + 2 step ...; of axes without the batch."""

    begin: tuple[int, ...]
    size: tuple[int, ...]
    step: tuple[int, ...]

    keeps_values: ClassVar[bool] = True
    ON_CORTEX_M33: ClassVar[dict[str, Cost]] = {
        f"slice {dtype}": ON_CORTEX_M33 for dtype in ("float32", "int8", "int16")
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
    def counts(cls, layer: model_file.Layer) -> dict[str, Any]:
        x, y = layer.inputs[0], layer.outputs[0]
        steps = layer.parameters[len(x.shape) : 2 * len(x.shape)]
        return moved(y.shape, [a * b for a, b in zip(steps, row_steps(x.shape), strict=True)], item_bytes(x))

    @classmethod
    def timed(cls, builder: Any, inputs: list[Tensor]) -> None:
        """Every other element; all but the last column, row by row; rows as they stand."""
        n = inputs[0].size
        builder.add(cls, "timed", (0,), ((n + 1) // 2,), (2,), inputs=inputs)
        columns = 4 if n >= 16 else 1
        builder.reshape("rows", (-1, columns), at=inputs[0])
        rows = n // columns
        builder.add(cls, "timed columns", (0, 0), (rows, max(1, columns - 1)), (1, 1))
        builder.add(cls, "timed rows", (0, 0), (max(1, rows - 1), builder.last.shape[1]), (1, 1))
