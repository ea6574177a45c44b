"""Scalings where branches meet or part: into all products that read them, or that are added before them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ...layers import Add, Scaling
from ...network.graph import Graph
from ...network.layer import Layer
from .fold_scalings import inputs_and_their_reshapes, is_foldable
from .products import is_linear_product, is_product, scaled_after, scaled_before
from .rewrite import Passed, is_finite, is_float_or_keeps_values, only_reader, pruned


def spread_scalings(graph: Graph, fold_input_scaling: bool = True) -> Passed:
    """Return the graph with scalings folded into several products at once, where all of them can take it.

    `fold_input_scaling` as in simplify.
    """
    graph, notes = graph.copy(), []
    kept = set() if fold_input_scaling else inputs_and_their_reshapes(graph)
    for scaling in [layer for layer in graph.layers if isinstance(layer, Scaling)]:
        if not is_float_or_keeps_values(graph, scaling) or scaling.input in kept:
            continue
        folded = _into_readers(graph, scaling) or _into_summands(graph, scaling)
        if not folded or not all(map(is_finite, folded.values())):
            continue
        at, end = scaling.input, scaling.output
        graph.layers = [folded.get(layer.output, layer) for layer in graph.layers if layer is not scaling]
        # Of a sum the last layer gives what the scaling gave; its readers have no other change.
        if end in graph.outputs or any(graph.consumers(end)):
            graph.layers = [
                replace(layer, outputs=(end,)) if layer.output == at else layer for layer in graph.layers
            ]
        titles = ", ".join(layer.title for layer in folded.values())
        notes.append(f"{scaling.title}: folded into the weights of {titles}")
    return pruned(graph), notes


def _into_readers(graph: Graph, scaling: Scaling) -> dict[str, Layer] | None:
    """W (x s + o) + b = (W diag(s)) x + (W o + b), for each of the layers that read it; by their outputs."""
    readers = list(graph.consumers(scaling.output))
    if scaling.output in graph.outputs or not is_foldable(scaling):
        return None
    if not all(is_product(layer) and is_float_or_keeps_values(graph, layer) for layer in readers):
        return None
    n_in = graph.tensors[scaling.output].shape[-1]
    folded = {layer.output: scaled_before(scaling, layer, n_in) for layer in readers}
    return None if None in folded.values() else folded


def _into_summands(graph: Graph, scaling: Scaling) -> dict[str, Layer] | None:
    """(a + b) s + o = (a s + o) + b s, where all that is added are linear products for this sum alone."""
    summands = _summands(graph, scaling)
    if not summands:
        return None
    without_offset = replace(scaling, offset=np.zeros(1))
    return {
        layer.output: scaled_after(layer, without_offset if index else scaling)
        for index, layer in enumerate(summands)
    }


def _summands(graph: Graph, scaling: Scaling) -> list[Layer] | None:
    """The products of which `scaling` scales the sum; None if anything else is in it."""
    found, asked = [], [(scaling.input, scaling)]
    while asked:
        name, reader = asked.pop()
        made = next((layer for layer in graph.layers if name in layer.outputs), None)
        if (
            made is None
            or only_reader(graph, made) is not reader
            or not is_float_or_keeps_values(graph, made)
        ):
            return None
        if is_linear_product(made):
            found.append(made)
        elif isinstance(made, Add) and made.activation == "linear" and _adds_two_of_one_shape(graph, made):
            asked += [(name, made) for name in reversed(made.inputs)]
        else:
            return None
    return found


def _adds_two_of_one_shape(graph: Graph, layer: Add) -> bool:
    tensors, _ = graph.ends(layer)
    return len(set(layer.inputs)) == 2 and tensors[0].shape == tensors[1].shape
