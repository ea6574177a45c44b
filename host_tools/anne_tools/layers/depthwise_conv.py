"""output = activation(weights @ what a window sees of one channel + bias), each channel with weights of its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from ..errors import ModelError
from ..network.activations import activate, check_activation
from ..network.layer import Record, Shape, check_finite
from ..network.tensor import Quantization, Tensor
from . import layouts, tables
from .activated import alpha_in_file
from .prices import Cost
from .weighted import PlainWeighted
from .windows import Window


@dataclass
class DepthwiseConv(PlainWeighted):
    """`weights` is (n_out, kernel_h, kernel_w); of a signal kernel_h is 1. Output channel o sees input channel
    o // multiplier, where multiplier is n_out by the channels of the input. Types as in Weighted.
    """

    weights: np.ndarray
    bias: np.ndarray
    window: Window
    activation: str = "linear"
    alpha: float = 0.0
    weights_quantization: Quantization | None = None

    # --- What it means

    def output_shapes(self, shapes: list[Shape], declared: list[Shape], where: str) -> list[Shape]:
        (shape,) = shapes
        if self.weights.ndim != 3 or self.weights.shape[1:] != tuple(self.window.kernel):
            raise ModelError(
                f"{where}: expected weights (n_out, kernel_h, kernel_w) of a kernel {self.window.kernel}, "
                f"got shape {self.weights.shape}"
            )
        n_out = len(self.weights)
        made = self.window.image_shape(shape, n_out, where)
        if n_out % shape[-1]:
            raise ModelError(f"{where}: expected a multiple of {shape[-1]} channels, got weights of {n_out}")
        if self.bias.shape != (n_out,):
            raise ModelError(f"{where}: expected {n_out} values of bias, got shape {self.bias.shape}")
        self.window.check_steps(made, n_out, where)
        check_activation(self.activation, self.alpha, where)
        check_finite(self.weights, where, "weights")
        check_finite(self.bias, where, "bias")
        return [made]

    def run(self, x: list[np.ndarray], sources: list[Tensor], targets: list[Tensor]) -> list[np.ndarray]:
        real, bias = (part.astype(x[0].dtype) for part in self.real_weights(sources[0].quantization))
        made, multiplier = targets[0].shape, len(real) // x[0].shape[-1]
        y = np.zeros((len(x[0]), *made), x[0].dtype) + bias
        for i, j, image in self.window.taps(x[0], made):
            each = image if multiplier == 1 else np.repeat(image, multiplier, axis=-1)
            y += (each * real[:, i, j]).reshape(y.shape)
        return [activate(self.activation, y, self.alpha)]

    # --- In the file

    def record(self, sources: list[Tensor], targets: list[Tensor]) -> Record:
        (source,), (target,) = sources, targets
        parameters = [*self.window.parameters, *tables.limits(self.activation, target)]
        constants = layouts.plain(self, source, target)
        return Record("depthwise_conv", self.activation, alpha_in_file(self), constants, parameters)

    # --- What it costs

    ON_CORTEX_M33: ClassVar[dict[str, Cost]] = {
        "depthwise_conv float32": Cost(300, 0, 60, 30),
        "depthwise_conv int8-weights": Cost(300, 0, 80, 35),
        "depthwise_conv int8": Cost(300, 0, 30, 7),
        "depthwise_conv int16": Cost(300, 0, 40, 7),
    }

    @classmethod
    def timed(cls, builder: Any, inputs: list[Tensor]) -> None:
        # a signal of two channels, three taps each: the fewest channels, as pixels cost, too
        n = inputs[0].size
        channels = 2 if n % 2 == 0 else 1
        builder.reshape("signal", (-1, channels), at=inputs[0])
        weights = np.random.default_rng(n).normal(0, 1, (channels, 1, 3)).astype(np.float32)
        window = Window.same((1, n // channels), (1, 3))
        builder.add(cls, "timed", weights, np.zeros(channels, np.float32), window)
