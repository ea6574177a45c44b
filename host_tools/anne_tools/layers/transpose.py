"""output = the input with its axes in another order."""

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
class Transpose(Layer):
    """`order` has, for each axis of the output, the axis of the input that it is, without the batch."""

    order: tuple[int, ...]

    keeps_values: ClassVar[bool] = True
    ON_CORTEX_M33: ClassVar[dict[str, Cost]] = {
        f"transpose {dtype}": ON_CORTEX_M33 for dtype in ("float32", "int8", "int16")
    }

    def output_shapes(self, shapes: list[Shape], declared: list[Shape], where: str) -> list[Shape]:
        (shape,) = shapes
        if sorted(self.order) != list(range(len(shape))):
            raise ModelError(f"{where}: expected each of {len(shape)} axes once, got {tuple(self.order)}")
        return [tuple(shape[axis] for axis in self.order)]

    def run(self, x: list[np.ndarray], sources: list[Tensor], targets: list[Tensor]) -> list[np.ndarray]:
        return [x[0].transpose(0, *(axis + 1 for axis in self.order))]

    def record(self, sources: list[Tensor], targets: list[Tensor]) -> Record:
        check_same_values(self, sources[0], targets[0])
        return Record("transpose", parameters=list(self.order))

    @classmethod
    def counts(cls, layer: model_file.Layer) -> dict[str, Any]:
        x, steps = layer.inputs[0], row_steps(layer.inputs[0].shape)
        return moved(layer.outputs[0].shape, [steps[axis] for axis in layer.parameters], item_bytes(x))

    @classmethod
    def timed(cls, builder: Any, inputs: list[Tensor]) -> None:
        """Rows of two become columns, and blocks change places."""
        n = inputs[0].size
        columns = 2 if n % 2 == 0 else 1
        builder.reshape("timed_pairs", (n // columns, columns), at=inputs[0])
        builder.add(cls, "timed", (1, 0))
        if n >= 16:
            builder.reshape("timed_blocks", (2, n // 8, 4))
            builder.add(cls, "timed blocks", (1, 0, 2))
            builder.add(cls, "timed turned", (2, 1, 0))
