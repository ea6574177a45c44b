"""output = the input in the middle of a larger tensor, around it a constant or what its borders go on with."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from ..errors import ModelError
from ..network.layer import Layer, Record, Shape, check_same_values, float32
from ..network.tensor import Tensor
from .prices import Cost

# By their numbers in the file; a constant has none there.
MODES = ("constant", "reflect", "symmetric", "edge")


@dataclass
class Pad(Layer):
    """`before` and `after` are how many elements are added on either side of each axis; all are `value`.

    The value of an integer tensor is the real number that it stands for, like those of all others. `mode` is
    "constant", or what the borders go on with: of 1 2 3 with two in front "reflect" makes 3 2 1 2 3, "symmetric"
    2 1 1 2 3, "edge" 1 1 1 2 3.
    """

    before: tuple[int, ...]
    after: tuple[int, ...]
    value: float = 0.0
    mode: str = "constant"

    keeps_values: ClassVar[bool] = True
    ON_CORTEX_M33: ClassVar[dict[str, Cost]] = {
        "pad float32": Cost(100, 0, 3),
        "pad int8": Cost(100, 0, 2),
        "pad int16": Cost(100, 0, 3),
    }

    def output_shapes(self, shapes: list[Shape], declared: list[Shape], where: str) -> list[Shape]:
        (shape,) = shapes
        if not len(self.before) == len(self.after) == len(shape):
            got = f"{len(self.before)} and {len(self.after)}"
            raise ModelError(f"{where}: expected padding of {len(shape)} axes, got {got}")
        if min((*self.before, *self.after), default=0) < 0:
            raise ModelError(
                f"{where}: expected no axis to become smaller, got {self.before} and {self.after}"
            )
        float32(f"{where}: value", self.value)
        if self.mode not in MODES:
            raise ModelError(f"{where}: expected a mode of {', '.join(MODES)}, got {self.mode!r}")
        for n, before, after in zip(shape, self.before, self.after, strict=True):
            most = {"reflect": n - 1, "symmetric": n}.get(self.mode, max(before, after))
            if max(before, after) > most:
                raise ModelError(
                    f"{where}: expected at most {most} elements on either side of {n} to {self.mode}, got {before} "
                    f"and {after}"
                )
        return [tuple(b + n + a for b, n, a in zip(self.before, shape, self.after, strict=True))]

    def run(self, x: list[np.ndarray], sources: list[Tensor], targets: list[Tensor]) -> list[np.ndarray]:
        widths = [(0, 0), *zip(self.before, self.after, strict=True)]
        if self.mode != "constant":
            return [np.pad(x[0], widths, mode=self.mode)]
        return [np.pad(x[0], widths, constant_values=self.value)]

    def record(self, sources: list[Tensor], targets: list[Tensor]) -> Record:
        (source,), (target,) = sources, targets
        check_same_values(self, source, target)
        if self.mode != "constant":
            return Record("pad", parameters=[0, *self.before, MODES.index(self.mode)])
        if source.dtype == "float32":
            (value,) = struct.unpack("<i", struct.pack("<f", self.value))
        else:
            value = _integer(self, source)
        return Record("pad", parameters=[value, *self.before])

    @classmethod
    def timed(cls, builder: Any, inputs: list[Tensor]) -> None:
        builder.add(cls, "timed", (inputs[0].size // 2,), (inputs[0].size // 2,), inputs=inputs)


def _integer(layer: Pad, tensor: Tensor) -> int:
    """The integer of `tensor` that stands for the value. ModelError where it is beyond what the type holds."""
    scale, zero_point = float(tensor.quantization.scale[0]), tensor.quantization.zero_point
    limits = np.iinfo(tensor.dtype)
    nearest = round(layer.value / scale) + zero_point
    if not limits.min <= nearest <= limits.max:
        least, most = ((limit - zero_point) * scale for limit in (limits.min, limits.max))
        raise ModelError(
            f"{layer.title}: expected a value from {least:.4g} to {most:.4g}, which its input reaches, to pad with, "
            f"got {layer.value:.4g}; use --dtype float32"
        )
    return nearest
