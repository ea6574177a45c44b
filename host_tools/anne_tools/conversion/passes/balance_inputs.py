"""Inputs of unlike ranges brought to -1 .. 1 by a layer of its own."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ...layers import Dense, Scaling
from ...network.graph import Graph
from .rewrite import is_float_or_keeps_values, rounded


def balance_inputs(graph: Graph, least: np.ndarray, most: np.ndarray) -> Graph | None:
    """Return the graph with a scaling of its inputs from `least` .. `most` to -1 .. 1, taken back by the first layer.

    None if there are several inputs, if the first layer is not a dense one of floats, or if their ranges are alike
    (within a factor of 4).
    """
    readers = list(graph.consumers(graph.inputs[0]))
    if (
        len(graph.inputs) != 1
        or len(readers) != 1
        or not isinstance(readers[0], Dense)
        or not is_float_or_keeps_values(graph, readers[0])
    ):
        return None
    half = (most - least).astype(np.float64) / 2
    largest = np.maximum(np.abs(least), np.abs(most)).max()
    half = np.where(half > 0, half, largest or 1.0)
    if largest <= 4 * half.min():
        return None
    middle = (most + least).astype(np.float64) / 2
    first, name = readers[0], "input_scaling"
    scaled = replace(graph.tensors[graph.inputs[0]], name=name)
    scaling = Scaling(name, graph.inputs[0], name, 1 / half, -middle / half, source="input scaling")
    weights = first.weights.astype(np.float64) * half
    bias = first.bias + first.weights.astype(np.float64) @ middle
    result = graph.copy()
    result.tensors[name] = scaled
    at = graph.layers.index(first)
    result.layers[at : at + 1] = [scaling, replace(first, inputs=(name,), weights=weights, bias=bias)]
    return rounded(result).check()
