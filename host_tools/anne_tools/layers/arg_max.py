"""output = the index of the greatest element along the last axis, the first of equal ones: a class, at the end."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np

from ..errors import ModelError
from ..network.layer import Integers, Layer, Record, Shape
from ..network.tensor import Quantization, Tensor
from .prices import Cost

MAX_ROW_INT16 = 32768


@dataclass
class ArgMax(Layer):
    """The output has the input's shape without its last axis, or (1,); of integers it is int16 of scale 1."""

    changes_type: ClassVar[bool] = True
    decides: ClassVar[bool] = True
    ON_CORTEX_M33: ClassVar[dict[str, Cost]] = {
        f"arg_max {dtype}": Cost(60, 6, 15) for dtype in ("float32", "int8", "int16")
    }

    def output_shapes(self, shapes: list[Shape], declared: list[Shape], where: str) -> list[Shape]:
        return [tuple(shapes[0][:-1]) or (1,)]

    def run(self, x: list[np.ndarray], sources: list[Tensor], targets: list[Tensor]) -> list[np.ndarray]:
        y = np.argmax(x[0], axis=-1).astype(x[0].dtype)
        return [y.reshape(len(x[0]), *targets[0].shape)]

    def quantized(
        self, sources: list[Tensor], targets: list[Tensor], into: Integers
    ) -> tuple[Layer, list[Tensor]]:
        """Numbers up to the row's length, whatever the type of the others."""
        return self, [replace(targets[0], dtype="int16", quantization=Quantization(1.0, 0))]

    def record(self, sources: list[Tensor], targets: list[Tensor]) -> Record:
        (source,), (target,) = sources, targets
        if source.dtype != "float32":
            if target.dtype != "int16" or float(target.quantization.scale[0]) != 1:
                raise ModelError(f"{self.name}: expected an output of int16 and scale 1")
            if source.shape[-1] > MAX_ROW_INT16:
                raise ModelError(
                    f"{self.title}: expected at most {MAX_ROW_INT16} elements in a row, got {source.shape[-1]}"
                )
        return Record("arg_max")

    @classmethod
    def timed(cls, builder: Any, inputs: list[Tensor]) -> None:
        builder.add(cls, "timed", inputs=inputs)
        if inputs[0].size % 4 == 0:
            builder.reshape("rows", (-1, 4), at=inputs[0])
            builder.add(cls, "timed rows")

    @classmethod
    def price_name(cls, layer: Any) -> str:
        return f"arg_max {layer.inputs[0].dtype}"

    @classmethod
    def counts(cls, layer: Any) -> dict[str, Any]:
        """Elements and rows."""
        return {"n_in": layer.inputs[0].size, "n_out": layer.outputs[0].size}
