"""Layers that give what they get: linear activations (dropout), equal reshapes, x * 1 + 0."""

from __future__ import annotations

import numpy as np

from ...layers import Activation, Reshape, Scaling
from ...network.graph import Graph
from ...network.layer import Layer
from .rewrite import Passed, pruned, reading


def drop_no_ops(graph: Graph) -> Passed:
    """Return the graph without layers that give what they get: linear activations (dropout), equal reshapes,
    x * 1 + 0.

    The last layer left is kept, so that the output stays the output of a layer.
    """
    graph, notes = graph.copy(), []
    index = 0
    while index < len(graph.layers):
        layer = graph.layers[index]
        if len(graph.layers) == 1 or not _is_no_op(graph, layer) or not _can_drop(graph, layer):
            index += 1
            continue
        del graph.layers[index]
        graph.layers = [reading(other, layer.output, layer.input) for other in graph.layers]
        graph.outputs = [layer.input if name == layer.output else name for name in graph.outputs]
        notes.append(f"{layer.title}: dropped, it changes nothing when the network runs")
    return pruned(graph), notes


def _is_no_op(graph: Graph, layer: Layer) -> bool:
    source, target = graph.tensors[layer.input], graph.tensors[layer.output]
    if source.shape != target.shape or not source.means_the_same(target):
        return False
    if isinstance(layer, Scaling):
        return bool(np.all(layer.scale == 1) and np.all(layer.offset == 0))
    return isinstance(layer, Reshape) or isinstance(layer, Activation) and layer.activation == "linear"


def _can_drop(graph: Graph, layer: Layer) -> bool:
    """False where an output of the network would become its input, or two outputs the same tensor."""
    return layer.output not in graph.outputs or layer.input not in [*graph.inputs, *graph.outputs]
