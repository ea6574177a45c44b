"""How the window of a convolution or of a pool lies on an image (rows, columns, channels), or on a signal (time,
channels), which is an image of one row.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from anne.windows import MAX_STEPS

from ..errors import ModelError
from ..network.layer import Shape

Pair = tuple[int, int]


@dataclass(frozen=True)
class Window:
    """Rows and columns of the kernel, its stride and dilation, and how many of padding come `before` and `after`."""

    kernel: Pair
    stride: Pair = (1, 1)
    dilation: Pair = (1, 1)
    before: Pair = (0, 0)
    after: Pair = (0, 0)

    @classmethod
    def same(
        cls, size: Sequence[int], kernel: Pair, stride: Pair = (1, 1), dilation: Pair = (1, 1)
    ) -> Window:
        """Return a window padded so that an image of `size` (rows, columns) gives size / stride, rounded up.

        An odd row or column of padding comes after: TensorFlow's "same", and ONNX's SAME_UPPER.
        """
        padding = [
            max(0, (-(-n // s) - 1) * s + (k - 1) * d + 1 - n)
            for n, k, s, d in zip(size, kernel, stride, dilation, strict=True)
        ]
        before = tuple(p // 2 for p in padding)
        after = tuple(p - b for p, b in zip(padding, before, strict=True))
        return cls(kernel, stride, dilation, before, after)

    def image_shape(self, shape: Shape, channels: int, where: str) -> Shape:
        """Return the shape that it makes of an image or a signal, with `channels`; ModelError where it does not fit."""
        if len(shape) not in (2, 3):
            raise ModelError(
                f"{where}: expected an image (rows, columns, channels) or a signal (time, channels), got {shape}"
            )
        if min((*self.kernel, *self.stride, *self.dilation)) < 1 or min((*self.before, *self.after)) < 0:
            raise ModelError(f"{where}: expected positive sizes and padding from 0 on, got {self}")
        size = self._size(shape)
        made = [
            (n + b + a - (k - 1) * d - 1) // s + 1
            for n, k, s, d, b, a in zip(
                size, self.kernel, self.stride, self.dilation, self.before, self.after, strict=True
            )
        ]
        if min(made) < 1:
            raise ModelError(
                f"{where}: expected an input of at least the window's {self._reach()} less the padding "
                f"{self.before} and {self.after}, got {size}"
            )
        for n, out, k, s, d, b in zip(
            size, made, self.kernel, self.stride, self.dilation, self.before, strict=True
        ):
            if b > (k - 1) * d or (out - 1) * s - b >= n:
                raise ModelError(
                    f"{where}: expected windows {self._reach()} that reach into the image, got padding "
                    f"{self.before} and {self.after}; pad it by a layer of its own"
                )
        image = (*made, channels)
        return image if len(shape) == 3 else image[1:]

    def _reach(self) -> Pair:
        (h, w), (dilation_h, dilation_w) = self.kernel, self.dilation
        return (h - 1) * dilation_h + 1, (w - 1) * dilation_w + 1

    @staticmethod
    def _size(shape: Shape) -> Pair:
        return (shape[0], shape[1]) if len(shape) == 3 else (1, shape[0])

    def check_steps(self, made: Shape, per_tap: int, where: str) -> None:
        """ModelError if a layer of that output takes more steps than a model file's layer may."""
        h, w = self._size(made)
        steps = h * w * self.kernel[0] * self.kernel[1] * per_tap
        if steps > MAX_STEPS:
            raise ModelError(f"{where}: expected at most {MAX_STEPS} multiplications, got {steps}")

    @property
    def parameters(self) -> list[int]:
        """The words with which the layer's record begins (FORMAT.md, "Windows")."""
        return [*self.kernel, *self.stride, *self.dilation, *self.before]

    def taps(self, x: np.ndarray, made: Shape, value: float = 0.0) -> Iterator[tuple[int, int, np.ndarray]]:
        """Yield (i, j, image) for each tap of the window: what it sees at all positions.

        x (n, rows, columns, channels) or (n, time, channels), padded with `value`; `made` is the output's shape. The
        images are views (n, rows of the output, columns of the output, channels).
        """
        x = x.reshape(len(x), *self._size(x.shape[1:]), x.shape[-1])
        (h, w), (stride_h, stride_w) = self._size(made), self.stride
        widths = [(0, 0), *zip(self.before, self.after, strict=True), (0, 0)]
        padded = np.pad(x, widths, constant_values=value)
        for i in range(self.kernel[0]):
            for j in range(self.kernel[1]):
                top, left = i * self.dilation[0], j * self.dilation[1]
                rows = slice(top, top + (h - 1) * stride_h + 1, stride_h)
                columns = slice(left, left + (w - 1) * stride_w + 1, stride_w)
                yield i, j, padded[:, rows, columns]
