"""How the int8 convolution goes over image and weights, counted for its price: native_module/kernels/conv_s8.c.

With rewritten weights it goes by pairs of pixels: conv_pairs_s8_armv8m.c.
"""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np
from anne import model_file
from anne.layouts import S8Quad

# Those of conv_s8.c.
# What a table takes beside its runs, in runs.
TABLE_RUNS = 5
CHUNK, COLUMNS, CACHED_WORDS, GATHERED_BYTES, BY_BYTE = 128, 320, 2048, 1024, 24


class Walk:
    """Of a layer in a file."""

    def __init__(self, layer: model_file.Layer) -> None:
        x, y, parameters = layer.inputs[0], layer.outputs[0], layer.parameters
        self.groups = parameters[8]
        self.kernel, self.stride = parameters[0:2], parameters[2:4]
        self.dilation, self.pad = parameters[4:6], parameters[6:8]
        self.size, self.made = ((1, *shape[:-1])[-2:] for shape in (x.shape, y.shape))
        self.all_channels = x.shape[-1]
        self.channels, self.n_out = x.shape[-1] // self.groups, y.shape[-1] // self.groups
        self.n_in = prod(self.kernel) * self.channels
        shifts = np.frombuffer(layer.constants[2], "<i4")[1::2]
        self.usual = tuple(parameters[10:12]) == (-128, 127) and shifts.max() < 0
        self.words = self.all_channels % 4 == 0 and self.channels % 4 == 0
        self.gathers = not self.words and self.n_out > BY_BYTE
        if self.kernel == self.stride == (1, 1) and self.size[1] == self.made[1]:
            self.size, self.made = (1, prod(self.size)), (1, prod(self.made))

    @property
    def name(self) -> str:
        """How the numbers of a window are read."""
        return "conv s8_quad" + ("" if self.words else " gathered" if self.gathers else " by byte")

    def counts(self) -> dict[str, Any]:
        """Return what `Cost.terms` takes."""
        places, panels = prod(self.made) * self.groups, -(-self.n_in // S8Quad.PANEL)
        eights, rest = divmod(self.n_out, 8)
        eights, fours = eights + (rest > 4), int(0 < rest <= 4)
        passes, padded = eights + fours, -(-self.n_in // 4) * 4
        chunk = self._chunk(panels, padded)
        touch = self.dilation[1] == 1 and self.groups == 1
        slides = self.words and panels == 1 and touch and self._slides(chunk)
        rows = [min(8, self.n_out - first) for first in range(0, self.n_out, 8)]
        lines, runs, tables = self._lines(chunk, rows)
        seen = self._lines_seen() if slides else places * self.n_in if self.words or self.gathers else 0
        # to begin a run takes as long as to copy four bytes
        seen += 4 * runs * self.gathers
        columns = padded if self.words or self.gathers else self.n_in
        return {
            "n_in": seen,
            "n_out": places * self.n_out,
            "block": places * eights,
            "rest": places * fours,
            "block_column": places * eights * columns,
            "rest_column": places * fours * columns,
            "window": places * panels if self.words or self.gathers else 0,
            "run": 0 if self.gathers else runs * (passes + (self.words and not slides)),
            "job": lines + self.groups * passes * -(-places // self.groups // chunk) * self.gathers,
            "row": self.groups * passes * -(-places // self.groups // chunk),
            "table": tables,
        }

    def pairs(self) -> dict[str, Any]:
        """Return what `Cost.terms` takes where weights are rewritten: windows come by twos, rows by fours.

        Results of two pixels are quick, if a window is one panel, and rows are whole fours; others are `exact`.
        """
        pixels, columns = prod(self.made), -(-self.n_in // 4) * 4
        pairs, fours = -(-pixels // 2), -(-self.n_out // 4)
        quick = pixels // 2 * (self.n_out // 4) * (self.n_in <= S8Quad.PANEL and self.usual)
        runs, made_anew = self._all_runs()
        counts = {
            "n_in": pixels * columns,
            "n_out": pixels * self.n_out,
            "block": quick,
            "rest": pairs * fours - quick,
            "block_column": pairs * fours * columns,
            "exact": pixels * self.n_out - quick * 8,
            "window": pairs,
            "run": runs,
            "job": 1,
            "table": made_anew,
        }
        return {part: self.groups * n for part, n in counts.items()}

    @property
    def name_of_pairs(self) -> str:
        """How the numbers of a window are read then."""
        return "conv s8_quad" + ("" if self.words else " gathered")

    def _all_runs(self) -> tuple[int, int]:
        """Runs of all windows of a group; and those of the windows that reach beyond the image."""
        rows = [self._taps(0, place) for place in range(self.made[0])]
        columns = [self._taps(1, place) for place in range(self.made[1])]
        runs = beyond = 0
        for row in rows:
            for column in columns:
                n = self._runs(row, column)
                runs += n
                beyond += n * (row[0] + row[2] + column[0] + column[2] > 0)
        return runs, beyond

    def _chunk(self, panels: int, padded: int) -> int:
        pixels, chunk = prod(self.made), max(1, CHUNK // panels)
        if self.gathers:
            return min(chunk, max(1, GATHERED_BYTES // padded), pixels)
        cached = padded * -(-self.n_out // 4) * self.groups <= CACHED_WORDS
        return min(chunk, self.made[1] if cached else pixels)

    def _slides(self, chunk: int) -> bool:
        columns = (min(chunk, self.made[1]) - 1) * self.stride[1] + self.kernel[1]
        return self.stride[1] <= self.kernel[1] and columns <= COLUMNS

    def _lines_seen(self) -> int:
        """Numbers of the image that are summed where sums slide along a line."""
        columns = min(self.size[1], (self.made[1] - 1) * self.stride[1] + self.kernel[1])
        return self.made[0] * self.kernel[0] * columns * self.channels

    def _taps(self, axis: int, place: int) -> tuple[int, int, int]:
        """Taps along an axis outside before the image, in it, and outside behind it."""
        at = [
            place * self.stride[axis] - self.pad[axis] + i * self.dilation[axis]
            for i in range(self.kernel[axis])
        ]
        before, behind = sum(i < 0 for i in at), sum(i >= self.size[axis] for i in at)
        return before, len(at) - before - behind, behind

    def _runs(self, rows: tuple[int, int, int], columns: tuple[int, int, int]) -> int:
        """Runs of a window that has those taps: pixels that touch are one."""
        before, inside, behind = columns
        touch = self.dilation[1] == 1 and self.groups == 1
        return (
            rows[0]
            + rows[2]
            + rows[1] * ((before > 0) + (min(inside, 1) if touch else inside) + (behind > 0))
        )

    def _lines(self, chunk: int, rows_at_once: list[int]) -> tuple[int, int, int]:
        """Pieces of lines whose windows have one table, for all rows of weights; runs of all windows, once; and the
        tables that are made, counted by their runs and what a table takes besides.
        """
        made_h, made_w = self.made
        rows = [self._taps(0, place) for place in range(made_h)]
        columns = [self._taps(1, place) for place in range(made_w)]
        reach = self.size[1] - 1 - (self.kernel[1] - 1) * self.dilation[1] + self.pad[1]
        first = -(-self.pad[1] // self.stride[1])
        end = reach // self.stride[1] + 1 if reach >= 0 else 0
        lines = cost = 0
        tables: dict[str, tuple] = {}
        for start in range(0, made_h * made_w, chunk):
            places = range(start, min(start + chunk, made_h * made_w))
            pieces = [
                (place // made_w, place % made_w)
                for place in places
                if not first < place % made_w < end or place == start
            ]
            for n_rows in rows_at_once * self.groups:
                # sums of windows that do not slide, and copies, come first, by the same tables
                for row, column in pieces:
                    which = "left" if column < first else "within" if column < end else "right"
                    taps = (rows[row], columns[column], n_rows <= 4)
                    if tables.get(which) != taps:
                        tables[which] = taps
                        cost += TABLE_RUNS + self._runs(*taps[:2])
                lines += len(pieces)
        runs = sum(self._runs(row, column) for row in rows for column in columns) * self.groups
        return (0 if self.gathers else lines), runs, cost
