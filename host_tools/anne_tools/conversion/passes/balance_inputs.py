"""Inputs of unlike ranges brought to -1 .. 1 by a layer of its own."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ...layers import Scaling
from ...network.graph import Graph
from .products import is_product, scaled_before
from .rewrite import free_name, is_float_or_keeps_values, rounded


def balance_inputs(graph: Graph, least: np.ndarray, most: np.ndarray) -> Graph | None:
    """Return the graph with a scaling of its inputs from `least` .. `most` to -1 .. 1, taken back by the layers there.

    `least` and `most` are samples; of several inputs each is looked at by itself. None if none gets a scaling: for that
    layers of weights in floats alone must read it, and the ranges of its features, or channels, be unlike (beyond a
    factor of 4).
    """
    result = graph.copy()
    ends = (graph.split(x[np.newaxis]).items() for x in (least, most))
    for (name, low), (_, high) in zip(*ends, strict=True):
        _balance(result, name, low[0].astype(np.float64), high[0].astype(np.float64))
    return None if len(result.layers) == len(graph.layers) else rounded(result).check()


def _balance(graph: Graph, name: str, least: np.ndarray, most: np.ndarray) -> None:
    """Put a scaling behind input `name` of the graph, if it needs and can have one."""
    readers = list(graph.consumers(name))
    if not readers or not all(
        is_product(layer) and is_float_or_keeps_values(graph, layer) for layer in readers
    ):
        return
    if least.ndim > 1:  # channels of images, about 0, as padding is
        axes = tuple(range(least.ndim - 1))
        most = np.maximum(np.abs(least), np.abs(most)).max(axis=axes)
        least = -most
    half = (most - least) / 2
    largest = np.maximum(np.abs(least), np.abs(most)).max()
    half = np.where(half > 0, half, largest or 1.0)
    if largest <= 4 * half.min():
        return
    middle = (most + least) / 2
    scaled = free_name(graph, f"{name}:scaled")
    graph.tensors[scaled] = replace(graph.tensors[name], name=scaled)
    layer_name = "input_scaling" if len(graph.inputs) == 1 else f"{name}_scaling"
    scaling = Scaling(layer_name, name, scaled, 1 / half, -middle / half, source=layer_name.replace("_", " "))
    at = graph.layers.index(readers[0])
    back = Scaling("", scaled, scaled, half, middle)  # (x - middle) / half is x again, for those that read it
    graph.layers = [
        scaled_before(back, layer, len(half)) if name in layer.inputs else layer for layer in graph.layers
    ]
    graph.layers.insert(at, scaling)
