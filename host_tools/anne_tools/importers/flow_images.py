"""What PyTorch and ONNX do to images (N, C, H, W) and signals (N, C, T): layers that want their channels last."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ..errors import ModelError
from ..layers import AveragePool, ConvTranspose, MaxPool, Resize, room
from ..layers.windows import Window
from ..network.tensor import Quantization
from . import axes as lying
from . import budget
from .flow import Key, Step, Value
from .flow_moves import Moves
from .flow_values import SPREAD

Pair = tuple[int, int]


class Images(Moves):
    """A Flow whose images have their channels in front. Windows are pairs, (1, k) for a signal."""

    def image(self, step: Step, key: Key) -> Value:
        """Return an image or signal in a tensor with its channels last; ModelError if it is none."""
        x = self.as_it_lies(step, key)
        if len(x.shape) not in (3, 4) or x.shape[0] != 1:
            raise ModelError(
                f"{step.where}: expected an image (1, channels, rows, columns) or a signal (1, channels, time), got "
                f"shape {x.shape}"
            )
        rank = len(x.shape)
        x = self.arranged(step, x, lying.channels_last(rank))
        return self._under(step, x, (*x.shape[2:], x.shape[1]))

    def size(self, step: Step, key: Key) -> Pair:
        """Return the rows and columns of an image; a signal has one row."""
        x = self.as_it_lies(step, key)
        if len(x.shape) not in (3, 4):
            raise ModelError(f"{step.where}: expected an image or a signal, got shape {x.shape}")
        return (1, *x.shape[2:])[-2:]

    def _channels_in_front(self, made: Value) -> Value:
        """What a layer has made of an image, as the framework sees it."""
        _, *size, channels = made.shape
        shape = (1, channels, *size)
        return replace(made, shape=shape, axes=lying.arranged(None, shape, lying.channels_last(len(shape))))

    def convolution(
        self,
        step: Step,
        key: Key,
        weights: np.ndarray,
        bias: np.ndarray | None,
        window: Window,
        groups: int = 1,
        activation: str = "linear",
        quantization: Quantization | None = None,
    ) -> None:
        """weights (n_out, n_in / groups, rows, columns), or without rows, over an image or signal, plus bias."""
        key, window = self._reaching_in(step, key, window)
        x, weights = self.image(step, key), self._kernel(step, key, weights)
        channels, n_out = x.shape[1], len(weights)
        if groups < 1 or n_out % groups or weights.shape[1] * groups != channels:
            raise ModelError(
                f"{step.where}: expected {channels} channels in {groups} groups, got weights of shape {weights.shape}"
            )
        bias = self._bias(step, bias, n_out)
        if groups == channels > 1:
            taps, kind, more = weights[:, 0], "depthwise_conv", ()
        else:
            taps, kind, more = weights.transpose(0, 2, 3, 1), "conv", (groups,)
        taps = self._numbers(step, taps, quantization)
        arguments = (taps, bias, window, *more, activation, 0.0, quantization)
        made = self.placed(step, [x], room(kind), *arguments)
        self.values[step.output] = self._channels_in_front(made)

    def _reaching_in(self, step: Step, key: Key, window: Window) -> tuple[Key, Window]:
        """Return (image, window) with windows that all reach into the image: zeros beyond them are a Pad before."""
        more: list[tuple[int, int]] = []
        sides = zip(
            *(
                self.size(step, key),
                window.kernel,
                window.stride,
                window.dilation,
                window.before,
                window.after,
            ),
            strict=True,
        )
        for n, k, s, d, before, after in sides:
            reach = (k - 1) * d
            out = (n + before + after - reach - 1) // s + 1
            beyond = (out - 1) * s - before - n + 1
            more.append((max(0, before - reach), max(0, min(beyond, after))))
        if not any(map(any, more)):
            return key, window
        padded = replace(step, output=(step.output, "padded"))
        rank = len(self.as_it_lies(step, key).shape)
        self.pad(padded, key, [(0, 0), (0, 0), *more[4 - rank :]], 0.0)
        before, after = (
            tuple(n - pair[i] for n, pair in zip(pads, more, strict=True))
            for i, pads in enumerate((window.before, window.after))
        )
        return padded.output, replace(window, before=before, after=after)

    def transposed_convolution(
        self,
        step: Step,
        key: Key,
        weights: np.ndarray,
        bias: np.ndarray | None,
        window: Window,
        output_padding: Pair,
        groups: int = 1,
        activation: str = "linear",
        quantization: Quantization | None = None,
    ) -> None:
        """weights (n_in, n_out / groups, rows, columns), or without rows; the window's padding is cut off."""
        x, weights = self.image(step, key), self._kernel(step, key, weights)
        n_in, per_group = weights.shape[:2]
        if groups < 1 or n_in != x.shape[1] or n_in % groups:
            raise ModelError(
                f"{step.where}: expected {x.shape[1]} channels in {groups} groups, got weights of shape {weights.shape}"
            )
        n_out, n = per_group * groups, n_in // groups
        budget.elements(step.where, (n_out, *weights.shape[2:], n_in))
        taps = np.zeros((n_out, *weights.shape[2:], n_in), np.float64)
        for g in range(groups):
            part = weights[g * n : (g + 1) * n].transpose(1, 2, 3, 0)
            taps[g * per_group : (g + 1) * per_group, :, :, g * n : (g + 1) * n] = part
        taps, bias = self._numbers(step, taps, quantization), self._bias(step, bias, n_out)
        arguments = (taps, bias, window, output_padding, activation, 0.0, quantization)
        made = self.placed(step, [x], ConvTranspose, *arguments)
        self.values[step.output] = self._channels_in_front(made)

    def _kernel(self, step: Step, key: Key, weights: np.ndarray) -> np.ndarray:
        """Return weights with rows."""
        rank = len(self.as_it_lies(step, key).shape)
        if weights.ndim != rank:
            raise ModelError(f"{step.where}: expected weights of {rank} axes, got shape {weights.shape}")
        budget.elements(step.where, weights.shape)
        return weights if rank == 4 else weights[:, :, np.newaxis]

    def _bias(self, step: Step, bias: np.ndarray | None, n_out: int) -> np.ndarray:
        bias = np.zeros(n_out) if bias is None else bias
        if bias.size not in (1, n_out):
            raise ModelError(f"{step.where}: expected {n_out} values of bias, got {bias.size}")
        dtype = np.float32 if step.dtype == "float32" else np.int32
        return np.broadcast_to(bias.reshape(-1), (n_out,)).astype(dtype)

    def _numbers(self, step: Step, taps: np.ndarray, quantization: Quantization | None) -> np.ndarray:
        return np.ascontiguousarray(taps, np.float32 if quantization is None else np.int8)

    # Pools

    def max_pool(self, step: Step, key: Key, window: Window) -> None:
        """The greatest value in each window."""
        made = self.placed(step, [self.image(step, key)], MaxPool, window)
        self.values[step.output] = self._channels_in_front(made)

    def average_pool(self, step: Step, key: Key, window: Window, count_padding: bool = False) -> None:
        """The mean of each window; `count_padding` says whether the padding counts as zeros."""
        kind = AveragePool
        is_padded = any((*window.before, *window.after))
        made = self.placed(step, [self.image(step, key)], kind, window, count_padding and is_padded)
        self.values[step.output] = self._channels_in_front(made)

    def adaptive_pool(self, step: Step, key: Key, size: Pair, operation: str) -> None:
        """Windows that part an image into `size` equal ones: their mean or the greatest in them."""
        given = self.size(step, key)
        if min(size) < 1 or any(n % parts for n, parts in zip(given, size, strict=True)):
            raise ModelError(
                f"{step.where}: a pool of {given} to {size} is not supported; supported are sizes that divide it"
            )
        if size == (1, 1):
            rank = len(self.as_it_lies(step, key).shape)
            return self.reduce(step, key, operation, range(2, rank), keepdims=True)
        kernel = tuple(n // parts for n, parts in zip(given, size, strict=True))
        pool = self.average_pool if operation == "mean" else self.max_pool
        return pool(step, key, Window(kernel, kernel))

    def window(
        self,
        step: Step,
        key: Key,
        kernel: Sequence[int],
        stride: Sequence[int] = (),
        dilation: Sequence[int] = (),
        before: Sequence[int] = (),
        after: Sequence[int] | None = None,
        auto: str = "",
        ceil: bool = False,
    ) -> Window:
        """Return the window on that image: numbers for each of its axes, or none for 1 (padding: 0).

        `auto` "SAME_UPPER" and "SAME_LOWER" pad as much as keeps the size over the stride; with `ceil` the last window
        may begin inside and reach beyond the padding.
        """
        size = self.size(step, key)
        rank = len(self.as_it_lies(step, key).shape) - 2
        after = before if after is None else after
        given = {"kernel": kernel, "stride": stride, "dilation": dilation, "before": before, "after": after}
        for what, numbers in given.items():
            if len(numbers) not in (0, rank) or (what == "kernel" and not numbers):
                raise ModelError(f"{step.where}: expected {rank} numbers of {what}, got {list(numbers)[:16]}")
            default = 0 if what in ("before", "after") else 1
            numbers = [default] * (2 - rank) + list(numbers or [default] * rank)
            if not all(default <= n < 1 << 31 for n in numbers):
                raise ModelError(f"{step.where}: {what} of {numbers} is not supported")
            given[what] = tuple(numbers)
        window = Window(**given)
        if auto in ("SAME_UPPER", "SAME_LOWER"):
            same = Window.same(size, window.kernel, window.stride, window.dilation)
            if auto == "SAME_LOWER":
                same = replace(same, before=same.after, after=same.before)
            return same
        return _ceiled(size, window) if ceil else window

    def resize(self, step: Step, key: Key, size: Pair, mode: str, align_corners=False, half_pixel=False):
        """Nearest or bilinear, to `size` rows and columns."""
        x = self.image(step, key)
        kind, is_signal = Resize, len(x.shape) == 3
        if is_signal:
            x = self._under(step, x, (1, x.shape[2], x.shape[1]))
        made = self.placed(step, [x], kind, size, mode, align_corners, half_pixel)
        if is_signal:
            made = replace(self._under(step, made, (size[1], made.shape[-1])), shape=(1, *made.shape[2:]))
        self.values[step.output] = self._channels_in_front(made)

    def spread(self, step: Step, key: Key, shape: Sequence[int]) -> None:
        """The one row and column of an image, or the one frame of a signal, repeated to `shape`."""
        x = self.as_it_lies(step, key)
        if x.shape == tuple(shape):
            return self.same(step, key)
        if len(x.shape) not in (3, 4) or len(x.shape) != len(shape) or x.shape[:2] != tuple(shape[:2]):
            raise ModelError(
                f"{step.where}: from shape {x.shape} to {tuple(shape)} is not supported; supported are images of one "
                "row and column, and what add, subtract and multiply spread by themselves"
            )
        self.resize(step, key, (1, *shape[2:])[-2:], "nearest")
        self.values[step.output] = replace(self.values[step.output], pattern=SPREAD, base=x)

    def instance_norm(self, step: Step, key: Key, weight, bias, epsilon: float) -> None:
        """Each channel less its mean over its own divergence, times weight, plus bias."""
        x = self.as_it_lies(step, key)
        last = range(2, len(x.shape))
        shape = x.shape[2:]
        normed = replace(step, output=(step.output, "normed"))
        self.layer_norm(normed, key, last, np.ones(shape), np.zeros(shape), epsilon)
        self.scaling(step, normed.output, weight, bias, axis=1)

    def group_norm(self, step: Step, key: Key, groups: int, weight, bias, epsilon: float) -> None:
        """Each group of channels less its mean over its own divergence, then channel by channel times weight, plus
        bias."""
        shape = self.as_it_lies(step, key).shape
        if len(shape) < 2 or groups < 1 or shape[1] % groups:
            raise ModelError(f"{step.where}: {groups} groups do not fit shape {shape}")
        n = math.prod(shape[1:]) // groups
        parts, normed, whole = (
            replace(step, output=(step.output, what)) for what in ("parts", "normed", "whole")
        )
        self.reshape(parts, key, (1, groups, n))
        self.layer_norm(normed, parts.output, [2], np.ones(n), np.zeros(n), epsilon)
        self.reshape(whole, normed.output, shape)
        self.scaling(step, whole.output, weight, bias, axis=1)

    def blocks(self, step: Step, key: Key, block: int, to_space: bool, channels_first: bool) -> None:
        """Channels to blocks of pixels, or the other way; of the channels that are a block's, those of an image come
        first (PyTorch's pixel_shuffle), or the places in the block (ONNX's DCR)."""
        shape = self.as_it_lies(step, key).shape
        divisors = (1, block * block, 1, 1) if to_space else (1, 1, block, block)
        if len(shape) != 4 or block < 1 or any(n % d for n, d in zip(shape, divisors, strict=True)):
            raise ModelError(f"{step.where}: blocks of {block} do not fit shape {shape}")
        n, channels, rows, columns = shape
        if to_space:
            channels //= block * block
            given = (n, channels, block, block, rows, columns)
            given = given if channels_first else (n, block, block, channels, rows, columns)
            order = (0, 1, 4, 2, 5, 3) if channels_first else (0, 3, 4, 1, 5, 2)
            made = (n, channels, rows * block, columns * block)
        else:
            given = (n, channels, rows // block, block, columns // block, block)
            order = (0, 1, 3, 5, 2, 4) if channels_first else (0, 3, 5, 1, 2, 4)
            made = (n, channels * block * block, rows // block, columns // block)
        parts, moved = (replace(step, output=(step.output, what)) for what in ("parts", "moved"))
        self.reshape(parts, key, given)
        self.transpose(moved, parts.output, order)
        self.reshape(step, moved.output, made)


def _ceiled(size: Pair, window: Window) -> Window:
    """The window with so much padding behind that the last one is there that begins inside or in the padding before."""
    after = list(window.after)
    for axis in range(2):
        n, k, s = size[axis], window.kernel[axis], window.stride[axis]
        reach, before = (k - 1) * window.dilation[axis] + 1, window.before[axis]
        count = -(-(n + before + after[axis] - reach) // s) + 1
        if (count - 1) * s >= n + before:
            count -= 1
        after[axis] = max(after[axis], (count - 1) * s + reach - n - before)
    return replace(window, after=tuple(after))
