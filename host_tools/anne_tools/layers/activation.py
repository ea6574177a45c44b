"""output = activation(input), element by element; softmax and log_softmax over the last axis."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
from anne import model_file

from ..network.activations import activate, check_activation
from ..network.layer import IN_PLACE, Integers, Layer, Record, Shape
from ..network.tensor import Quantization, Tensor
from . import tables
from .activated import alpha_in_file
from .prices import Chip, Cost, rows_of

# Logarithms on int8 have steps of 1/16, whatever their range: of a smaller one than this that is too coarse.
LEAST_LOGARITHMS = 4.0


@dataclass
class Activation(Layer):
    """`alpha` is the slope or scale of leaky_relu and elu."""

    activation: str
    alpha: float = 0.0

    place: ClassVar[str] = IN_PLACE
    ON_CORTEX_M33: ClassVar[dict[str, Cost]] = {
        "activation float32": Cost(60),
        "activation int8": Cost(60, 0, 6),
        "activation int16": Cost(60, 0, 15),
        "softmax int8": Cost(600, 0, 40),
        "log_softmax int8": Cost(600, 0, 25),
        "softmax int16": Cost(300, 0, 60),
    }

    def needs_floats(self, into: Integers) -> bool:
        if self.activation != "log_softmax":
            return False
        ((least, most),) = into.spans
        return into.dtype != "int8" or most - least < LEAST_LOGARITHMS

    def output_shapes(self, shapes: list[Shape], declared: list[Shape], where: str) -> list[Shape]:
        check_activation(self.activation, self.alpha, where)
        return shapes

    def run(self, x: list[np.ndarray], sources: list[Tensor], targets: list[Tensor]) -> list[np.ndarray]:
        return [activate(self.activation, x[0], self.alpha)]

    def quantized(
        self, sources: list[Tensor], targets: list[Tensor], into: Integers
    ) -> tuple[Layer, list[Tensor]]:
        if self.activation not in tables.FIXED_OUTPUT:
            return super().quantized(sources, targets, into)
        scale, zero_point = tables.FIXED_OUTPUT[self.activation][into.dtype]
        return self, [replace(targets[0], dtype=into.dtype, quantization=Quantization(scale, zero_point))]

    def record(self, sources: list[Tensor], targets: list[Tensor]) -> Record:
        (source,), (target,) = sources, targets
        constants = [] if source.dtype == "float32" else [tables.table(self, source, target)]
        return Record("activation", self.activation, alpha_in_file(self), constants)

    @classmethod
    def price_name(cls, layer: model_file.Layer) -> str:
        dtype = layer.outputs[0].dtype
        is_table = "softmax" not in layer.activation or dtype == "float32"
        return f"activation {dtype}" if is_table else f"{layer.activation} {dtype}"

    @classmethod
    def counts(cls, layer: model_file.Layer) -> dict[str, Any]:
        return rows_of(layer.outputs[0])

    @classmethod
    def cycles(cls, layer: model_file.Layer, chip: Chip) -> float:
        return super().cycles(layer, chip) + chip.activation_cycles(layer)
