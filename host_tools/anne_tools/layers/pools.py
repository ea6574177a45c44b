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
from .windows import Window


@dataclass
class Pool(Layer):
    """Input and output have one scale on integers. The kinds have fields `activation` and `alpha`, as in Activation."""

    window: Window

    keeps_values: ClassVar[bool] = True

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
        """A signal in windows of two, of three that are padded, and, a larger one, of half its steps."""
        steps = 4 if inputs[0].size < 64 else 16
        channels = max(1, inputs[0].size // steps)
        builder.reshape("signal", (inputs[0].size // channels, channels), at=inputs[0])
        builder.add(cls, "timed", Window((1, 2)))
        builder.add(cls, "timed wider", Window((1, 3), before=(0, 1), after=(0, 1)))
        builder.add(cls, "timed widest", Window((1, steps // 2)))

    @classmethod
    def counts(cls, layer: model_file.Layer) -> dict[str, Any]:
        """Windows, results and taps."""
        kernel_h, kernel_w = layer.parameters[:2]
        y = layer.outputs[0]
        return {"n_in": y.size // y.shape[-1], "n_out": y.size, "macs": y.size * kernel_h * kernel_w}

    @classmethod
    def cycles(cls, layer: model_file.Layer, chip: Chip) -> float:
        return super().cycles(layer, chip) + chip.activation_cycles(layer)
