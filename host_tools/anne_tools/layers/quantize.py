"""output = the same real values in another type: where a network goes on in floats, or in integers of another width.

To and from floats it is TensorFlow Lite Micro's QUANTIZE and DEQUANTIZE to the bit, and QUANTIZE between integers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from anne import model_file

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
        "quantize int8 to float32": Cost(60, 0, 12),
        "quantize int16 to float32": Cost(60, 0, 12),
        **{
            f"quantize {a} to {b}": Cost(60, 0, 30)
            for a in ("float32", "int8", "int16")
            for b in ("int8", "int16")
        },
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

    @classmethod
    def price_name(cls, layer: model_file.Layer) -> str:
        return f"quantize {layer.inputs[0].dtype} to {layer.outputs[0].dtype}"

    def record(self, sources: list[Tensor], targets: list[Tensor]) -> Record:
        (source,), (target,) = sources, targets
        dtypes = {source.dtype, target.dtype}
        if dtypes == {"float32"}:
            raise ModelError(f"{self.name}: expected another type of output than float32")
        if "float32" in dtypes:
            return Record("quantize")
        scales = [float(np.float32(tensor.quantization.scale[0])) for tensor in (source, target)]
        return Record("quantize", parameters=[*tflm_binary.scale_factor(scales[0] / scales[1], self.name)])
