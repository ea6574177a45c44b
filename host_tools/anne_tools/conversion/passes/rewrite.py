"""Simplify a graph without changing what it computes: Graph -> (Graph, notes), the notes for the user's
report.

Every pass looks at two neighbours, a layer and the only one that reads its output, and puts one layer in
their place. All arithmetic is done in float64; `simplify` rounds to float32 once, at its end. Whatever comes
quantised from its file stays as it is, integer for integer, except for layers that only move or repeat
values.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from ..network.graph import Activation, Dense, Graph, Layer, Reshape, Scaling, Tensor

# A scaling whose offset is larger than this stays a layer of its own: (x - mean) * scale is exact in float32
# where weights * x + bias would lose log2(offset) of its 24 bits to cancellation.
MAX_FOLDED_OFFSET = 1000.0

Passed = tuple[Graph, list[str]]
# A rule sees a layer and its only reader; it returns (what replaces them, note), or None if it does not
# apply.
Rule = Callable[[Graph, Layer, Layer], tuple[list[Layer], str] | None]


def simplify(graph: Graph, fold_input_scaling: bool = True) -> Passed:
    """Return (an equal graph with fewer layers, one note a change).

    `fold_input_scaling` False keeps a scaling of the network's inputs as the first layer. Where inputs become
    integers that matters: they share one scale, and only after scaling are features of unlike range alike.
    """
    notes: list[str] = []
    count = -1
    while count != len(notes):
        count = len(notes)
        for one_pass in PASSES:
            graph, more = one_pass(graph)
            notes += more
        graph, more = fold_scalings(graph, fold_input_scaling)
        notes += more
    return _rounded(graph).check(), notes


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
        graph.layers = [_reading(other, layer.output, layer.input) for other in graph.layers]
        graph.outputs = [layer.input if name == layer.output else name for name in graph.outputs]
        notes.append(f"{_title(layer)}: dropped, it changes nothing when the network runs")
    return _pruned(graph), notes


def merge_reshapes(graph: Graph) -> Passed:
    """Return the graph with each run of reshapes made one."""
    return _rewrite(graph, _merge_reshapes)


def fuse_activations(graph: Graph) -> Passed:
    """Return the graph with each activation that follows a linear dense layer made part of that."""
    return _rewrite(graph, _fuse_activation)


def fold_scalings(graph: Graph, fold_input_scaling: bool = True) -> Passed:
    """Return the graph with scalings folded into dense layers before or after them, and into each other.

    `fold_input_scaling` as in simplify.
    """
    kept = set() if fold_input_scaling else _inputs_and_their_reshapes(graph)

    def fold(graph: Graph, first: Layer, second: Layer):
        rules = (_merge_scalings, _scale_after_dense, _scale_before_dense, _swap_scaling_and_reshape)
        if first.input in kept and isinstance(first, Scaling):
            rules = (_merge_scalings,)
        return next(filter(None, (rule(graph, first, second) for rule in rules)), None)

    return _rewrite(graph, fold)


def merge_dense(graph: Graph) -> Passed:
    """Return the graph with linear dense layers (PCA) multiplied into the next where that saves weights."""
    return _rewrite(graph, _merge_dense)


def balance_inputs(graph: Graph, least: np.ndarray, most: np.ndarray) -> Graph | None:
    """Return the graph with a scaling of its inputs from `least` .. `most` to -1 .. 1, taken back by the first layer.

    None if the first layer is not a dense layer of floats, or the inputs' ranges are alike (within a factor of 4).
    """
    readers = list(graph.consumers(graph.inputs[0]))
    if len(readers) != 1 or not isinstance(readers[0], Dense) or not _is_float_or_moves(graph, readers[0]):
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
    result.layers[at : at + 1] = [scaling, replace(first, input=name, weights=weights, bias=bias)]
    return _rounded(result).check()


PASSES = (drop_no_ops, merge_reshapes, fuse_activations, merge_dense)


# Rules


def _merge_reshapes(graph: Graph, first: Layer, second: Layer):
    if isinstance(first, Reshape) and isinstance(second, Reshape):
        merged = replace(second, input=first.input)
        return [merged], f"{_title(first)}, {_title(second)}: made one reshape"
    return None


def _fuse_activation(graph: Graph, first: Layer, second: Layer):
    if not (_is_linear_dense(first) and isinstance(second, Activation)):
        return None
    fused = replace(first, output=second.output, activation=second.activation, alpha=second.alpha)
    return [fused], f"{_title(second)} ({second.activation}): made the activation of {_title(first)}"


def _merge_scalings(graph: Graph, first: Layer, second: Layer):
    """(x s1 + o1) s2 + o2 = x (s1 s2) + (o1 s2 + o2)."""
    if not (isinstance(first, Scaling) and isinstance(second, Scaling)):
        return None
    scale, offset = first.scale * second.scale, first.offset * second.scale + second.offset
    merged = replace(first, output=second.output, scale=scale, offset=offset)
    return _if_finite(merged, f"{_title(first)}, {_title(second)}: made one scaling")


def _scale_after_dense(graph: Graph, first: Layer, second: Layer):
    """(W x + b) s + o = (diag(s) W) x + (b s + o): batch normalisation."""
    if not (_is_linear_dense(first) and isinstance(second, Scaling)):
        return None
    scale, offset = _per_feature(second, len(first.bias))
    weights, bias = first.weights * scale[:, None], first.bias * scale + offset
    folded = replace(first, output=second.output, weights=weights, bias=bias)
    return _if_finite(folded, f"{_title(second)}: folded into the weights of {_title(first)}")


def _scale_before_dense(graph: Graph, first: Layer, second: Layer):
    """W (x s + o) + b = (W diag(s)) x + (W o + b): scalers, and batch normalisation after an activation."""
    if not (isinstance(first, Scaling) and isinstance(second, Dense)):
        return None
    if not _is_foldable(first):
        return None
    scale, offset = _per_feature(first, second.weights.shape[1])
    weights, bias = second.weights * scale, second.weights.astype(np.float64) @ offset + second.bias
    folded = replace(second, input=first.input, weights=weights, bias=bias)
    return _if_finite(folded, f"{_title(first)}: folded into the weights of {_title(second)}")


def _swap_scaling_and_reshape(graph: Graph, first: Layer, second: Layer):
    """Scale after flattening, with one factor an element, so that the scaling meets a dense layer."""
    if not (isinstance(first, Scaling) and isinstance(second, Reshape)):
        return None
    reader = _only_reader(graph, second)
    if not isinstance(reader, Dense) or not _is_float_or_moves(graph, reader) or not _is_foldable(first):
        return None
    shape, flat = graph.tensors[first.input].shape, graph.tensors[second.output].shape
    scale, offset = (np.broadcast_to(a, shape).ravel() for a in (first.scale, first.offset))
    graph.tensors[first.output] = replace(graph.tensors[first.output], shape=flat)
    reshape = replace(second, input=first.input, output=first.output)
    scaling = replace(first, input=first.output, output=second.output, scale=scale, offset=offset)
    return [reshape, scaling], f"{_title(first)}: moved behind {_title(second)}"


def _merge_dense(graph: Graph, first: Layer, second: Layer):
    """W2 (W1 x + b1) + b2 = (W2 W1) x + (W2 b1 + b2)."""
    if not (_is_linear_dense(first) and isinstance(second, Dense)):
        return None
    n_out, n_in = len(second.weights), first.weights.shape[1]
    if n_out * n_in > first.weights.size + second.weights.size:
        return None
    second_weights = second.weights.astype(np.float64)
    weights, bias = second_weights @ first.weights, second_weights @ first.bias + second.bias
    merged = replace(second, input=first.input, weights=weights, bias=bias)
    return _if_finite(merged, f"{_title(first)}, {_title(second)}: multiplied into one dense layer")


# What the rules share


def _rewrite(graph: Graph, rule: Rule) -> Passed:
    """Apply a rule to every layer and its only reader, again and again until it applies nowhere."""
    graph, notes = graph.copy(), []
    index = 0
    while index < len(graph.layers):
        first = graph.layers[index]
        second = _only_reader(graph, first)
        result = rule(graph, first, second) if second and _is_float_or_moves(graph, first, second) else None
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
    return _pruned(graph), notes


def _only_reader(graph: Graph, layer: Layer) -> Layer | None:
    """The layer that alone reads the output of `layer`, which is not an output of the network; else None."""
    readers = list(graph.consumers(layer.output))
    return readers[0] if len(readers) == 1 and layer.output not in graph.outputs else None


def _is_float_or_moves(graph: Graph, *layers: Layer) -> bool:
    """True if layers and tensors are plain float32, or if the layers only reshape, which suits any type."""
    if all(isinstance(layer, Reshape) for layer in layers):
        return all(_same_type(graph.tensors[layer.input], graph.tensors[layer.output]) for layer in layers)
    tensors = [graph.tensors[name] for layer in layers for name in (layer.input, layer.output)]
    floats = all(tensor.dtype == "float32" and tensor.quantization is None for tensor in tensors)
    return floats and not any(isinstance(layer, Dense) and _is_quantized(layer) for layer in layers)


def _is_foldable(layer: Scaling) -> bool:
    return bool(np.all(np.abs(layer.offset) <= MAX_FOLDED_OFFSET))


def _is_quantized(layer: Dense) -> bool:
    return layer.weights_quantization is not None or not np.issubdtype(layer.weights.dtype, np.floating)


def _same_type(a: Tensor, b: Tensor) -> bool:
    """True if equal numbers in `a` and `b` mean equal values."""
    if a.quantization is None or b.quantization is None:
        return a.dtype == b.dtype and a.quantization is b.quantization
    same_scale = np.array_equal(a.quantization.scale, b.quantization.scale)
    return a.dtype == b.dtype and same_scale and a.quantization.zero_point == b.quantization.zero_point


def _is_linear_dense(layer: Layer) -> bool:
    return isinstance(layer, Dense) and layer.activation == "linear"


def _is_no_op(graph: Graph, layer: Layer) -> bool:
    source, target = graph.tensors[layer.input], graph.tensors[layer.output]
    if source.shape != target.shape or not _same_type(source, target):
        return False
    if isinstance(layer, Scaling):
        return bool(np.all(layer.scale == 1) and np.all(layer.offset == 0))
    return isinstance(layer, Reshape) or isinstance(layer, Activation) and layer.activation == "linear"


def _can_drop(graph: Graph, layer: Layer) -> bool:
    """False where an output of the network would become its input, or two outputs the same tensor."""
    return layer.output not in graph.outputs or layer.input not in [*graph.inputs, *graph.outputs]


def _inputs_and_their_reshapes(graph: Graph) -> set[str]:
    """Names of the tensors that hold the network's inputs, in whatever shape."""
    names = set(graph.inputs)
    for layer in graph.layers:
        if isinstance(layer, Reshape) and layer.input in names:
            names.add(layer.output)
    return names


def _reading(layer: Layer, old: str, new: str) -> Layer:
    return replace(layer, input=new) if layer.input == old else layer


def _per_feature(layer: Scaling, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Scale and offset as `n` float64 values each."""
    return tuple(np.broadcast_to(np.asarray(a, np.float64), n) for a in (layer.scale, layer.offset))


def _if_finite(layer: Layer, note: str):
    """A rule's result, unless a float32 cannot hold it: then the layers stay as they are."""
    arrays = (layer.scale, layer.offset) if isinstance(layer, Scaling) else (layer.weights, layer.bias)
    fits = all(np.all(np.abs(a) <= np.finfo(np.float32).max) for a in arrays)
    return ([layer], note) if fits else None


def _rounded(graph: Graph) -> Graph:
    """The graph with weights and biases of its float layers as float32."""
    layers = [
        replace(layer, weights=layer.weights.astype(np.float32), bias=layer.bias.astype(np.float32))
        if isinstance(layer, Dense) and not _is_quantized(layer)
        else layer
        for layer in graph.layers
    ]
    return replace(graph, layers=layers)


def _pruned(graph: Graph) -> Graph:
    """The graph without tensors that no layer reads or makes."""
    used = {*graph.inputs, *graph.outputs}.union(*({layer.input, layer.output} for layer in graph.layers))
    graph.tensors = {name: tensor for name, tensor in graph.tensors.items() if name in used}
    return graph


def _title(layer: Layer) -> str:
    return layer.source or layer.name
