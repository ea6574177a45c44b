"""output = activation(a + b), element by element: where two branches of a network meet.

On integers it is TensorFlow Lite Micro's ADD to the bit: both inputs are brought to one scale with more bits behind the
point, added, and rescaled to the output's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
from anne import model_file

from ..errors import ModelError
from ..network import tflm
from ..network.activations import activate, check_activation
from ..network.layer import IN_PLACE, Layer, Record, Shape
from ..network.tensor import Quantization, Tensor
from . import tables
from .activated import alpha_in_file
from .prices import Chip, Cost


@dataclass
class Add(Layer):
    """Two inputs and an output, all of one shape. `alpha` as in Activation."""

    activation: str = "linear"
    alpha: float = 0.0

    n_inputs: ClassVar[int | None] = 2
    place: ClassVar[str] = IN_PLACE
    ON_CORTEX_M33: ClassVar[dict[str, Cost]] = {
        "add float32": Cost(60, 0, 8),
        "add int8": Cost(80, 0, 25),
        "add int16": Cost(80, 0, 25),
    }

    def output_shapes(self, shapes: list[Shape], declared: list[Shape], where: str) -> list[Shape]:
        if tuple(shapes[0]) != tuple(shapes[1]):
            raise ModelError(f"{where}: expected two inputs of one shape, got {shapes[0]} and {shapes[1]}")
        check_activation(self.activation, self.alpha, where)
        return shapes[:1]

    def run(self, x: list[np.ndarray], sources: list[Tensor], targets: list[Tensor]) -> list[np.ndarray]:
        return [activate(self.activation, x[0] + x[1], self.alpha)]

    def quantized(
        self,
        sources: list[Tensor],
        targets: list[Tensor],
        spans: Sequence[tuple[float, float]],
        dtype: str,
        most_weight: int,
    ) -> tuple[Layer, list[Tensor]]:
        """As any layer, but with an output no finer than the kernel can have it: where sums cancel to so little, it is
        the rounding of the inputs."""
        layer, (target,) = super().quantized(sources, targets, spans, dtype, most_weight)
        a, b = (float(source.quantization.scale[0]) for source in sources)
        finest = tflm.finest_sum(a, b, dtype) * (1 + 2.0**-20)  # above it as float32, too
        if target.quantization.scale[0] < finest:
            coarser = Quantization(np.float32(finest), target.quantization.zero_point)
            target = replace(target, quantization=coarser)
        return layer, [target]

    def record(self, sources: list[Tensor], targets: list[Tensor]) -> Record:
        (a, b), (target,) = sources, targets
        if not a.dtype == b.dtype == target.dtype:
            raise ModelError(
                f"{self.name}: expected values of one type, got {a.dtype}, {b.dtype}, {target.dtype}"
            )
        parameters = []
        if target.dtype != "float32":
            scales = (float(tensor.quantization.scale[0]) for tensor in (a, b, target))
            parameters = [*tflm.add_factors(*scales, target.dtype), *tables.limits(self.activation, target)]
        return Record("add", self.activation, alpha_in_file(self), parameters=parameters)

    @classmethod
    def timed(cls, builder: Any, inputs: list[Tensor]) -> None:
        builder.add(cls, "timed", inputs=inputs)

    @classmethod
    def cycles(cls, layer: model_file.Layer, chip: Chip) -> float:
        return super().cycles(layer, chip) + chip.activation_cycles(layer)
