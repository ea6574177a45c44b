"""output = activation(weights * windows of the image + bias): a convolution, of images or of signals.

Also a dense layer on every row of its input: a window of one pixel. On integers it is TensorFlow Lite Micro's CONV_2D
to the bit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
from anne import model_file

from ..errors import ModelError
from ..network.activations import activate, check_activation
from ..network.layer import Layer, Record, Shape, check_finite
from ..network.tensor import Quantization, Tensor
from . import layouts, tables, weights
from .activated import alpha_in_file
from .prices import Chip, Cost
from .windows import Window


@dataclass
class Conv(Layer):
    """`weights` is (n_out, kernel_h, kernel_w, n_in / groups) and `bias` (n_out,), float32; or, from a quantised file,
    int8 and int32 with `weights_quantization` (one scale, or one an output channel; zero point 0).

    The output's channels are `groups` equal parts, each of which sees its own part of the input's channels.
    """

    weights: np.ndarray
    bias: np.ndarray
    window: Window
    groups: int = 1
    activation: str = "linear"
    alpha: float = 0.0
    weights_quantization: Quantization | None = None

    has_four_bits: ClassVar[bool] = True

    # --- What it means

    def output_shapes(self, shapes: list[Shape], declared: list[Shape], where: str) -> list[Shape]:
        (shape,) = shapes
        if self.weights.ndim != 4 or self.weights.shape[1:3] != tuple(self.window.kernel):
            raise ModelError(
                f"{where}: expected weights (n_out, {self.window.kernel[0]}, {self.window.kernel[1]}, n_in), "
                f"got shape {self.weights.shape}"
            )
        n_out, _, _, n_in = self.weights.shape
        made = self.window.image_shape(shape, n_out, where)
        if self.groups < 1 or n_out % self.groups:
            raise ModelError(f"{where}: expected groups that divide {n_out} channels, got {self.groups}")
        if shape[-1] != n_in * self.groups:
            raise ModelError(f"{where}: expected {n_in * self.groups} channels, got {shape[-1]}")
        if self.bias.shape != (n_out,):
            raise ModelError(f"{where}: expected {n_out} values of bias, got shape {self.bias.shape}")
        check_activation(self.activation, self.alpha, where)
        check_finite(self.weights, where, "weights")
        check_finite(self.bias, where, "bias")
        self.window.check_steps(made, n_out * n_in, where)
        return [made]

    def run(self, x: list[np.ndarray], sources: list[Tensor], targets: list[Tensor]) -> list[np.ndarray]:
        real, bias = self.real_weights(sources[0].quantization)
        (image,), made = x, targets[0].shape
        n_in = real.shape[3]
        parts = np.split(real.astype(image.dtype), self.groups)
        y = np.zeros((1, 1, 1, len(real)), image.dtype)
        for i, j, seen in self.window.taps(image, made):
            sums = [seen[..., g * n_in : (g + 1) * n_in] @ part[:, i, j].T for g, part in enumerate(parts)]
            y = y + (np.concatenate(sums, axis=3) if len(sums) > 1 else sums[0])
        y = y.reshape(len(image), *made) + bias.astype(image.dtype)
        return [activate(self.activation, y, self.alpha)]

    def real_weights(self, input_quantization: Quantization | None) -> tuple[np.ndarray, np.ndarray]:
        """Return weights and bias as real numbers, whatever type the layer keeps them in.

        An integer bias counts in steps of the input's scale times the channel's weight scale; the input's quantization
        is needed for that.
        """
        if self.weights_quantization is None:
            return self.weights, self.bias
        scale = self.weights_quantization.scale
        real = self.weights * scale.reshape(-1, 1, 1, 1)
        if not np.issubdtype(self.bias.dtype, np.integer):
            return real, self.bias
        if input_quantization is None:
            raise ModelError(f"{self.name}: integer bias, but the input {self.input!r} has no quantization")
        return real, self.bias * (scale * input_quantization.scale)

    # --- Its integers

    @property
    def n_weights(self) -> int:
        return self.weights.size

    @property
    def is_quantized(self) -> bool:
        return self.weights_quantization is not None or not np.issubdtype(self.weights.dtype, np.floating)

    def with_integer_weights(self) -> Conv:
        return self._with(*weights.quantized(self.weights, 127, np.int8))

    def _with(self, integers: np.ndarray, quantization: Quantization) -> Conv:
        return replace(self, weights=integers, weights_quantization=quantization)

    def quantized(
        self,
        sources: list[Tensor],
        targets: list[Tensor],
        spans: Sequence[tuple[float, float]],
        dtype: str,
        most_weight: int,
    ) -> tuple[Layer, list[Tensor]]:
        step = float(sources[0].quantization.scale[0])
        least = weights.least_scale(self.weights, self.bias, step, dtype, self.name)
        conv = self._with(*weights.quantized(self.weights, most_weight, np.dtype(dtype).type, least))
        conv.bias = weights.quantized_bias(self.bias, conv.weights_quantization, step)
        return conv, [targets[0].with_range(dtype, spans[0])]

    # --- In the file

    def record(self, sources: list[Tensor], targets: list[Tensor]) -> Record:
        (source,), (target,) = sources, targets
        layout = layouts.choose(self, source)
        parameters = [*self.window.parameters, self.groups, layout, *tables.limits(self.activation, target)]
        constants = layouts.constants(layout, self, source, target, self.groups)
        return Record("conv", self.activation, alpha_in_file(self), constants, parameters)

    @classmethod
    def written_as(cls, layer: model_file.Layer) -> str:
        return layouts.DTYPES[layer.kernel]

    # --- What it costs

    SIZES: ClassVar[dict[str, Any]] = layouts.SIZES

    ON_CORTEX_M33: ClassVar[dict[str, Cost]] = {
        "conv f32": Cost(300, 0, 40, 5),
        "conv f32_aligned": Cost(300, 0, 80, 7),
        "conv s8_f32": Cost(300, 0, 60, 6),
        "conv s8_quad": Cost(300, 0, 40, 3),
        "conv s16": Cost(300, 0, 40, 4),
        "conv s4": Cost(300, 0, 40, 4),
    }

    @classmethod
    def price_name(cls, layer: model_file.Layer) -> str:
        return f"conv {layer.kernel}"

    @classmethod
    def cycles(cls, layer: model_file.Layer, chip: Chip) -> float:
        return super().cycles(layer, chip) + chip.activation_cycles(layer)
