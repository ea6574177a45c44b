"""output = the same real values in another type: where a network goes on in floats, or in integers of another width.

To and from floats it is TensorFlow Lite Micro's QUANTIZE and DEQUANTIZE to the bit, and QUANTIZE between integers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ..errors import ModelError
from ..network import tflm_binary
from ..network.layer import Integers, Layer, Record, Shape
from ..network.tensor import Tensor
from .prices import Cost


@dataclass
class Quantize(Layer):
    """The types are those of the tensors that it reads and makes."""

    takes_floats: ClassVar[bool] = True
    ON_CORTEX_M33: ClassVar[dict[str, Cost]] = {
        "quantize float32": Cost(60, 0, 12),
        "quantize int8": Cost(60, 0, 30),
        "quantize int16": Cost(60, 0, 30),
    }

    def output_shapes(self, shapes: list[Shape], declared: list[Shape], where: str) -> list[Shape]:
        return shapes

    def run(self, x: list[np.ndarray], sources: list[Tensor], targets: list[Tensor]) -> list[np.ndarray]:
        return [x[0]]

    def quantized(
        self, sources: list[Tensor], targets: list[Tensor], into: Integers
    ) -> tuple[Layer, list[Tensor]]:
        if any(not tensor.is_float for tensor in targets):
            raise ModelError(f"{self.name}: a network that has integers already keeps them")
        return super().quantized(sources, targets, into)

    def record(self, sources: list[Tensor], targets: list[Tensor]) -> Record:
        (source,), (target,) = sources, targets
        dtypes = {source.dtype, target.dtype}
        if dtypes == {"float32"}:
            raise ModelError(f"{self.name}: expected another type of output than float32")
        if "float32" in dtypes:
            return Record("quantize")
        scales = [float(np.float32(tensor.quantization.scale[0])) for tensor in (source, target)]
        return Record("quantize", parameters=[*tflm_binary.scale_factor(scales[0] / scales[1], self.name)])
