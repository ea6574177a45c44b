"""output = (input - mean) / sqrt(variance + epsilon) * gamma + beta, with mean and variance of each row."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from anne import model_file

from ..errors import ModelError
from ..network.layer import IN_PLACE, Integers, Layer, Record, Shape, check_finite, float32
from ..network.tensor import Tensor
from .prices import Cost, rows_of

MAX_ROW = 65536


@dataclass
class LayerNorm(Layer):
    """output = (input - mean) / sqrt(variance + epsilon) gamma + beta. On floats only: integers would lose what a mean
    and a deviation of their own make of each row.
    """

    gamma: np.ndarray
    beta: np.ndarray
    epsilon: float = 1e-5

    place: ClassVar[str] = IN_PLACE
    has_integers: ClassVar[bool] = False
    ON_CORTEX_M33: ClassVar[dict[str, Cost]] = {"layer_norm float32": Cost(600, 0, 60)}

    def output_shapes(self, shapes: list[Shape], declared: list[Shape], where: str) -> list[Shape]:
        n = shapes[0][-1]
        for what, values in (("gamma", self.gamma), ("beta", self.beta)):
            if np.shape(values) != (n,):
                raise ModelError(f"{where}: expected {what} of {n} values, got shape {np.shape(values)}")
            check_finite(values, where, f"values of {what}")
        if n > MAX_ROW:
            raise ModelError(f"{where}: expected at most {MAX_ROW} elements in a row, got {n}")
        if not float32(f"{where}: epsilon", self.epsilon) >= 2.0**-126:
            raise ModelError(f"{where}: expected an epsilon above 0, got {self.epsilon}")
        return shapes

    def run(self, x: list[np.ndarray], sources: list[Tensor], targets: list[Tensor]) -> list[np.ndarray]:
        d = x[0] - x[0].mean(axis=-1, keepdims=True)
        variance = np.square(d).mean(axis=-1, keepdims=True)
        y = d / np.sqrt(variance + self.epsilon) * self.gamma + self.beta
        return [y.astype(x[0].dtype, copy=False)]

    def quantized(
        self, sources: list[Tensor], targets: list[Tensor], into: Integers
    ) -> tuple[Layer, list[Tensor]]:
        raise ModelError(f"{self.title}: layer_norm needs floats; use --dtype float32 or int8-weights")

    def record(self, sources: list[Tensor], targets: list[Tensor]) -> Record:
        constants = [np.asarray(values, "<f4").tobytes() for values in (self.gamma, self.beta)]
        (epsilon,) = struct.unpack("<i", struct.pack("<f", self.epsilon))
        return Record("layer_norm", constants=constants, parameters=[epsilon])

    @classmethod
    def counts(cls, layer: model_file.Layer) -> dict[str, Any]:
        return rows_of(layer.outputs[0])

    @classmethod
    def timed(cls, builder: Any, inputs: list[Tensor]) -> None:
        n = inputs[0].size
        builder.add(cls, "timed", np.ones(n), np.zeros(n), inputs=inputs)
        if n % 8 == 0:
            builder.reshape("rows", (-1, 8))
            builder.add(cls, "timed rows", np.ones(8), np.zeros(8))
