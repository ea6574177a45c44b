"""output = activation(weights @ what a window sees + bias), at every place of an image or a signal.

Also a dense layer on every row of its input: a window of one pixel. On integers it is TensorFlow Lite Micro's CONV_2D
to the bit.
"""

from __future__ import annotations

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
from .views import View
from .walks import Walk
from .weighted import Weighted
from .windows import Window


@dataclass
class Conv(Weighted):
    """`weights` is (n_out, kernel_h, kernel_w, n_in / groups); of a signal kernel_h is 1. Types as in Weighted.

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
        "conv f32": Cost(300, 5, 40, block_column=5),
        "conv f32_aligned": Cost(300, 20, 60, block_column=10, window=300),
        "conv s8_f32": Cost(300, 20, 60, block_column=48, rest_column=24, window=300),
        "conv s8_quad": Cost(1000, 2, 40, block=40, rest=30, block_column=20, rest_column=10, window=50),
        "conv s8_quad gathered": Cost(
            1000, 4, 40, block=40, rest=30, block_column=20, rest_column=10, window=50
        ),
        "conv s16": Cost(300, 4, 30, block_column=18, rest_column=3, window=150),
        "conv s4": Cost(300, 4, 30, block_column=16, window=150),
    }

    timed_larger: ClassVar[tuple[int, ...]] = (256, 576)
    # Channels and side of the windows, one after another: of small images, and of larger ones. Those below 0 are in two
    # groups, of pixels two apart.
    TIMED: ClassVar[tuple[tuple[int, int], ...]] = (
        *((8, 3), (16, 1), (16, 3), (6, 1), (7, 3), (28, 1), (8, 2), (4, 1), (6, -3)),
        *((1, 1), (5, 3), (3, 1), (64, 2), (4, 1), (4, 3)),
    )
    TIMED_LARGER: ClassVar[tuple[tuple[int, int], ...]] = (
        *(
            (8, 3),
            (16, 1),
            (16, 3),
            (6, 1),
            (10, 3),
            (7, 1),
            (28, 3),
            (32, 1),
            (8, -3),
            (32, 1),
            (12, 3),
            (3, 1),
        ),
        *((30, 1), (9, 1), (64, 3), (16, 1), (1, 1), (5, 3), (3, 3), (64, 2), (3, 1), (8, 3), (4, 1), (4, 3)),
    )
    TIMED_WIDE: ClassVar[tuple[tuple[int, int], ...]] = (
        *((3, 1), (16, 3), (1, 1), (28, 3), (3, 1), (8, 3), (4, 1), (4, 3)),
    )

    @classmethod
    def timed(cls, builder: Any, inputs: list[Tensor]) -> None:
        """Windows of several sizes, one after another; the weights of the last of columns of unlike sizes."""
        # others the second time, as equal weights are kept once, and such are not rewritten
        n, random = inputs[0].size, np.random.default_rng([inputs[0].size, len(builder.layers)])
        channels = 4 if n % 4 == 0 else 1
        side = 3 if n >= 576 else 8 if n >= 256 else 4 if n >= 64 else 1
        builder.reshape("image", (side, n // channels // side, channels), at=inputs[0])
        chain = cls.TIMED_WIDE if n >= 576 else cls.TIMED_LARGER if n >= 256 else cls.TIMED
        for i, (n_out, kernel) in enumerate(chain):
            shape = builder.last.shape
            groups, kernel = (2, -kernel) if kernel < 0 else (1, kernel)
            size = (kernel * kernel * shape[2] / groups) ** -0.5
            conv = random.normal(0, size, (n_out, kernel, kernel, shape[2] // groups)).astype(np.float32)
            if i == len(chain) - 1:
                conv[..., 1:] *= 1e-4  # so that layouts.choose takes f32
            bias = np.zeros(n_out, np.float32)
            window = Window.same(shape[:2], (kernel, kernel), dilation=(groups, groups))
            builder.add(cls, f"timed_{i}", conv, bias, window, groups)

    @classmethod
    def price_name(cls, layer: model_file.Layer) -> str:
        return Walk(layer).name if layer.kernel == "s8_quad" else f"conv {layer.kernel}"

    @classmethod
    def counts(cls, layer: model_file.Layer) -> dict[str, Any]:
        if layer.kernel == "s8_quad":
            return Walk(layer).counts()
        return View(layer).gathered(layer.parameters[8], blocks_of(layer))

    @classmethod
    def priced_as(cls, layer: model_file.Layer, chip: Chip) -> tuple[str, dict[str, Any]]:
        if layer.kernel == "s8_quad" and chip.rewrites:
            walk = Walk(layer)
            return walk.name_of_pairs, walk.pairs()
        return super().priced_as(layer, chip)

    @classmethod
    def cycles(cls, layer: model_file.Layer, chip: Chip) -> float:
        return super().cycles(layer, chip) + chip.activation_cycles(layer)
