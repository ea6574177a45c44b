"""output = activation(sum of windows + bias), the window of each pixel being weights @ pixel, a stride apart.

On integers it is TensorFlow Lite Micro's TRANSPOSE_CONV to the bit.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from anne import model_file
from anne.windows import MAX_STEPS

from ..errors import ModelError
from ..network.activations import activate, check_activation
from ..network.layer import Record, Shape, check_finite
from ..network.tensor import Quantization, Tensor
from . import layouts, tables
from .activated import alpha_in_file
from .prices import Cost
from .views import transposed
from .weighted import PlainWeighted
from .windows import Pair, Window


@dataclass
class ConvTranspose(PlainWeighted):
    """`weights` is (n_out, kernel_h, kernel_w, n_in); of a signal kernel_h is 1. Types as in Weighted.

    Pixels of the input lie a stride apart in the full output, of which `window.before` and `window.after` are rows and
    columns cut off; `output_padding` adds some behind, which see what was cut off there, or nothing but the bias.
    """

    weights: np.ndarray
    bias: np.ndarray
    window: Window
    output_padding: Pair = (0, 0)
    activation: str = "linear"
    alpha: float = 0.0
    weights_quantization: Quantization | None = None

    # --- What it means

    def output_shapes(self, shapes: list[Shape], declared: list[Shape], where: str) -> list[Shape]:
        (shape,) = shapes
        window = self.window
        if self.weights.ndim != 4 or self.weights.shape[1:3] != tuple(window.kernel):
            raise ModelError(
                f"{where}: expected weights (n_out, kernel_h, kernel_w, n_in) of a kernel {window.kernel}, "
                f"got shape {self.weights.shape}"
            )
        if len(shape) not in (2, 3):
            raise ModelError(
                f"{where}: expected an image (rows, columns, channels) or a signal (time, channels), got {shape}"
            )
        n_out, n_in = self.weights.shape[0], self.weights.shape[3]
        if shape[-1] != n_in:
            raise ModelError(f"{where}: expected {n_in} channels, got {shape[-1]}")
        if self.bias.shape != (n_out,):
            raise ModelError(f"{where}: expected {n_out} values of bias, got shape {self.bias.shape}")
        made = self._made(shape)
        edges = (*window.before, *window.after, *self.output_padding)
        if min((*window.kernel, *window.stride, *window.dilation, *made)) < 1 or min(edges) < 0:
            raise ModelError(
                f"{where}: expected positive sizes, and nothing negative cut off or added, got an output {made}, "
                f"{window} and output padding {self.output_padding}"
            )
        self._check_steps(shape, made, where)
        check_activation(self.activation, self.alpha, where)
        check_finite(self.weights, where, "weights")
        check_finite(self.bias, where, "bias")
        return [(*made, n_out) if len(shape) == 3 else (made[1], n_out)]

    def _made(self, shape: Shape) -> Pair:
        """Rows and columns of the output."""
        w, size = self.window, (shape[0], shape[1]) if len(shape) == 3 else (1, shape[0])
        full = (
            (n - 1) * s + (k - 1) * d + 1
            for n, s, k, d in zip(size, w.stride, w.kernel, w.dilation, strict=True)
        )
        h, v = (
            f - b - a + p for f, b, a, p in zip(full, w.before, w.after, self.output_padding, strict=True)
        )
        return h, v

    def _check_steps(self, shape: Shape, made: Pair, where: str) -> None:
        taps = self.window.kernel[0] * self.window.kernel[1]
        steps = max(taps * int(np.prod(shape)) * len(self.weights), taps * made[0] * made[1])
        if steps > MAX_STEPS:
            raise ModelError(f"{where}: expected at most {MAX_STEPS} multiplications, got {steps}")

    def run(self, x: list[np.ndarray], sources: list[Tensor], targets: list[Tensor]) -> list[np.ndarray]:
        real, bias = (part.astype(x[0].dtype) for part in self.real_weights(sources[0].quantization))
        w, shape = self.window, sources[0].shape
        image = x[0].reshape(len(x[0]), *((1, *shape) if len(shape) == 2 else shape))
        (n, rows, columns, _), made = image.shape, self._made(shape)
        ends = [
            made[0] + w.before[0] + w.stride[0] * w.kernel[0],
            made[1] + w.before[1] + w.stride[1] * w.kernel[1],
        ]
        span = [(m - 1) * s + 1 for m, s in zip((rows, columns), w.stride, strict=True)]
        room = [max(e, t + (k - 1) * d) for e, t, k, d in zip(ends, span, w.kernel, w.dilation, strict=True)]
        full = np.zeros((n, *room, len(real)), image.dtype)
        for i in range(w.kernel[0]):
            for j in range(w.kernel[1]):
                top, left = i * w.dilation[0], j * w.dilation[1]
                at = (slice(top, top + span[0], w.stride[0]), slice(left, left + span[1], w.stride[1]))
                full[:, at[0], at[1]] += image @ real[:, i, j].T
        top, left = w.before
        y = full[:, top : top + made[0], left : left + made[1]] + bias
        return [activate(self.activation, y.reshape(n, *targets[0].shape), self.alpha)]

    # --- In the file

    def record(self, sources: list[Tensor], targets: list[Tensor]) -> Record:
        (source,), (target,) = sources, targets
        parameters = [*self.window.parameters, *tables.limits(self.activation, target)]
        constants = layouts.by_taps(self, source, target)
        return Record("conv_transpose", self.activation, alpha_in_file(self), constants, parameters)

    # --- What it costs

    @classmethod
    def row_length(cls, layer: model_file.Layer) -> int:
        places = layer.inputs[0].size // layer.inputs[0].shape[-1]
        return max(1, round(layer.macs / places / layer.outputs[0].shape[-1]))

    ON_CORTEX_M33: ClassVar[dict[str, Cost]] = {
        "conv_transpose float32": Cost(300, 0, 60, 25, job=15),
        "conv_transpose int8-weights": Cost(300, 0, 80, 30, job=15),
        "conv_transpose int8": Cost(300, 0, 60, 6, job=15),
        "conv_transpose int16": Cost(300, 0, 60, 6, job=15),
    }

    @classmethod
    def counts(cls, layer: model_file.Layer) -> dict[str, Any]:
        return transposed(layer)

    @classmethod
    def timed(cls, builder: Any, inputs: list[Tensor]) -> None:
        """A signal of one channel becomes one of two, twice as long; an image grows, and then keeps its size."""
        builder.reshape("signal", (-1, 1), at=inputs[0])
        random = np.random.default_rng(inputs[0].size)

        def append(n_out: int, kernel: Pair, stride: Pair, before: Pair = (0, 0)) -> None:
            weights = random.normal(0, 0.5, (n_out, *kernel, builder.last.shape[-1])).astype(np.float32)
            builder.add(
                cls, "timed", weights, np.zeros(n_out, np.float32), Window(kernel, stride, before=before)
            )

        append(2, (1, 2), (1, 2))
        append(3, (1, 3), (1, 1), (0, 1))
        if inputs[0].size in (16, 64):
            builder.reshape("image", (2, -1, inputs[0].size // 8), at=inputs[0])
            append(2, (3, 3), (2, 2), (1, 1))
            append(5, (2, 2), (1, 1), (1, 1))
