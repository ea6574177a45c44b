"""output = the mean, sum, greatest or least of the elements along some axes: global average pooling, mostly.

On integers these are TensorFlow Lite Micro's MEAN, SUM, REDUCE_MAX and REDUCE_MIN to the bit, as its package of 2026
has them: 1 / n is part of the factor to the output's scale. (Earlier versions cut off in means that keep their scale.)
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import groupby
from typing import Any, ClassVar

import numpy as np
from anne import model_file
from anne.layers.reduce import OPERATIONS

from ..errors import ModelError
from ..network import tflm
from ..network.layer import Layer, Record, Shape
from ..network.tensor import Tensor
from .prices import Cost
from .views import joined

MAX_SUMMED_INT16 = 65535
_FUNCTIONS = {"mean": np.mean, "sum": np.sum, "max": np.max, "min": np.min}


@dataclass
class Reduce(Layer):
    """`axes` are counted without the batch axis; the output has the others, or (1,) if none is left."""

    operation: str
    axes: tuple[int, ...]

    ON_CORTEX_M33: ClassVar[dict[str, Cost]] = {
        f"reduce {operation} {dtype}": Cost(300, 0, output, block_column=4 * tap, rest_column=tap)
        for operation in ("sum", "max")
        for dtype, output, tap in (("float32", 60, 8), ("int8", 30, 3), ("int16", 30, 3))
    }

    @property
    def keeps_values(self) -> bool:
        """The greatest and the least are values of the input; means and sums have a scale of their own."""
        return self.operation in ("max", "min")

    def output_shapes(self, shapes: list[Shape], declared: list[Shape], where: str) -> list[Shape]:
        (shape,) = shapes
        if self.operation not in OPERATIONS:
            raise ModelError(f"{where}: expected one of {', '.join(OPERATIONS)}, got {self.operation}")
        if not self.axes or len({*self.axes}) < len(self.axes) or not {*self.axes} <= {*range(len(shape))}:
            raise ModelError(f"{where}: expected axes of {len(shape)}, each once, got {self.axes}")
        return [tuple(n for i, n in enumerate(shape) if i not in self.axes) or (1,)]

    def run(self, x: list[np.ndarray], sources: list[Tensor], targets: list[Tensor]) -> list[np.ndarray]:
        y = _FUNCTIONS[self.operation](x[0], axis=tuple(axis + 1 for axis in self.axes))
        return [y.reshape(len(x[0]), *targets[0].shape)]

    def record(self, sources: list[Tensor], targets: list[Tensor]) -> Record:
        (source,), (target,) = sources, targets
        if source.dtype != target.dtype or (self.keeps_values and not source.means_the_same(target)):
            raise ModelError(
                f"{self.name}: expected an output with the type, scale and zero point of the input"
            )
        bits = sum(1 << axis for axis in self.axes)
        return Record(
            "reduce", parameters=[OPERATIONS.index(self.operation), bits, *self._factor(source, target)]
        )

    def _factor(self, source: Tensor, target: Tensor) -> tuple[int, int]:
        """Multiplier and shift from a sum of integers to the output's; (0, 0) where there is none."""
        if self.keeps_values or source.dtype == "float32":
            return 0, 0
        n = math.prod(source.shape[axis] for axis in self.axes)
        if source.dtype == "int16" and n > MAX_SUMMED_INT16:
            raise ModelError(
                f"{self.title}: expected at most {MAX_SUMMED_INT16} elements in a {self.operation} of int16, got {n}; "
                "use --dtype int8 or float32"
            )
        scale, out_scale = (float(np.float32(tensor.quantization.scale[0])) for tensor in (source, target))
        multiplier, shift = tflm.quantize_multiplier(scale / out_scale)
        divisor = n if self.operation == "mean" else 1
        bits = max(0, min(divisor.bit_length() - 1, 31 + shift))
        if shift - bits > 15:
            raise ModelError(
                f"{self.title}: its output scale {out_scale} is too fine for an input of scale {scale}"
            )
        return (multiplier << bits) // divisor, shift - bits

    @classmethod
    def timed(cls, builder: Any, inputs: list[Tensor]) -> None:
        """Each operation over rows, along them, over all, and over rows of an image."""
        n, columns = inputs[0].size, max(1, inputs[0].size // 8)
        for operation in ("mean", "max", "min"):
            rows = builder.reshape("rows", (-1, columns), at=inputs[0])
            for axes in ((0,), (1,), (0, 1)):
                builder.add(cls, "timed", operation, axes, inputs=[rows])
            if n >= 64:
                image = builder.reshape("image", (-1, 4, columns // 2), at=inputs[0])
                builder.add(cls, "timed image", operation, (0, 1), inputs=[image])
                builder.add(cls, "timed apart", operation, (0, 2), inputs=[image])

    @classmethod
    def price_name(cls, layer: model_file.Layer) -> str:
        operation = "sum" if layer.parameters[0] < 2 else "max"
        return f"reduce {operation} {layer.outputs[0].dtype}"

    @classmethod
    def counts(cls, layer: model_file.Layer) -> dict[str, Any]:
        """Outputs that lie side by side in the input, too, are neighbours; taps lie in rows of rows."""
        x, y, (operation, bits) = layer.inputs[0], layer.outputs[0], layer.parameters[:2]
        axes = [(bool(bits >> axis & 1), n) for axis, n in enumerate(x.shape) if n > 1]
        parts = [
            (goes, math.prod(n for _, n in part)) for goes, part in groupby(axes, key=lambda axis: axis[0])
        ]
        side_by_side = parts[-1][1] if parts and not parts[-1][0] else 1
        gone = [n for goes, n in parts if goes]
        alone = operation == OPERATIONS.index("min") or (operation < 2 and x.dtype == "float32")
        places = y.size // side_by_side
        return joined(side_by_side, alone, places, places * math.prod(gone[:-1]), x.size // side_by_side)
