"""How the int8 convolution goes over image and weights, counted for its price: native_module/kernels/conv_s8.c."""

from __future__ import annotations

from math import prod
from typing import Any

from anne import model_file
from anne.layouts import S8Quad

# Those of conv_s8.c.
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
        cut, lines, runs = self._segments(chunk, touch)
        runs = self.groups * (runs + (panels - 1) * prod(self.made))
        slides = self.words and panels == 1 and touch and self._slides(chunk)
        seen = self._lines_seen() if slides else places * self.n_in if self.words or self.gathers else 0
        # To begin a run takes as long as to copy four bytes,
        seen += 4 * runs * self.gathers
        # and of those read one by one as long as two columns
        columns = padded if self.words or self.gathers else self.n_in + 2 * runs / places
        again = 1 if self.gathers or chunk <= self.made[1] else passes
        return {
            "n_in": seen,
            "n_out": places * self.n_out,
            "block": places * eights,
            "rest": places * fours,
            "block_column": places * eights * columns,
            "rest_column": places * fours * columns,
            "window": places * panels if self.words or self.gathers else 0,
            "run": runs * (passes + (not slides)) if self.words else 0,
            "job": self.groups * passes * (-(-places // self.groups // chunk) if self.gathers else lines),
            "table": self.groups * again * cut * (runs // places + panels),
        }

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

    def _segments(self, chunk: int, touch: bool) -> tuple[int, int, int]:
        """Tables that are made for each pass over the weights; pieces of lines whose windows have one; all runs.

        `touch`: a window's pixels of a line are one run, and two where some of them are outside.
        """
        (size_h, size_w), (made_h, made_w) = self.size, self.made
        (kernel_h, kernel_w), pad_w = self.kernel, self.pad[1]
        reach = size_w - 1 - (kernel_w - 1) * self.dilation[1] + pad_w
        first = min(made_w, -(-pad_w // self.stride[1]))
        end = max(first, min(made_w, reach // self.stride[1] + 1) if reach >= 0 else 0)
        inside = [
            [0 <= row * self.stride[0] - self.pad[0] + i * self.dilation[0] < size_h for i in range(kernel_h)]
            for row in range(made_h)
        ]
        changes = 1 + sum(a != b for a, b in zip(inside, inside[1:], strict=False))
        edges = [first, made_w - end]
        tables = changes * (end > first) + sum(changes if n == 1 else made_h * n for n in edges)
        lines = made_h * (sum(edges) + (end > first)) + max(0, prod(self.made) // chunk - made_h)
        if not touch:
            return tables, lines, prod(self.made) * prod(self.kernel)
        return tables, lines, sum(kernel_h * made_w + sum(taps) * sum(edges) for taps in inside)
