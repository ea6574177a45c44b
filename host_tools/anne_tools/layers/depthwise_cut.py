"""How the C core cuts a depthwise convolution of int8 (kernels/depthwise_s8.c): what it costs rests on that.

Two pixels of a channel lie in one word, half a band of output rows apart or, in one row, half that row.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from anne import model_file

MOST_WORDS = 2048
MOST_SEGMENTS = 63
MOST_MAGNITUDE = 255
RUN = 11
PAIR_IN_C = 1.7
ALONE = 1.4


@dataclass
class Cut:
    """`half` as above; `columns` are windows in a row of pairs, `rows` those of a band; planes have plane_h rows."""

    half: int
    rows: int
    columns: int
    plane_h: int
    plane_w: int

    def words(self, channels: int, stride_w: int) -> int:
        """Words of scratch for planes and sums."""
        return self.plane_h * self.plane_w * channels + stride_w + 4 + 2 * self.rows * self.columns + 2

    def counts(self, layer: model_file.Layer) -> dict[str, Any]:
        """Pairs made, results, multiplications of segments in pairs and one more a window, channels of all bands."""
        y, stride_w = layer.outputs[0], _axes(layer)[3][1]
        out_h = _axes(layer)[1][0]
        bands = -(-out_h // (2 * self.half)) if out_h > 1 else 1
        alone = stride_w > 2  # such windows are not summed two at a time
        twos = 0 if alone else self.columns // 2 * 2
        windows = self.rows * (twos + ALONE * (self.columns - twos)) * bands
        slower = 1 if stride_w == 1 else 1.1
        return {
            "n_in": bands * self._pairs(layer, out_h == 1),
            "n_out": y.size,
            "macs": 3 * (segments(layer) + y.shape[-1]) * windows * slower,
            "window": y.shape[-1] * bands,
        }

    def _pairs(self, layer: model_file.Layer, in_one_row: bool) -> float:
        """Pairs that are made in a band, and what takes as long as some of them: each run of them begins."""
        in_w, channels = _axes(layer)[0][1], layer.inputs[0].shape[-1]
        at_once, each = (4, 1) if channels % 4 == 0 else (1, PAIR_IN_C)
        inside = self.plane_w if in_one_row else max(0, min(self.plane_w - layer.parameters[7], in_w))
        runs = 3 if in_one_row else 1  # before, in and behind the image
        return channels / at_once * self.plane_h * (at_once * inside * each + RUN * runs)


def _axes(layer: model_file.Layer) -> list[tuple[int, ...]]:
    """Return in_h, in_w; out_h, out_w; kernel, stride and dilation of rows, and of columns: an image of one column that
    is seen through windows of one is a signal.
    """
    sizes = [(1, *tensor.shape[:-1])[-2:] for tensor in (layer.inputs[0], layer.outputs[0])]
    windows = [tuple(layer.parameters[i:6:2]) for i in range(2)]
    if sizes[0][1] == sizes[1][1] == windows[1][0] == 1:
        return [*((1, h) for h, _ in sizes), (1, 1, 1), windows[0]]
    return [*sizes, *windows]


def segments(layer: model_file.Layer) -> int:
    """Return how often three neighbouring taps are taken, in all channels: twice where their weights are large."""
    n_out, (kernel_h, *_), (kernel_w, *_) = layer.outputs[0].shape[-1], *_axes(layer)[2:]
    weights = np.frombuffer(layer.constants[0], np.int8, n_out * kernel_h * kernel_w).astype(np.int32)
    padded = np.pad(weights.reshape(-1, kernel_w), ((0, 0), (0, -kernel_w % 3))).reshape(-1, 3)
    return len(padded) + int((np.abs(padded).sum(axis=1) > MOST_MAGNITUDE).sum())


def cut_of(layer: model_file.Layer) -> Cut | None:
    """Return how a layer of int8 is cut; None if its windows are too large for that, or spread."""
    (kernel_h, stride_h, dilation_h), (kernel_w, stride_w, dilation_w) = _axes(layer)[2:]
    out_h, out_w = _axes(layer)[1]
    if dilation_w != 1 or 2 * kernel_h * -(-kernel_w // 3) > MOST_SEGMENTS:
        return None
    columns = -(-out_w // 2) if out_h == 1 else out_w
    plane_w = (columns - 1) * stride_w + kernel_w

    def cut(rows: int) -> Cut:
        plane_h = (rows - 1) * stride_h + (kernel_h - 1) * dilation_h + 1
        return Cut(columns if out_h == 1 else rows, rows, columns, plane_h, plane_w)

    for at_once in (4, 1) if layer.inputs[0].shape[-1] % 4 == 0 else (1,):
        room = MOST_WORDS - cut(1).words(at_once, stride_w)
        if room >= 0:
            more = room // (stride_h * plane_w * at_once + 2 * columns)
            return cut(min(1 + more, -(-out_h // 2)))
    return None
