"""output = the inputs one behind the other along an axis: where branches of a network meet and keep all they have.

On integers all inputs have the output's scale and zero point, so nothing is computed; conversion/scales.py sees to it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from ..errors import ModelError
from ..network.layer import Layer, Record, Shape
from ..network.tensor import Tensor
from .prices import Cost


@dataclass
class Concatenate(Layer):
    """`axis` counts without the batch, from 0; from the last backwards if negative."""

    axis: int

    n_inputs: ClassVar[int | None] = None
    one_scale: ClassVar[bool] = True
    ON_CORTEX_M33: ClassVar[dict[str, Cost]] = {
        "concatenate float32": Cost(80, 0, 3),
        "concatenate int8": Cost(80, 0, 2),
        "concatenate int16": Cost(80, 0, 2),
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
    def timed(cls, builder: Any, inputs: list[Tensor]) -> None:
        builder.add(cls, "timed", 0, inputs=[*inputs, *inputs])
