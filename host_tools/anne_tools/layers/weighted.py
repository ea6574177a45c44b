"""What layers share that have rows of weights: how they become integers, and what these mean."""

from __future__ import annotations

from copy import copy
from dataclasses import replace
from typing import Any, ClassVar

import numpy as np
from anne import model_file

from ..errors import ModelError
from ..network.graph import Graph
from ..network.layer import Integers, Layer
from ..network.tensor import Quantization, Tensor
from . import layouts, weights
from .prices import Chip


class Weighted(Layer):
    """A layer with `weights` (n_out, ...) and `bias` (n_out,), float32; or, from a quantised file, int8 and int32 with
    `weights_quantization` (one scale, or one a row; zero point 0). Each output is a sum of one row's products.
    """

    weights: np.ndarray
    bias: np.ndarray
    weights_quantization: Quantization | None
    # Whether the chip that the file is for has a unit for floats, which sums them faster than aligned ones.
    has_float_unit = False

    def real_weights(self, input_quantization: Quantization | None) -> tuple[np.ndarray, np.ndarray]:
        """Return weights and bias as real numbers, whatever type the layer keeps them in.

        An integer bias counts in steps of the input's scale times the row's weight scale; the input's
        quantization is needed for that.
        """
        if self.weights_quantization is None:
            return self.weights, self.bias
        scale = self.weights_quantization.scale
        real = self.weights * scale.reshape(-1, *[1] * (self.weights.ndim - 1))
        if not np.issubdtype(self.bias.dtype, np.integer):
            return real, self.bias
        if input_quantization is None:
            raise ModelError(f"{self.name}: integer bias, but the input {self.input!r} has no quantization")
        return real, self.bias * (scale * input_quantization.scale)

    @property
    def n_weights(self) -> int:
        return self.weights.size

    @property
    def is_quantized(self) -> bool:
        return self.weights_quantization is not None or not np.issubdtype(self.weights.dtype, np.floating)

    def with_integer_weights(self) -> Layer:
        return self._with(*weights.quantized(self.weights, 127, np.int8))

    def _with(self, integers: np.ndarray, quantization: Quantization) -> Any:
        return replace(self, weights=integers, weights_quantization=quantization)

    def quantized(
        self, sources: list[Tensor], targets: list[Tensor], into: Integers
    ) -> tuple[Layer, list[Tensor]]:
        step = float(sources[0].quantization.scale[0])
        least = weights.least_scale(self.weights, self.bias, step, into.dtype, self.name)
        layer = self._with(
            *weights.quantized(self.weights, into.most_weight, np.dtype(into.dtype).type, least)
        )
        layer.bias = weights.quantized_bias(self.bias, layer.weights_quantization, step)
        return layer, [targets[0].with_range(into.dtype, into.spans[0])]


def for_chip(graph: Graph, chip: str) -> Graph:
    """Return `graph`, about to be packed, with weights of floats as that chip sums them fastest."""
    layers = [copy(layer) for layer in graph.layers]
    for layer in layers:
        if isinstance(layer, Weighted):
            layer.has_float_unit = chip == "rp2350"
    return replace(graph, layers=layers)


class PlainWeighted(Weighted):
    """Such a layer whose weights stand in the file as they are, in the type that the values have, or int8."""

    SIZES: ClassVar[dict[str, Any]] = layouts.PLAIN_SIZES

    @classmethod
    def written_as(cls, layer: model_file.Layer) -> str:
        dtype = layer.inputs[0].dtype
        return "int8-weights" if dtype == "float32" and len(layer.constants) == 3 else dtype

    @classmethod
    def price_name(cls, layer: model_file.Layer) -> str:
        return f"{layer.kind} {cls.written_as(layer)}"

    @classmethod
    def cycles(cls, layer: model_file.Layer, chip: Chip) -> float:
        return super().cycles(layer, chip) + chip.activation_cycles(layer)
