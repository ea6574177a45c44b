"""Channels of like size between layers (Nagel et al., arXiv 1906.04721, "Cross-layer range equalization").

The values of a tensor share one scale, so a channel whose values are small has few steps. Where a layer makes the
channels and one alone reads them, each may be divided by a number of its own there, if the reader's weights are
multiplied with it: relu lets it through. The reader's weights share a scale a row, so what a channel gains its weights
may lose; the number that makes both alike far from full range is the root of the quotient. A depthwise convolution has
a scale a channel, and loses nothing.
"""

from __future__ import annotations

import numpy as np

from ..layers import Scaling
from ..network.execute import execute
from ..network.graph import Graph
from ..network.layer import Layer
from .passes.products import is_product, scaled_after, scaled_before
from .passes.rewrite import is_finite, is_float_or_keeps_values, only_reader

# Activations of which f(c x) = c f(x) for c > 0.
_HOMOGENEOUS = ("linear", "relu", "leaky_relu")
# What a channel is divided by, at most, or multiplied with.
_MOST = 64.0
# Samples whose values are all kept at once.
_BATCH = 16


def equalised(graph: Graph, x: np.ndarray) -> Graph | None:
    """Return a graph of the same values at its outputs, its channels of like size on samples x; None if none has any
    that can be changed."""
    largest = _largest(graph, x)
    result = graph.copy()
    n_changed = 0
    for place in range(len(result.layers)):
        first = result.layers[place]
        if not _can_scale(result, first):
            continue
        second = _reader(result, first)
        if second is None:
            continue
        n = len(first.bias)
        factors = _factors(largest[first.output], second, n)
        n_in = result.tensors[second.input].shape[-1]
        zero = np.zeros(1)
        divided = scaled_after(first, Scaling("", first.input, first.output, 1 / factors, zero))
        by = Scaling("", second.input, second.input, np.tile(factors, n_in // n), zero)
        multiplied = scaled_before(by, second, n_in)
        if is_finite(divided) and is_finite(multiplied):
            result.layers[place] = divided
            result.layers[result.layers.index(second)] = multiplied
            n_changed += 1
    return result.check() if n_changed else None


def _largest(graph: Graph, x: np.ndarray) -> dict[str, np.ndarray]:
    """The largest magnitude of each channel of what products make, by the tensor's name."""
    found: dict[str, np.ndarray] = {}
    names = [layer.output for layer in graph.layers if is_product(layer)]
    for start in range(0, len(x), _BATCH):
        _, values = execute(graph, x[start : start + _BATCH], trace=True)
        for name in names:
            most = np.abs(values[name]).reshape(-1, values[name].shape[-1]).max(axis=0)
            found[name] = np.maximum(found.get(name, 0.0), most)
    return found


def _can_scale(graph: Graph, layer: Layer) -> bool:
    return is_product(layer) and layer.activation in _HOMOGENEOUS and is_float_or_keeps_values(graph, layer)


def _reader(graph: Graph, layer: Layer) -> Layer | None:
    """The product that alone reads the layer, perhaps behind pools or as a flat vector; None if there is none."""
    n = len(layer.bias)
    reader = only_reader(graph, layer)
    while reader is not None and _lets_through(graph, reader):
        if graph.tensors[reader.output].shape[-1] % n:
            return None
        reader = only_reader(graph, reader)
    return reader if is_product(reader) and is_float_or_keeps_values(graph, reader) else None


def _lets_through(graph: Graph, layer: Layer) -> bool:
    """Whether channels keep their factors, and their places among the last axis."""
    if layer.kind in ("average_pool", "max_pool"):
        return getattr(layer, "activation", "linear") in _HOMOGENEOUS
    if layer.kind == "reduce":
        return (
            layer.operation in ("mean", "sum", "max")
            and len(graph.tensors[layer.input].shape) - 1 not in layer.axes
        )
    return layer.kind == "reshape"


def _factors(made: np.ndarray, second: Layer, n: int) -> np.ndarray:
    """What each of the n channels is divided by, whose largest values are `made`."""
    used = np.ones(n) if second.kind == "depthwise_conv" else _used(second, n)
    with np.errstate(divide="ignore", invalid="ignore"):
        factors = made / used if second.kind == "depthwise_conv" else np.sqrt(made / used)
    good = np.isfinite(factors) & (factors > 0)
    if not good.any():
        return np.ones(n)
    middle = np.exp(np.log(factors[good]).mean())
    return np.where(good, np.clip(factors / middle, 1 / _MOST, _MOST), 1.0)


def _used(second: Layer, n: int) -> np.ndarray:
    """For each channel the largest of its weights, as part of the largest of their row."""
    weights = np.abs(second.weights.astype(np.float64))
    rows = weights.reshape(len(weights), -1).max(axis=1).reshape(-1, *[1] * (weights.ndim - 1))
    parts = np.divide(weights, rows, out=np.zeros_like(weights), where=rows > 0)
    groups = second.groups if second.kind == "conv" else 1
    by_group = parts.reshape(groups, -1, parts.shape[-1]).max(axis=1)  # (groups, inputs of each)
    return by_group.reshape(-1, n).max(axis=0)
