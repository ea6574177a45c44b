"""How the C core cuts a depthwise convolution of int8 (kernels/depthwise_s8.c): what it costs rests on that.

Two pixels of a channel lie in one word, half a band of output rows apart or, in one row, half that row. Narrow images
of odd rows are turned on their side first.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import numpy as np
from anne import model_file

# Those of depthwise_s8.c and depthwise_pairs.c. A window that is left over of a row costs more than half of two.
MOST_WORDS = 2048
MOST_SEGMENTS = 63
MOST_MAGNITUDE = 255
NARROW = 8
ALONE = 1.4

# In and out, then kernel, stride, dilation and pad, of one axis.
Axis = tuple[int, int, int, int, int, int]


@dataclass
class Cut:
    """Pairs in `rows` rows of `columns` windows a band; planes of `at_once` channels have plane_h rows of plane_w."""

    turned: bool
    of_columns: bool
    rows: int
    columns: int
    plane_h: int
    plane_w: int
    at_once: int

    @property
    def words(self) -> int:
        """Words of scratch for planes and sums."""
        return self.plane_h * self.plane_w * self.at_once + 2 * self.rows * self.columns

    def counts(self, layer: model_file.Layer) -> dict[str, Any]:
        """Pairs made, runs and blocks of them, planes filled before; results; windows, by the way their segments are
        summed, and their rows; segments that are put.
        """
        vertical, across = _axes(layer, self.turned)
        channels, out_h, stride = layer.outputs[0].shape[-1], vertical[1], across[3]
        bands = 1 if self.of_columns else -(-out_h // (2 * self.rows))
        # windows more than two pairs apart are summed one by one
        twos, ones = (self.columns // 2 * 2, self.columns % 2) if stride <= 2 else (0, self.columns)
        windows, rows = (
            bands * self.rows * (twos + ALONE * ones),
            bands * self.rows * (1 if stride <= 2 else ones),
        )
        segments, quick = segments_of(layer, vertical[2] == across[2] == 3 and stride == 1)
        blocks = list(self._blocks(vertical, across, bands))
        at_once = layer.inputs[0].shape[-1] // self.at_once
        return {
            "n_in": sum(width * height for width, height in blocks) * at_once,
            "run": sum(height for _, height in blocks) * at_once,
            "rest": self.plane_h * self.plane_w * self.at_once,
            "job": len(blocks) * at_once,
            "n_out": 2 * bands * self.rows * self.columns * channels,
            "block": windows * (channels - quick),
            "block_column": windows * segments * (1 if stride == 1 else 1.1),
            "macs": windows * quick * 9,
            "row": rows * channels,
            "table": bands * segments,
            "window": channels * bands,
        }

    def _blocks(self, vertical: Axis, across: Axis, bands: int) -> Iterator[tuple[int, int]]:
        """Pairs in a row, and rows, of parts of a plane, each with both lanes inside or beside the image as a whole."""
        (in_h, out_h, kernel_h, stride_h, dilation_h, pad_h), (in_w, out_w, _, stride_w, _, pad_w) = (
            vertical,
            across,
        )
        right = (out_w - self.columns) * stride_w if self.of_columns else 0
        for first in range(0, out_h, 2 * self.rows) if not self.of_columns else (0,):
            made = min(2 * self.rows, out_h - first)
            of_pairs = out_h if self.of_columns else -(-made // 2)
            upper = 0 if self.of_columns else (made - of_pairs) * stride_h
            plane_h = (of_pairs - 1) * stride_h + (kernel_h - 1) * dilation_h + 1
            for height, in_rows in _parts(first * stride_h - pad_h, plane_h, upper, in_h):
                for width, in_columns in _parts(-pad_w, self.plane_w, right, in_w):
                    if (in_rows or bands > 1) and in_columns:
                        yield width, height


def _parts(first: int, n: int, apart: int, size: int) -> Iterator[tuple[int, bool]]:
    """Lengths of what is alike along n pairs from `first` on, of lanes so far apart; whether one lane is inside."""
    inside = [(0 <= at < size, 0 <= at + apart < size) for at in range(first, first + n)]
    for lanes, part in groupby(inside):
        yield len(list(part)), any(lanes)


def _axes(layer: model_file.Layer, turned: bool = False) -> tuple[Axis, Axis]:
    """Rows and columns."""
    sizes = ((1, *tensor.shape[:-1])[-2:] for tensor in (layer.inputs[0], layer.outputs[0]))
    rows, columns = ((*ends, *layer.parameters[i:8:2]) for i, ends in enumerate(zip(*sizes, strict=True)))
    return (columns, rows) if turned else (rows, columns)


def segments_of(layer: model_file.Layer, has_threes: bool) -> tuple[int, int]:
    """Return how often three neighbouring taps are taken, twice where their weights are large; and how many channels,
    whose segments are not counted then, have three such by themselves (`has_threes`), which are unrolled.
    """
    n_out, (kernel_h, kernel_w) = layer.outputs[0].shape[-1], layer.parameters[:2]
    weights = np.frombuffer(layer.constants[0], np.int8, n_out * kernel_h * kernel_w).astype(np.int32)
    padded = np.pad(weights.reshape(n_out, kernel_h, kernel_w), ((0, 0), (0, 0), (0, -kernel_w % 3)))
    heavy = np.abs(padded.reshape(n_out, -1, 3)).sum(axis=2) > MOST_MAGNITUDE
    segments, quick = heavy.shape[1] + heavy.sum(axis=1), np.full(n_out, has_threes)
    if has_threes:
        least = np.where(padded < 0, -1 - padded, padded).reshape(n_out, -1, 3)
        quick = (least[..., :2].sum(axis=2) != 2 * 127).all(axis=1)
    return int(segments[~quick].sum()), int(quick.sum())


def _lies_better(rows: Axis, columns: Axis) -> bool:
    """Whether the image is turned: a signal of one column, or one that is narrow, of odd rows."""
    is_signal = columns[0] == columns[1] == columns[2] == 1
    is_narrow = columns[1] < NARROW and columns[1] % 2 == 1 and rows[1] >= 2 * columns[1] and rows[3] <= 2
    return is_signal or (is_narrow and rows[2] == columns[2] == 3 and columns[4] == 1)


def cut_of(layer: model_file.Layer) -> Cut | None:
    """Return how a layer of int8 is cut; None if its windows are too large for that, or spread."""
    rows, columns = _axes(layer)
    turned = _cut(layer, True, True) if _lies_better(rows, columns) else None
    return turned or _cut(layer, False, rows[1] == 1)


def _cut(layer: model_file.Layer, turned: bool, of_columns: bool) -> Cut | None:
    (_, out_h, kernel_h, stride_h, dilation_h, _), across = _axes(layer, turned)
    _, out_w, kernel_w, stride_w, dilation_w, _ = across
    if dilation_w != 1 or 2 * kernel_h * -(-kernel_w // 3) > MOST_SEGMENTS:
        return None
    columns, most = (-(-out_w // 2), out_h) if of_columns else (out_w, -(-out_h // 2))
    plane_w = (columns - 1) * stride_w + kernel_w

    def cut(rows: int, at_once: int) -> Cut:
        plane_h = (rows - 1) * stride_h + (kernel_h - 1) * dilation_h + 1
        return Cut(turned, of_columns, rows, columns, plane_h, plane_w, at_once)

    for at_once in (4, 1) if layer.inputs[0].shape[-1] % 4 == 0 else (1,):
        room = MOST_WORDS - cut(1, at_once).words
        if room >= 0:
            rows = min(1 + room // (stride_h * plane_w * at_once + 2 * columns), most)
            if rows == most or not of_columns:
                return cut(rows, at_once)
    return None
