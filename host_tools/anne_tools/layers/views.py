"""How often a window sees what of an image, counted for prices: layers whose kernels go place by place."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np
from anne import model_file

from .prices import BLOCKS, Blocks


def axis_taps(made: int, size: int, kernel: int, stride: int, dilation: int, pad: int) -> np.ndarray:
    """Return for each place along an axis how many of the window's taps are inside the image."""
    at = np.arange(made)[:, None] * stride - pad + np.arange(kernel) * dilation
    return ((at >= 0) & (at < size)).sum(axis=1)


class View:
    """What the window of a layer in a file sees; a signal is an image of one row."""

    def __init__(self, layer: model_file.Layer) -> None:
        x, y, parameters = layer.inputs[0], layer.outputs[0], layer.parameters
        size, made = ((1, *tensor.shape[:-1])[-2:] for tensor in (x, y))
        self.kernel, self.channels, self.n_out = tuple(parameters[:2]), x.shape[-1], y.shape[-1]
        self.dilation = tuple(parameters[4:6])
        self.places = prod(made)
        self.rows, self.columns = (
            axis_taps(*axis, *parameters[i:8:2]) for i, axis in enumerate(zip(made, size, strict=True))
        )

    @property
    def taps(self) -> int:
        """Taps of all places that are inside the image."""
        return int(self.rows.sum() * self.columns.sum())

    @property
    def inside(self) -> int:
        """Places whose taps are all inside it."""
        return prod(
            int((n == kernel).sum()) for n, kernel in zip((self.rows, self.columns), self.kernel, strict=True)
        )

    @property
    def calls(self) -> int:
        """Calls in which windows of a row that have all their columns inside are taken together, others alone."""
        outside = int((self.columns < self.kernel[1]).sum())
        return len(self.rows) * (outside + (outside < len(self.columns)))

    def runs(self, groups: int) -> tuple[int, int]:
        """Return runs of pixels that lie together, or are outside together: of all places, and of those where they are
        found anew, which are the places at the border and the first behind it in each row.
        """
        kernel_h, kernel_w = self.kernel
        touch = self.dilation[1] == 1 and groups == 1
        along = np.where(touch, self.columns > 0, self.columns) + (self.columns < kernel_w)
        runs = np.add.outer(kernel_h - self.rows, np.zeros_like(along)) + np.multiply.outer(self.rows, along)
        inside = np.logical_and.outer(self.rows == kernel_h, self.columns == kernel_w)
        first = inside & ~np.roll(inside.reshape(-1), 1).reshape(inside.shape)
        return int(runs.sum()), int(runs[~inside | first].sum())

    def gathered(self, groups: int, blocks: Blocks) -> dict[str, Any]:
        """Return parts of a Cost where what a window sees is copied, group by group, for a kernel of dense layers."""
        windows = self.places * groups
        runs, found = self.runs(groups)
        n_in = prod(self.kernel) * self.channels // groups
        parts = blocks.counts(n_in, self.n_out // groups, windows)
        # where taps count as zeros, sums of floats as they come are quicker
        macs = self.taps * self.channels // groups * self.n_out if blocks == BLOCKS["f32"] else 0
        found = {"n_out": self.places * self.n_out, "macs": macs, "window": windows, "job": found}
        return parts | found | {"run": runs * groups}

    def joined(self, alone: bool) -> dict[str, Any]:
        """Return parts of a Cost where the taps inside are joined channel by channel, up to four at a time, and what
        a mean divides by is found anew where it is not as of the place before.
        """
        rows = int(self.rows.sum()) * len(self.columns)
        seen = np.multiply.outer(self.rows, self.columns).reshape(-1)
        return joined(self.channels, alone, self.places, rows, self.taps) | {
            "table": 1 + int((np.diff(seen) != 0).sum())
        }

    def by_taps(self) -> dict[str, Any]:
        """Return parts of a Cost where each channel has a table of its taps: in threes and those left over, of all
        places; those that are inside; the pixels of windows at the border, which are copied.
        """
        taps, y = prod(self.kernel), self.places * self.n_out
        border = (self.places - self.inside) * taps
        return {
            "n_out": y,
            "window": self.places,
            "run": border,
            "n_in": border * self.channels,
            "block_column": y * (taps // 3),
            "rest_column": y * (taps % 3),
        }

    def by_channels(self, at_once: int, panel: int) -> dict[str, Any]:
        """Return parts of a Cost where the taps of each channel are a dense layer's input, of `at_once` outputs."""
        taps, y = prod(self.kernel), self.places * self.n_out
        border = (self.places - self.inside) * taps
        return {
            "n_out": y,
            "window": self.places,
            "run": border,
            "job": y // at_once,
            "n_in": y // at_once * taps,
            "block": y * -(-taps // panel),
            "block_column": y * taps,
            "macs": self.taps * self.n_out,
        }


def joined(n: int, alone: bool, places: int, rows: int, taps: int) -> dict[str, Any]:
    """Return parts of a Cost for n neighbours at each of the places, taken in fours and one by one, or all `alone`.

    `rows` and `taps` are those of all places for one neighbour. More than 16 take another call, which is no more than a
    part of the first (native_module/kernels/taps.c).
    """
    fours, ones = (0, n) if alone else divmod(n, 4)
    return {
        "n_out": places * n,
        "window": places,
        "job": places * ((n - 1) // 16),
        "row": rows * (fours + ones),
        "block": places * fours,
        "rest": places * ones,
        "block_column": taps * fours,
        "rest_column": taps * ones,
    }


def transposed(layer: model_file.Layer) -> dict[str, Any]:
    """Return parts of a Cost for a transposed convolution: rows and columns of taps that are tried at each place; taps
    that meet a pixel, their numbers, and outputs of each; multiplications.
    """
    x, y, parameters = layer.inputs[0], layer.outputs[0], layer.parameters
    sizes, mades = ((1, *tensor.shape[:-1])[-2:] for tensor in (x, y))
    met = [_met(sizes[i], mades[i], *parameters[i:8:2]) for i in range(2)]
    taps, n_in, n_out = prod(met), x.shape[-1], y.shape[-1]
    return {
        "n_out": y.size,
        "window": prod(mades),
        "job": prod(mades) * parameters[0] + met[0] * mades[1] * parameters[1],
        "run": taps,
        "n_in": taps * n_in,
        "row": taps * n_out,
        "macs": taps * n_in * n_out,
    }


def _met(size: int, made: int, kernel: int, stride: int, dilation: int, pad: int) -> int:
    """Pairs of a place along an axis and a tap that meets a pixel there."""
    source = np.arange(made)[:, None] + pad - np.arange(kernel) * dilation
    return int(((source >= 0) & (source % stride == 0) & (source // stride < size)).sum())


def row_steps(shape: Sequence[int]) -> list[int]:
    """Return for each axis of a tensor how many elements apart its neighbours are."""
    return [prod(shape[axis + 1 :]) for axis in range(len(shape))]
