"""Scalings into the weights of products beside them, and into each other."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ...layers import Dense, Reshape, Scaling
from ...network.graph import Graph
from ...network.layer import Layer
from .products import is_linear_product, is_product, scaled_after, scaled_before
from .rewrite import Passed, if_finite, is_float_or_keeps_values, only_reader, rewrite

# A scaling whose offset is larger than this stays a layer of its own: (x - mean) * scale is exact in float32
# where weights * x + bias would lose log2(offset) of its 24 bits to cancellation.
MAX_FOLDED_OFFSET = 1000.0
_POOLS = ("average_pool", "max_pool", "reduce")


def fold_scalings(graph: Graph, fold_input_scaling: bool = True) -> Passed:
    """Return the graph with scalings folded into products before or after them, and into each other.

    `fold_input_scaling` as in simplify.
    """
    kept = set() if fold_input_scaling else inputs_and_their_reshapes(graph)

    def fold(graph: Graph, first: Layer, second: Layer):
        rules = (
            _merge_scalings,
            _scale_after_product,
            _scale_before_product,
            _swap_scaling_and_reshape,
            _swap_scaling_and_pool,
        )
        if first.input in kept and isinstance(first, Scaling):
            rules = (_merge_scalings,)
        return next(filter(None, (rule(graph, first, second) for rule in rules)), None)

    return rewrite(graph, fold)


def _merge_scalings(graph: Graph, first: Layer, second: Layer):
    """(x s1 + o1) s2 + o2 = x (s1 s2) + (o1 s2 + o2)."""
    if not (isinstance(first, Scaling) and isinstance(second, Scaling)):
        return None
    scale, offset = first.scale * second.scale, first.offset * second.scale + second.offset
    merged = replace(first, outputs=second.outputs, scale=scale, offset=offset)
    return if_finite(merged, f"{first.title}, {second.title}: made one scaling")


def _scale_after_product(graph: Graph, first: Layer, second: Layer):
    """(W x + b) s + o = (diag(s) W) x + (b s + o): batch normalisation."""
    if not (is_linear_product(first) and isinstance(second, Scaling)):
        return None
    folded = replace(scaled_after(first, second), outputs=second.outputs)
    return if_finite(folded, f"{second.title}: folded into the weights of {first.title}")


def _scale_before_product(graph: Graph, first: Layer, second: Layer):
    """W (x s + o) + b = (W diag(s)) x + (W o + b): scalers, and batch normalisation after an activation."""
    if not (isinstance(first, Scaling) and is_product(second)) or not is_foldable(first):
        return None
    folded = scaled_before(first, second, graph.tensors[first.output].shape[-1])
    return folded and if_finite(folded, f"{first.title}: folded into the weights of {second.title}")


def _swap_scaling_and_reshape(graph: Graph, first: Layer, second: Layer):
    """Scale after flattening, with one factor an element, so that the scaling meets a dense layer."""
    if not (isinstance(first, Scaling) and isinstance(second, Reshape)):
        return None
    reader = only_reader(graph, second)
    if not isinstance(reader, Dense) or not is_float_or_keeps_values(graph, reader) or not is_foldable(first):
        return None
    shape, flat = graph.tensors[first.input].shape, graph.tensors[second.output].shape
    scale, offset = (np.broadcast_to(a, shape).ravel() for a in (first.scale, first.offset))
    graph.tensors[first.output] = replace(graph.tensors[first.output], shape=flat)
    reshape = replace(second, inputs=first.inputs, outputs=first.outputs)
    scaling = replace(first, inputs=first.outputs, outputs=second.outputs, scale=scale, offset=offset)
    return [reshape, scaling], f"{first.title}: moved behind {second.title}"


def _swap_scaling_and_pool(graph: Graph, first: Layer, second: Layer):
    """Scale what a pool makes: that is less, and may meet a product. For scales above 0 the greatest stays so."""
    if not (isinstance(first, Scaling) and second.kind in _POOLS):
        return None
    if getattr(second, "activation", "linear") != "linear" or not _commutes(graph, first, second):
        return None
    source, made = graph.tensors[first.input], graph.tensors[second.output]
    graph.tensors[first.output] = replace(source, name=first.output, shape=made.shape)
    pool = replace(second, inputs=first.inputs, outputs=first.outputs)
    scaling = replace(first, inputs=first.outputs, outputs=second.outputs)
    return [pool, scaling], f"{first.title}: moved behind {second.title}"


def _commutes(graph: Graph, scaling: Scaling, pool: Layer) -> bool:
    keeps_order = bool(np.all(scaling.scale > 0))
    if pool.kind == "average_pool":
        return not (pool.count_padding and np.any(scaling.offset))
    if pool.kind == "max_pool":
        return keeps_order
    is_per_channel = scaling.scale.size > 1 or scaling.offset.size > 1
    if is_per_channel and len(graph.tensors[scaling.input].shape) - 1 in pool.axes:
        return False
    return pool.operation == "mean" or pool.operation == "max" and keeps_order


def inputs_and_their_reshapes(graph: Graph) -> set[str]:
    """Names of the tensors that hold the network's inputs, in whatever shape."""
    names = set(graph.inputs)
    for layer in graph.layers:
        if isinstance(layer, Reshape) and layer.input in names:
            names.add(layer.output)
    return names


def is_foldable(layer: Scaling) -> bool:
    return bool(np.all(np.abs(layer.offset) <= MAX_FOLDED_OFFSET))
