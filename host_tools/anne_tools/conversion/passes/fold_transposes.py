"""Transposes between a dense layer and reshapes: its weights change places instead.

What PyTorch and ONNX flatten has its channels in front, and a vector that becomes an image has them so, too; our images
have them last.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ...layers import Concatenate, Dense, Reshape, Transpose
from ...network.graph import Graph
from ...network.layer import Layer
from .rewrite import Passed, only_reader, pruned


def fold_transposes(graph: Graph) -> Passed:
    """Return (the graph without transposes that a dense layer behind or before them takes in, notes)."""
    graph, notes = graph.copy(), []
    for transpose in [layer for layer in graph.layers if isinstance(layer, Transpose)]:
        dense = _behind(graph, transpose) or _before(graph, transpose)
        if dense is not None:
            notes.append(f"{transpose.title}: the weights of {dense.title} changed places")
    return pruned(graph), notes


def _order(graph: Graph, transpose: Transpose) -> np.ndarray:
    """For each element of the output, in a row, its place in the input."""
    shape = graph.tensors[transpose.input].shape
    return np.arange(graph.tensors[transpose.input].size).reshape(shape).transpose(transpose.order).ravel()


def _reshaped(transpose: Transpose, source: str, target: str) -> Reshape:
    """What comes instead of the transpose, and of the reshapes beside it."""
    return Reshape(transpose.name, source, target, source=transpose.source)


def _is_plain(graph: Graph, dense: Layer) -> bool:
    ends = [graph.tensors[name] for name in (*dense.inputs, *dense.outputs)]
    return isinstance(dense, Dense) and not dense.is_quantized and all(tensor.is_float for tensor in ends)


def _behind(graph: Graph, transpose: Transpose) -> Layer | None:
    """Dense, reshapes, transpose: rows of the weights change places."""
    makers = {name: layer for layer in graph.layers for name in layer.outputs}
    dropped, dense = [transpose], makers.get(transpose.input)
    while isinstance(dense, Reshape) and only_reader(graph, dense) is dropped[-1]:
        dropped.append(dense)
        dense = makers.get(dense.input)
    if dense is None or only_reader(graph, dense) is not dropped[-1]:
        return None
    if not _is_plain(graph, dense) or "softmax" in dense.activation:
        return None
    order = _order(graph, transpose)
    turned = replace(dense, weights=dense.weights[order], bias=dense.bias[order])
    instead = {id(dense): [turned], id(transpose): [_reshaped(transpose, dense.output, transpose.output)]}
    _replace(graph, instead, dropped)
    return dense


def _before(graph: Graph, transpose: Transpose) -> Layer | None:
    """Transpose, reshapes, perhaps a concatenation of vectors, dense: columns of the weights change places."""
    dropped: list[Layer] = [transpose]
    reader = only_reader(graph, transpose)
    while isinstance(reader, Reshape):
        dropped.append(reader)
        reader = only_reader(graph, reader)
    flat, first = dropped[-1].output, 0
    if reader is None or len(graph.tensors[flat].shape) != 1:
        return None
    if isinstance(reader, Concatenate):
        if reader.inputs.count(flat) != 1:
            return None
        before = reader.inputs[: reader.inputs.index(flat)]
        first, reader = sum(graph.tensors[name].size for name in before), only_reader(graph, reader)
    if reader is None or not _is_plain(graph, reader):
        return None
    order, weights = _order(graph, transpose), reader.weights.copy()
    weights[:, first + order] = reader.weights[:, first : first + len(order)]
    instead = {id(transpose): [_reshaped(transpose, transpose.input, flat)]}
    _replace(graph, instead | {id(reader): [replace(reader, weights=weights)]}, dropped)
    return reader


def _replace(graph: Graph, instead: dict[int, list[Layer]], dropped: list[Layer]) -> None:
    gone = {id(layer): [] for layer in dropped}
    graph.layers = [new for layer in graph.layers for new in (gone | instead).get(id(layer), [layer])]
