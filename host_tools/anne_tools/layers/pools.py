"""What the kinds of pools have in common: a window that moves over an image, channel by channel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from anne import model_file

from ..errors import ModelError
from ..network.activations import FUSED_INTEGER, activate, check_activation
from ..network.layer import Layer, Record, Shape, check_same_values
from ..network.tensor import Tensor
from . import tables
from .activated import alpha_in_file
from .prices import Chip
from .views import View
from .windows import Window

WINDOW_PARAMETERS = 8


@dataclass
class Pool(Layer):
    """Input and output have one scale on integers. The kinds have fields `activation` and `alpha`, as in Activation."""

    window: Window

    keeps_values: ClassVar[bool] = True
    timed_larger: ClassVar[tuple[int, ...]] = (112, 160, 192)

    def output_shapes(self, shapes: list[Shape], declared: list[Shape], where: str) -> list[Shape]:
        check_activation(self.activation, self.alpha, where)
        (shape,) = shapes
        made = self.window.image_shape(shape, shape[-1], where)
        self.window.check_steps(made, shape[-1], where)
        size = shape[:2] if len(shape) == 3 else (1, shape[0])
        for n, pad, dilation in zip(size, self.window.before, self.window.dilation, strict=True):
            if pad > 0 and dilation > n:
                raise ModelError(
                    f"{where}: expected a dilation of 1 to {n} where there is padding, got {dilation}"
                )
        return [made]

    def run(self, x: list[np.ndarray], sources: list[Tensor], targets: list[Tensor]) -> list[np.ndarray]:
        shape = (len(x[0]), *targets[0].shape)
        return [activate(self.activation, self.joined(x[0], targets[0].shape).reshape(shape), self.alpha)]

    def joined(self, x: np.ndarray, made: Shape) -> np.ndarray:
        """Return what windows see of x (n, rows, columns, channels), joined: before the activation."""
        raise NotImplementedError

    def record(self, sources: list[Tensor], targets: list[Tensor]) -> Record:
        (source,), (target,) = sources, targets
        check_same_values(self, source, target)
        if target.dtype != "float32" and self.activation not in FUSED_INTEGER:
            raise ModelError(
                f"{self.name}: expected an activation of {', '.join(FUSED_INTEGER)}, got {self.activation}"
            )
        parameters = [*self.window.parameters, *tables.limits(self.activation, target)]
        return Record(self.kind, self.activation, alpha_in_file(self), parameters=parameters)

    @classmethod
    def timed(cls, builder: Any, inputs: list[Tensor]) -> None:
        """Signals in windows of two, of three that are padded, and of half their steps; larger ones are images, too."""
        n = inputs[0].size
        steps = 4 if n < 64 else 16
        channels = max(1, n // steps)
        signal = builder.reshape("signal", (-1, channels), at=inputs[0])
        odd = builder.reshape("odd", (-1, 3 if n % 3 == 0 else 2), at=inputs[0])
        for read, kernel, pad in (
            (signal, 2, 0),
            (signal, 3, 1),
            (signal, steps // 2, 0),
            (odd, 2, 0),
            (odd, 3, 1),
        ):
            if read.shape[0] + 2 * pad >= kernel:
                builder.add(cls, "timed", Window((1, kernel), before=(0, pad), after=(0, pad)), inputs=[read])
        if n >= 64:
            image = builder.reshape("image", (4, 4, channels), at=inputs[0])
            builder.add(cls, "timed image", Window.same((4, 4), (3, 3)), inputs=[image])
            builder.add(cls, "timed border", Window((2, 2), before=(1, 1), after=(0, 0)), inputs=[image])
            builder.add(cls, "timed apart", Window((2, 2), (2, 2)), inputs=[image])

    @classmethod
    def counts(cls, layer: model_file.Layer) -> dict[str, Any]:
        view, y = View(layer), layer.outputs[0]
        parts = view.joined(cls.alone(layer))
        if cls.by_fours(layer):
            limits = layer.parameters[WINDOW_PARAMETERS:]
            limited = limits[0] > -128 or limits[1] < 127
            parts |= {"job": view.calls, "exact": y.size if limited else 0}
        return parts

    @classmethod
    def price_name(cls, layer: model_file.Layer) -> str:
        return super().price_name(layer) + (" by fours" if cls.by_fours(layer) else "")

    @classmethod
    def by_fours(cls, layer: model_file.Layer) -> bool:
        """Return whether four channels of int8 are read as a word."""
        return layer.inputs[0].dtype == "int8" and layer.inputs[0].shape[-1] % 4 == 0

    @classmethod
    def alone(cls, layer: model_file.Layer) -> bool:
        """Return whether channels are joined one by one, not four at a time."""
        return False

    @classmethod
    def cycles(cls, layer: model_file.Layer, chip: Chip) -> float:
        return super().cycles(layer, chip) + chip.activation_cycles(layer)
