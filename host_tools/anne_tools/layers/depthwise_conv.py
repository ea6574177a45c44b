"""output = activation(weights @ what a window sees of one channel + bias), each channel with weights of its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from anne import model_file

from ..errors import ModelError
from ..network.activations import activate, check_activation
from ..network.layer import Record, Shape, check_finite
from ..network.tensor import Quantization, Tensor
from . import depthwise_cut, layouts, tables
from .activated import alpha_in_file
from .prices import BLOCKS, Cost
from .views import View
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
        "depthwise_conv int8": Cost(1500, 5, 12, 1.5, window=150),
        "depthwise_conv int8 by pixel": Cost(300, 0, 30, block_column=21, rest_column=7),
        "depthwise_conv int16": Cost(300, 0, 40, block_column=21, rest_column=7),
    }

    timed_larger: ClassVar[tuple[int, ...]] = (256, 1024)

    @classmethod
    def timed(cls, builder: Any, inputs: list[Tensor]) -> None:
        """Images, few pixels and many; windows of several sizes, spread ones, strides, and two outputs a channel."""
        n, random = inputs[0].size, np.random.default_rng(inputs[0].size)
        channels = {3: 1, 16: 2, 1024: 8}.get(n, 4)
        side = {64: 4, 256: 8, 1024: 16}.get(n, 1)
        builder.reshape("image", (side, n // channels // side, channels), at=inputs[0])
        for i, (kernel, stride, dilation) in enumerate(
            (
                *(
                    ((3, 3), 1, 1),
                    ((1, 3), 1, 1),
                    ((2, 2), 1, 1),
                    ((3, 3), 1, 2),
                    ((5, 5), 1, 1),
                    ((3, 3), 2, 1),
                ),
                *(((3, 3), 1, 1), ((1, 2), 1, 1), ((2, 2), 2, 1)),
            )
        ):
            rows, columns, _ = builder.last.shape
            kernel = min(kernel[0], rows), kernel[1]
            n_out = channels * (2 if i == 6 else 1)
            weights = random.normal(0, 1, (n_out, *kernel)).astype(np.float32)
            window = Window.same((rows, columns), kernel, (stride, stride), (dilation, dilation))
            builder.add(cls, f"timed_{i}", weights, np.zeros(n_out, np.float32), window)
            channels = n_out

    @classmethod
    def price_name(cls, layer: model_file.Layer) -> str:
        by_pixel = layer.inputs[0].dtype == "int8" and depthwise_cut.cut_of(layer) is None
        return f"{layer.kind} int8 by pixel" if by_pixel else super().price_name(layer)

    @classmethod
    def counts(cls, layer: model_file.Layer) -> dict[str, Any]:
        if layer.inputs[0].dtype == "float32":
            multiplier = layer.outputs[0].shape[-1] // layer.inputs[0].shape[-1]
            at_once = multiplier if cls.written_as(layer) == "float32" else 1
            return View(layer).by_channels(at_once, BLOCKS["f32"].panel)
        cut = depthwise_cut.cut_of(layer) if layer.inputs[0].dtype == "int8" else None
        return View(layer).by_taps() if cut is None else cut.counts(layer)
