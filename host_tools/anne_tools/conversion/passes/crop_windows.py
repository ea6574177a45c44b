"""A convolution whose first or last outputs are cut off: it has less padding, and never makes them (a causal one, as
PyTorch's users write it)."""

from __future__ import annotations

from dataclasses import replace

from ...layers import Conv, DepthwiseConv, Slice
from ...network.graph import Graph
from ...network.layer import Layer
from .rewrite import Passed, rewrite


def crop_windows(graph: Graph) -> Passed:
    """Return (the graph without slices that padding makes needless, notes)."""
    return rewrite(graph, _cropped)


def _cropped(graph: Graph, first: Layer, second: Layer):
    if not isinstance(first, Conv | DepthwiseConv) or not isinstance(second, Slice):
        return None
    shape = graph.tensors[first.output].shape
    if set(second.step) != {1} or second.size[-1] != shape[-1]:
        return None
    window = first.window
    begin = (0, *second.begin[:-1])[-2:]
    end = (0, *(n - at - m for n, at, m in zip(shape, second.begin, second.size, strict=True)))[-3:-1]
    before = tuple(b - cut * s for b, cut, s in zip(window.before, begin, window.stride, strict=True))
    after = tuple(a - cut * s for a, cut, s in zip(window.after, end, window.stride, strict=True))
    if min(*before, *after) < 0:
        return None
    cropped = replace(first, window=replace(window, before=before, after=after), outputs=second.outputs)
    return [cropped], f"{second.title}: made less padding of {first.title}"
