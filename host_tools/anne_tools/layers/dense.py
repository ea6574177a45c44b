"""output = activation(weights @ input + bias): every unit sees every input."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from anne import model_file

from ..errors import ModelError
from ..network.activations import activate, check_activation
from ..network.layer import Record, Shape, check_finite
from ..network.tensor import Quantization, Tensor
from . import layouts, tables
from .activated import alpha_in_file
from .prices import Chip, Cost, blocks_of
from .weighted import Weighted

# Rows of int8 whose sums there is room for at a time (native_module/layers/dense.c).
BAND = 320


@dataclass
class Dense(Weighted):
    """`weights` is (n_out, n_in) and `bias` (n_out,), float32; or, from a quantised file, int8 and int32 with
    `weights_quantization` (one scale, or one a row; zero point 0).
    """

    weights: np.ndarray
    bias: np.ndarray
    activation: str = "linear"
    alpha: float = 0.0
    weights_quantization: Quantization | None = None

    has_four_bits: ClassVar[bool] = True

    # --- What it means

    def output_shapes(self, shapes: list[Shape], declared: list[Shape], where: str) -> list[Shape]:
        (shape,) = shapes
        if self.weights.ndim != 2:
            raise ModelError(f"{where}: expected weights (n_out, n_in), got shape {self.weights.shape}")
        n_out, n_in = self.weights.shape
        if len(shape) != 1:
            raise ModelError(f"{where}: expected a flat input, got shape {shape}; add a Flatten layer")
        if shape[0] != n_in:
            raise ModelError(f"{where}: expected {n_in} inputs, got {shape[0]}")
        if self.bias.shape != (n_out,):
            raise ModelError(f"{where}: expected {n_out} values of bias, got shape {self.bias.shape}")
        check_activation(self.activation, self.alpha, where)
        check_finite(self.weights, where, "weights")
        check_finite(self.bias, where, "bias")
        return [(n_out,)]

    def run(self, x: list[np.ndarray], sources: list[Tensor], targets: list[Tensor]) -> list[np.ndarray]:
        real, bias = self.real_weights(sources[0].quantization)
        y = x[0] @ real.T.astype(x[0].dtype) + bias.astype(x[0].dtype)
        return [activate(self.activation, y, self.alpha)]

    # --- In the file

    def record(self, sources: list[Tensor], targets: list[Tensor]) -> Record:
        (source,), (target,) = sources, targets
        layout = layouts.choose(self, source)
        limits = tables.limits(self.activation, target)
        constants = layouts.constants(layout, self, source, target)
        return Record("dense", self.activation, alpha_in_file(self), constants, [layout, *limits])

    @classmethod
    def written_as(cls, layer: model_file.Layer) -> str:
        return cls.DTYPES[layer.kernel]

    @classmethod
    def neuron_weights(cls, layer: model_file.Layer) -> np.ndarray | None:
        return layouts.unpacked(layer)

    # --- What it costs

    # This kernel has a relu of its own, which ends the work on a row that is below 0.
    ALIGNED_RELU: ClassVar[str] = "f32_aligned relu"
    # That core computes floats itself.
    ON_CORTEX_M33: ClassVar[dict[str, Cost]] = {
        "f32": Cost(200, 0, 20, block_column=4),
        "f32_aligned": Cost(300, 20, 60, block_column=10),
        "f32_aligned relu": Cost(300, 20, 60, block_column=10),
        "s8_f32": Cost(300, 20, 40, block_column=40, rest_column=20),
        "s8_quad": Cost(200, 6, 30, block_column=24, rest_column=12),
        "s16": Cost(200, 0, 30, block_column=24, rest_column=4),
        "s4": Cost(200, 6, 30, block_column=32),
    }

    @classmethod
    def price_name(cls, layer: model_file.Layer) -> str:
        aligned_relu = (layer.kernel, layer.activation) == ("f32_aligned", "relu")
        return cls.ALIGNED_RELU if aligned_relu else layer.kernel

    @classmethod
    def cycles(cls, layer: model_file.Layer, chip: Chip) -> float:
        cycles = super().cycles(layer, chip)
        has_relu = cls.price_name(layer) == cls.ALIGNED_RELU
        return cycles if has_relu else cycles + chip.activation_cycles(layer)

    @classmethod
    def counts(cls, layer: model_file.Layer) -> dict[str, Any]:
        blocks = blocks_of(layer).counts(layer.inputs[0].size, layer.outputs[0].size)
        made = {"exact": cls.exact_rows(layer), "row": cls.factors_made(layer)}
        return blocks | made | {"n_out": layer.outputs[0].size}

    @classmethod
    def factors_made(cls, layer: model_file.Layer) -> int:
        """Return for how many rows of an int8 layer quick factors are worked out in each call, as they are not kept."""
        n_out = layer.outputs[0].size
        factors = set(struct.iter_unpack("<ii", layer.constants[2])) if layer.kernel == "s8_quad" else set()
        return n_out if n_out > BAND and len(factors) > 1 else 0

    @classmethod
    def exact_rows(cls, layer: model_file.Layer) -> float:
        """Return how many rows of an int8 layer are rescaled the exact way, if any fraction of a step is as likely.

        Source: `anne_approximate` in native_module/kernels/requantize.c, whose names these are.
        """
        if layer.outputs[0].dtype != "int8":
            return 0.0
        n_in, n_out = layer.inputs[0].size, layer.outputs[0].size
        bias = struct.unpack(f"<{n_out}i", layer.constants[1])
        factors = [factor for factor in struct.iter_unpack("<ii", layer.constants[2]) if factor[0]]
        most = max((shift for _, shift in factors), default=-32)
        shift, largest_sum = -6 - most, (n_in << 14) + max(map(abs, bias))
        if shift < -4 or (shift < 0 and largest_sum >= 1 << (31 + shift)):
            return n_out
        multipliers = [multiplier / 2.0 ** (16 + most - shift) for multiplier, shift in factors]
        error = max((abs(m - round(m)) for m in multipliers), default=0) * 2**15 + 2.0 ** (14 - shift) + 2
        fraction = round(max(multipliers, default=0)) + 1 if shift > 0 else 0
        return n_out * (fraction + 2 * error) / 2**21

    # --- How large it would be in another type, or with fewer units

    SIZES: ClassVar[dict[str, Any]] = layouts.SIZES
    DTYPES: ClassVar[dict[str, str]] = layouts.DTYPES
