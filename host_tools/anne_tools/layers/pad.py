"""output = the input in the middle of a larger tensor, around it a constant or what its borders go on with."""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from anne import model_file

from ..errors import ModelError
from ..network.layer import Layer, Record, Shape, check_same_values, float32
from ..network.tensor import Tensor
from .copies import ON_CORTEX_M33, called, copied, item_bytes, summed
from .prices import Cost
from .views import row_steps

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
        "pad float32": Cost(100, 0.5, 3, rest_column=4, row=20),
        "pad int8": Cost(100, 0.5, 2, rest_column=4, row=20),
        "pad int16": Cost(100, 0.5, 3, rest_column=4, row=20),
        "pad border": ON_CORTEX_M33,
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
    def price_name(cls, layer: model_file.Layer) -> str:
        goes_on = len(layer.parameters) > 1 + len(layer.inputs[0].shape)
        return "pad border" if goes_on else super().price_name(layer)

    @classmethod
    def counts(cls, layer: model_file.Layer) -> dict[str, Any]:
        """Rows of the input, which are copied, and elements filled before; of a border that goes on copies of elements
        of each axis, from the last one on, and lines in which they lie.
        """
        x, y = layer.inputs[0], layer.outputs[0]
        rows, row_bytes, n_bytes = x.size // x.shape[-1], x.shape[-1] * item_bytes(x), item_bytes(x)
        offset = sum(n * step for n, step in zip(layer.parameters[1:], row_steps(y.shape), strict=False))
        drift = (y.shape[-1] - x.shape[-1]) * n_bytes
        laid = called(row_bytes, rows, offset * n_bytes, drift)
        if cls.price_name(layer) != "pad border":
            return {"row": rows, "n_in": laid["n_out"], "rest_column": laid["rest_column"], "n_out": y.size}
        parts = [{"window": rows}, laid]
        for axis in reversed(range(len(x.shape))):
            more, lines = y.shape[axis] - x.shape[axis], math.prod(x.shape[:axis])
            if more:
                parts += [copied(n_bytes, lines * more), {"run": lines, "table": lines * axis}]
            n_bytes *= y.shape[axis]
        return summed(*parts)

    @classmethod
    def timed(cls, builder: Any, inputs: list[Tensor]) -> None:
        """A line, and images that grow along one axis, or all: of zeros, and of what the borders go on with."""
        n = inputs[0].size
        builder.add(cls, "timed", (n // 2,), (n // 2,), inputs=inputs)
        for mode in MODES if n % 4 == 0 else ():
            builder.add(cls, f"timed line {mode}", (2,), (3,), inputs=inputs, mode=mode)
            image = builder.reshape("image", (-1, 2, 2 if n < 64 else 4), at=inputs[0])
            for before in ((1, 0, 0), (0, 1, 0), (0, 0, 1), (1, 1, 0)):
                builder.add(cls, f"timed {mode}", before, (1, 1, 1), inputs=[image], mode=mode)
                builder.add(cls, f"timed few {mode}", before, (0, 0, 0), inputs=[image], mode=mode)


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
