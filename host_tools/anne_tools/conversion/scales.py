"""One scale for all that a layer joins (`Layer.one_scale`): a concatenation moves integers, and computes nothing.

What only that layer reads is made in its scale from the start, which costs nothing: no rounding but the one that the
joined values have anyhow. What others read, too, or what has a scale by its kind (a softmax), is rescaled before it.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from ..layers import Activation, Quantize
from ..network.graph import Graph
from ..network.layer import Layer

Spans = dict[str, tuple[float, float]]


def shared_spans(graph: Graph, found: Spans) -> Spans:
    """Return the tensors' ranges, those that a layer joins as wide as what it makes of them, where only it reads
    them."""
    found = dict(found)
    readers = Counter(name for layer in graph.layers for name in layer.inputs)
    readers.update(graph.outputs)
    makers = {name: layer for layer in graph.layers for name in layer.outputs}
    for layer in reversed(graph.layers):
        for name in layer.inputs if layer.one_scale else ():
            while readers[name] == 1:
                found[name] = found[layer.output]
                maker = makers.get(name)
                if maker is None or not maker.keeps_values:
                    break
                name = maker.input  # whose scale it has
    return found


def with_one_scale(layer: Layer, result: Graph, dtype: str, span: tuple[float, float]) -> list[Layer]:
    """Return the layer, behind rescalings of those inputs that have another scale than its output.

    The output gets its scale in `result`: that of the inputs if they have one, else one for its range `span`.
    """
    (source, *others), (target,) = result.ends(layer)
    if all(other.means_the_same(source) for other in others):
        result.tensors[target.name] = replace(target, dtype=source.dtype, quantization=source.quantization)
        return [layer]
    target = result.tensors[target.name] = target.with_range(dtype, span)
    inputs, layers = [], []
    for index, tensor in enumerate((source, *others)):
        if not tensor.means_the_same(target):
            name = f"{target.name}:{index}"
            rescaled = replace(tensor, name=name, dtype=dtype, quantization=target.quantization)
            result.tensors[name] = rescaled
            layers.append(
                Activation(f"{layer.name}_{index}", tensor.name, name, "linear", source=layer.source)
            )
            tensor = rescaled
        inputs.append(tensor.name)
    return [*layers, replace(layer, inputs=tuple(inputs))]


def in_floats(layer: Layer, result: Graph, dtype: str, found: Spans) -> list[Layer]:
    """Return a layer that has no integers, between layers that turn those into floats and back.

    Its outputs get scales for their ranges in `result`.
    """
    before, inputs, after, outputs = [], [], [], []
    for name in layer.inputs:
        tensor = result.tensors[name]
        if tensor.dtype != "float32":
            tensor = replace(tensor, name=f"{layer.output}:{name}", dtype="float32", quantization=None)
            result.tensors[tensor.name] = tensor
            before.append(Quantize(f"{layer.name}_floats", name, tensor.name, source=layer.source))
        inputs.append(tensor.name)
    for name in layer.outputs:
        tensor = result.tensors[name]
        result.tensors[name] = tensor.with_range(dtype, found[name])
        floats = result.tensors[f"{name}:floats"] = replace(tensor, name=f"{name}:floats")
        after.append(Quantize(f"{layer.name}_integers", floats.name, name, source=layer.source))
        outputs.append(floats.name)
    return [*before, replace(layer, inputs=tuple(inputs), outputs=tuple(outputs)), *after]


def with_rescalings(floats: Graph, quantized: Graph) -> Graph:
    """Return the graph of floats with the layers of the quantised one: what rescales there changes nothing here."""
    like = {layer.output: layer for layer in floats.layers}
    result = floats.copy()
    result.layers = []
    for layer in quantized.layers:
        known = like.get(layer.output)
        is_added = known is None or known.kind != layer.kind
        for name in layer.outputs if is_added else ():
            tensor = quantized.tensors[name]
            result.tensors[name] = replace(tensor, dtype="float32", quantization=None)
        result.layers.append(replace(layer) if is_added else replace(known, inputs=layer.inputs))
    return result
