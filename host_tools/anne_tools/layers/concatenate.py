"""output = the inputs one behind the other along an axis: where branches of a network meet and keep all they have.

On integers all inputs have the output's scale and zero point, so nothing is computed; conversion/scales.py sees to it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from anne import model_file

from ..errors import ModelError
from ..network.layer import Layer, Record, Shape
from ..network.tensor import Tensor
from .copies import ON_CORTEX_M33, copied, item_bytes, summed
from .prices import Cost


@dataclass
class Concatenate(Layer):
    """`axis` counts without the batch, from 0; from the last backwards if negative."""

    axis: int

    n_inputs: ClassVar[int | None] = None
    one_scale: ClassVar[bool] = True
    ON_CORTEX_M33: ClassVar[dict[str, Cost]] = {
        f"concatenate {dtype}": ON_CORTEX_M33 for dtype in ("float32", "int8", "int16")
    }

    def output_shapes(self, shapes: list[Shape], declared: list[Shape], where: str) -> list[Shape]:
        first = tuple(shapes[0])
        if not -len(first) <= self.axis < len(first):
            raise ModelError(f"{where}: expected an axis of its {len(first)}, got {self.axis}")
        axis = self.axis % len(first)
        for shape in shapes:
            if len(shape) != len(first) or any(
                a != b for i, (a, b) in enumerate(zip(shape, first, strict=True)) if i != axis
            ):
                raise ModelError(
                    f"{where}: expected inputs of one shape but along axis {axis}, got {first} and {tuple(shape)}"
                )
        return [(*first[:axis], sum(shape[axis] for shape in shapes), *first[axis + 1 :])]

    def run(self, x: list[np.ndarray], sources: list[Tensor], targets: list[Tensor]) -> list[np.ndarray]:
        return [np.concatenate(x, axis=1 + self._axis(targets[0]))]

    def _axis(self, target: Tensor) -> int:
        return self.axis % len(target.shape)

    def record(self, sources: list[Tensor], targets: list[Tensor]) -> Record:
        if not all(source.means_the_same(targets[0]) for source in sources):
            raise ModelError(f"{self.name}: expected inputs with the scale and zero point of the output")
        if len(sources) > 255:
            raise ModelError(f"{self.title}: expected at most 255 inputs, got {len(sources)}")
        return Record("concatenate", parameters=[self._axis(targets[0])])

    @classmethod
    def counts(cls, layer: model_file.Layer) -> dict[str, Any]:
        rows, y = math.prod(layer.outputs[0].shape[: layer.parameters[0]]), layer.outputs[0]
        parts, at = [{"window": len(layer.inputs)}], 0
        for x in layer.inputs:
            row_bytes = x.size * item_bytes(x) // rows
            parts.append(copied(row_bytes, rows, at, y.size * item_bytes(y) // rows - row_bytes))
            at += row_bytes
        return summed(*parts)

    @classmethod
    def timed(cls, builder: Any, inputs: list[Tensor]) -> None:
        builder.add(cls, "timed", 0, inputs=[*inputs, *inputs])
        half = builder.reshape("rows", (-1, 2))
        builder.add(cls, "timed columns", 1, inputs=[half, half, half])
