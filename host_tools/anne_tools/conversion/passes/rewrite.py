"""What the passes share: two neighbours are looked at, and replaced by what a rule returns."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from ...layers import Scaling
from ...network.graph import Graph
from ...network.layer import Layer

Passed = tuple[Graph, list[str]]
# A rule sees a layer and its only reader; it returns (what replaces them, note), or None if it does not
# apply.
Rule = Callable[[Graph, Layer, Layer], tuple[list[Layer], str] | None]


def rewrite(graph: Graph, rule: Rule) -> Passed:
    """Apply a rule to every layer and its only reader, again and again until it applies nowhere."""
    graph, notes = graph.copy(), []
    index = 0
    while index < len(graph.layers):
        first = graph.layers[index]
        second = only_reader(graph, first)
        result = (
            rule(graph, first, second) if second and is_float_or_keeps_values(graph, first, second) else None
        )
        if result is None:
            index += 1
            continue
        replacement, note = result
        notes.append(note)
        # The new layers run where the second did: what the first reads is ready there, too.
        at = graph.layers.index(second)
        graph.layers[at : at + 1] = replacement
        del graph.layers[index]
        index = max(index - 1, 0)  # the layer before has a new reader
    return pruned(graph), notes


def only_reader(graph: Graph, layer: Layer) -> Layer | None:
    """The layer that alone reads the output of `layer`, which is not an output of the network; else None."""
    readers = list(graph.consumers(layer.output))
    return readers[0] if len(readers) == 1 and layer.output not in graph.outputs else None


def is_float_or_keeps_values(graph: Graph, *layers: Layer) -> bool:
    """True if layers and tensors are plain float32, or if the layers keep values as they are, of any type."""
    if all(layer.keeps_values for layer in layers):
        return all(graph.tensors[layer.input].means_the_same(graph.tensors[layer.output]) for layer in layers)
    tensors = [graph.tensors[name] for layer in layers for name in (*layer.inputs, *layer.outputs)]
    return all(tensor.is_float for tensor in tensors) and not any(layer.is_quantized for layer in layers)


def reading(layer: Layer, old: str, new: str) -> Layer:
    """The layer that reads tensor `new` wherever it reads `old`."""
    if old not in layer.inputs:
        return layer
    return replace(layer, inputs=tuple(new if name == old else name for name in layer.inputs))


def if_finite(layer: Layer, note: str):
    """A rule's result, unless a float32 cannot hold it: then the layers stay as they are."""
    return ([layer], note) if is_finite(layer) else None


def is_finite(layer: Layer) -> bool:
    """True if a float32 can hold the numbers of a product or a scaling."""
    arrays = (layer.scale, layer.offset) if isinstance(layer, Scaling) else (layer.weights, layer.bias)
    return all(bool(np.all(np.abs(a) <= np.finfo(np.float32).max)) for a in arrays)


def rounded(graph: Graph) -> Graph:
    """The graph with weights and biases of its float layers as float32."""
    layers = [
        replace(layer, weights=layer.weights.astype(np.float32), bias=layer.bias.astype(np.float32))
        if hasattr(layer, "weights") and not layer.is_quantized
        else layer
        for layer in graph.layers
    ]
    return replace(graph, layers=layers)


def pruned(graph: Graph) -> Graph:
    """The graph without tensors that no layer reads or makes."""
    used = {*graph.inputs, *graph.outputs}.union(*((*layer.inputs, *layer.outputs) for layer in graph.layers))
    graph.tensors = {name: tensor for name, tensor in graph.tensors.items() if name in used}
    return graph


def free_name(graph: Graph, name: str) -> str:
    """A name for a new tensor: `name`, or a longer one if a tensor has that."""
    while name in graph.tensors:
        name += "'"
    return name
