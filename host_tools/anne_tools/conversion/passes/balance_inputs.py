"""Inputs of unlike ranges brought to -1 .. 1 by a layer of its own."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ...layers import Dense, Scaling
from ...network.graph import Graph
from .rewrite import free_name, is_float_or_keeps_values, rounded


def balance_inputs(graph: Graph, least: np.ndarray, most: np.ndarray) -> Graph | None:
    """Return the graph with a scaling of its inputs from `least` .. `most` to -1 .. 1, taken back by the layers there.

    `least` and `most` are samples; of several inputs each is looked at by itself. None if none gets a scaling: for that
    dense layers of floats alone must read it, and the ranges of its features be unlike (beyond a factor of 4).
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
        isinstance(layer, Dense) and is_float_or_keeps_values(graph, layer) for layer in readers
    ):
        return
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
    graph.layers = [
        _taken_back(layer, scaled, half, middle) if name in layer.inputs else layer for layer in graph.layers
    ]
    graph.layers.insert(at, scaling)


def _taken_back(dense: Dense, scaled: str, half: np.ndarray, middle: np.ndarray) -> Dense:
    """The dense layer that gives the same for (x - middle) / half in tensor `scaled` as for x."""
    weights = dense.weights.astype(np.float64)
    return replace(dense, inputs=(scaled,), weights=weights * half, bias=dense.bias + weights @ middle)
