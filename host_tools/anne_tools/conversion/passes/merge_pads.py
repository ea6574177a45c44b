"""Zeros around an image that a convolution reads: they become its own padding."""

from __future__ import annotations

from dataclasses import replace

from ...layers import Pad
from ...network.graph import Graph
from ...network.layer import Layer
from .rewrite import Passed, only_reader, pruned

_READERS = ("conv", "depthwise_conv")


def merge_pads(graph: Graph) -> Passed:
    """Return the graph with zero padding as part of the convolution that alone reads it.

    Integers stay as they are: zero is the zero point, for the one layer as for the other.
    """
    graph, notes = graph.copy(), []
    for pad in [layer for layer in graph.layers if isinstance(layer, Pad)]:
        reader = only_reader(graph, pad)
        merged = _merged(graph, pad, reader) if reader and reader.kind in _READERS else None
        if merged is None:
            continue
        graph.layers = [merged if layer is reader else layer for layer in graph.layers if layer is not pad]
        notes.append(f"{pad.title}: made the padding of {reader.title}")
    return pruned(graph), notes


def _merged(graph: Graph, pad: Pad, reader: Layer) -> Layer | None:
    """The reader with that padding beside its own; None where a window would see nothing but zeros, or not zeros."""
    shape, made = graph.tensors[pad.input].shape, graph.tensors[reader.output].shape
    if pad.value != 0 or getattr(pad, "mode", "constant") != "constant" or len(shape) not in (2, 3):
        return None
    if pad.before[-1] or pad.after[-1]:
        return None
    before, after = _two(pad.before, 0), _two(pad.after, 0)
    size, out = _two(shape, 1), _two(made, 1)
    window = reader.window
    before = tuple(a + b for a, b in zip(window.before, before, strict=True))
    after = tuple(a + b for a, b in zip(window.after, after, strict=True))
    for b, k, d, s, n, m in zip(
        before, window.kernel, window.dilation, window.stride, size, out, strict=True
    ):
        if b > (k - 1) * d or (m - 1) * s - b >= n:  # FORMAT.md, "Windows"
            return None
    return replace(reader, inputs=pad.inputs, window=replace(window, before=before, after=after))


def _two(values: tuple[int, ...], row: int) -> tuple[int, int]:
    """Rows and columns of what is said of each axis: of a signal, the last two of (`row`, time, channels)."""
    return ((row, *values) if len(values) == 2 else values)[:2]
