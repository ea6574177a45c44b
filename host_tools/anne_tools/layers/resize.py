"""output = the image, or the signal, in another size, of the nearest pixels or between four (bilinear): upsampling,
mostly.

Which pixels one of the output is made of stands in the file, so all rules of frameworks are the same layer there.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
from anne.layers.resize import BILINEAR, NEAREST, ONE

from ..errors import ModelError
from ..network.layer import Layer, Record, Shape, check_same_values
from ..network.tensor import Tensor
from .copies import ON_CORTEX_M33, copied, item_bytes, summed
from .prices import Cost

MODES = {"nearest": NEAREST, "bilinear": BILINEAR}
# How a position between two pixels becomes one of them; "": as TensorFlow Lite has it, down, but with align_corners to
# the nearest.
ROUNDINGS = {
    "": None,
    "floor": np.floor,
    "ceil": np.ceil,
    "round_prefer_floor": lambda x: np.ceil(x - np.float32(0.5)),
    "round_prefer_ceil": lambda x: np.floor(x + np.float32(0.5)),
}
Pair = tuple[int, int]


@dataclass
class Resize(Layer):
    """To `size`, (rows, columns), of a signal (1, time). Pixel i of the output lies at i in / out of the input; with
    `align_corners` at i (in - 1) / (out - 1), with `half_pixel_centers` at (i + 1/2) in / out - 1/2.

    `scale`, out / in of rows and of columns, stands for those of the sizes where a framework was given it. `rounding`,
    one of ROUNDINGS, says which pixel is the nearest (ONNX). So PyTorch's bilinear is half_pixel_centers, its nearest
    the default, nearest-exact half_pixel_centers; Keras's likewise.
    """

    size: Pair
    mode: str
    align_corners: bool = False
    half_pixel_centers: bool = False
    scale: tuple[float, float] | None = None
    rounding: str = ""

    keeps_values: ClassVar[bool] = True
    ON_CORTEX_M33: ClassVar[dict[str, Cost]] = {
        "resize nearest": ON_CORTEX_M33,
        "resize float32": replace(ON_CORTEX_M33, per_mac=25, window=30),
        "resize int8": Cost(300, 0, 15, 6, row=20),
        "resize int16": Cost(300, 0, 25, 6, row=20),
    }

    def output_shapes(self, shapes: list[Shape], declared: list[Shape], where: str) -> list[Shape]:
        (shape,) = shapes
        if len(shape) not in (2, 3):
            raise ModelError(
                f"{where}: expected an image (rows, columns, channels) or a signal (time, channels), got {shape}"
            )
        if self.mode not in MODES or self.rounding not in ROUNDINGS:
            raise ModelError(
                f"{where}: expected a mode of {', '.join(MODES)} and a rounding of {', '.join(list(ROUNDINGS)[1:])}, "
                f"got {self.mode!r} and {self.rounding!r}"
            )
        if len(self.size) != 2 or min(self.size) < 1 or (len(shape) == 2 and self.size[0] != 1):
            raise ModelError(f"{where}: expected rows and columns for {shape}, got {self.size}")
        if self.scale is not None and not all(1e-6 < scale < 1e6 for scale in self.scale):
            raise ModelError(f"{where}: expected scales above 0, got {self.scale}")
        return [(*self.size[3 - len(shape) :], shape[-1])]

    def run(self, x: list[np.ndarray], sources: list[Tensor], targets: list[Tensor]) -> list[np.ndarray]:
        y = x[0].reshape(len(x[0]), *self._sides(sources[0]), -1)
        for axis, n in enumerate(self._sides(sources[0])):
            if self.mode == "nearest":
                y = np.take(y, self._nearest(axis, n), axis + 1)
                continue
            indices, weights = self._between(axis, n)
            weights = weights.reshape(-1, *[1] * (2 - axis)).astype(y.dtype)
            after = np.take(y, np.minimum(indices + 1, n - 1), axis + 1)
            y = np.where(
                weights == 0,
                np.take(y, indices, axis + 1),
                np.take(y, indices, axis + 1) * (1 - weights) + after * weights,
            )
        return [y.reshape(len(y), *targets[0].shape)]

    @staticmethod
    def _sides(tensor: Tensor) -> Pair:
        return tensor.shape[:2] if len(tensor.shape) == 3 else (1, tensor.shape[0])

    # --- Where pixels lie: in float32, as frameworks compute it

    def _step(self, axis: int, n: int) -> np.float32:
        size = self.size[axis]
        if self.align_corners and size > 1:
            return np.float32(n - 1) / np.float32(size - 1)
        if self.scale is not None:
            return np.float32(1 / self.scale[axis])
        return np.float32(n) / np.float32(size)

    def _nearest(self, axis: int, n: int) -> np.ndarray:
        places = np.arange(self.size[axis], dtype=np.float32)
        half, step = np.float32(0.5), self._step(axis, n)
        offset = half if self.half_pixel_centers else np.float32(0)
        places = (places + offset) * step
        if self.rounding:
            found = ROUNDINGS[self.rounding](places - offset)
        else:
            found = np.floor(places + half) if self.align_corners else np.floor(places)
        return np.clip(found, 0, n - 1).astype(np.int32)

    def _between(self, axis: int, n: int) -> tuple[np.ndarray, np.ndarray]:
        """Return the first of two pixels, and the second one's weight, for each of the output along an axis."""
        places, step = np.arange(self.size[axis], dtype=np.float32), self._step(axis, n)
        half = np.float32(0.5)
        places = (places + half) * step - half if self.half_pixel_centers else places * step
        places = np.clip(places, np.float32(0), np.float32(n - 1))
        indices = np.floor(places)
        weights = places - indices
        weights[weights < 2.0**-126] = 0
        return indices.astype(np.int32), weights.astype(np.float32)

    def _between_integers(self, axis: int, n: int) -> tuple[np.ndarray, np.ndarray]:
        """The same with weights of 1024, as TensorFlow Lite computes them."""
        size = self.size[axis]
        if self.align_corners and size > 1:
            step = (ONE * (n - 1) + (size - 1) // 2) // (size - 1)
        elif self.scale is not None:
            step = round(ONE / self.scale[axis])
        else:
            step = (ONE * n + size // 2) // size
        places = np.arange(size, dtype=np.int64) * step
        if self.half_pixel_centers:
            places += step // 2 - ONE // 2
        places = np.clip(places, 0, ONE * (n - 1))
        return (places // ONE).astype(np.int32), (places % ONE).astype(np.int32)

    def record(self, sources: list[Tensor], targets: list[Tensor]) -> Record:
        check_same_values(self, sources[0], targets[0])
        sides = list(enumerate(self._sides(sources[0])))
        if self.mode == "nearest":
            constants = [self._nearest(*side) for side in sides]
        else:
            between = self._between if sources[0].dtype == "float32" else self._between_integers
            constants = list(sum(zip(*(between(*side) for side in sides), strict=True), ()))
        stored = [c.astype(c.dtype.newbyteorder("<")).tobytes() for c in constants]
        return Record("resize", constants=stored, parameters=[MODES[self.mode]])

    @classmethod
    def timed(cls, builder: Any, inputs: list[Tensor]) -> None:
        """To twice the size and to less than that, between pixels and of the nearest; a larger one is an image."""
        n = inputs[0].size
        channels = 3 if n % 3 == 0 else 2
        shape = (4, -1, channels) if n >= 64 else (1, -1, channels)
        for mode in MODES:
            for scale in (2, 0.75):
                image = builder.reshape(
                    "timed_image", shape, at=inputs[0] if mode == "nearest" and scale == 2 else None
                )
                size = tuple(max(1, round(scale * side)) if side > 1 else 1 for side in image.shape[:2])
                builder.add(cls, f"timed {mode}", size, mode)

    @classmethod
    def counts(cls, layer: Any) -> dict[str, Any]:
        """Of nearest pixels copies, of them or of whole rows; of others numbers that are weighted in rows first, and
        those that are blended, of floats only where they are not copied.
        """
        x, y = layer.inputs[0], layer.outputs[0]
        (_, in_w), (out_h, out_w) = ((1, *tensor.shape[:-1])[-2:] for tensor in (x, y))
        pixel, n = y.shape[-1] * item_bytes(y), in_w * y.shape[-1]
        rows, *_ = lists = [np.frombuffer(constant, np.int32) for constant in layer.constants]
        if layer.parameters[0] == NEAREST:
            new = 1 + int((np.diff(rows[:out_h]) != 0).sum())
            return summed(copied(pixel, new * out_w), copied(pixel * out_w, out_h - new), {"window": out_h})
        between = [
            int((weights[:n_out] != 0).sum())
            for weights, n_out in zip(lists[2:], (out_h, out_w), strict=True)
        ]
        if x.dtype != "float32":
            return {"n_out": y.size, "row": out_h * out_w, "macs": out_h * n, "window": out_h}
        blended = {
            "macs": between[0] * n + out_h * between[1] * y.shape[-1],
            "window": out_h * between[1] + between[0],
        }
        return summed(copied(pixel, out_h * (out_w - between[1])), blended)

    @classmethod
    def price_name(cls, layer: Any) -> str:
        is_nearest = layer.parameters[0] == NEAREST
        return "resize nearest" if is_nearest else super().price_name(layer)
