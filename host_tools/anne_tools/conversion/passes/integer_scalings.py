"""Scalings for a network of integers, in which one can only turn floats into integers: at the network's inputs."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ...layers import Dense, DepthwiseConv, Reshape, Scaling
from ...layers.windows import Window
from ...network.graph import Graph
from ...network.layer import Layer
from ...network.tensor import Tensor
from .fold_scalings import inputs_and_their_reshapes
from .fuse_activations import fuse_activations
from .rewrite import Passed, free_name, rounded

# Up to so many features, a dense layer of a flat vector takes less time than a depthwise convolution.
_FEW = 32


def scaled_tensors(graph: Graph) -> set[str]:
    """Names of the tensors that hold inputs which a layer (a scaling) takes as floats, to give integers; reshaped ones,
    too."""
    inputs = inputs_and_their_reshapes(graph)
    scaled = {layer.input for layer in graph.layers if layer.takes_floats and layer.input in inputs}
    reshapes = [layer for layer in graph.layers if isinstance(layer, Reshape) and layer.input in inputs]
    for layer in reversed(reshapes):  # back to the input, then to all that is the same
        if layer.output in scaled:
            scaled.add(layer.input)
    for layer in reshapes:
        if layer.input in scaled:
            scaled.add(layer.output)
    return scaled


def integer_scalings(graph: Graph) -> Passed:
    """Return a graph of the same values of which every layer has integers.

    A scaling of values between layers (batch normalisation after an addition) becomes a depthwise convolution of one
    tap, or, of flat values, a dense layer whose weights are zeros but for one in each row; as rows have scales of their
    own, each factor keeps all its bits. Where an input is
    scaled, its other readers get the values from a scaling by 1, which rounds them.
    """
    graph, notes = graph.copy(), []
    floats, layers = scaled_tensors(graph), []
    rounded_names: dict[str, str] = {}
    for layer in graph.layers:
        if isinstance(layer, Scaling) and layer.input not in floats:
            made = _as_product(layer, graph)
            layers += made
            kind = next(one.kind for one in made if one.n_weights).replace("_", " ")
            notes.append(f"{layer.title}: made a {kind} layer, as integers between layers have no scaling")
        elif layer.takes_floats or isinstance(layer, Reshape):
            layers.append(layer)
        else:
            for name in layer.inputs:
                if name in floats and name not in rounded_names:
                    layers.append(_rounding(name, graph))
                    rounded_names[name] = layers[-1].output
            inputs = tuple(rounded_names.get(name, name) for name in layer.inputs)
            layers.append(replace(layer, inputs=inputs))
    graph, fused = fuse_activations(replace(graph, layers=layers))
    return rounded(graph).check(), notes + fused


def _as_product(scaling: Scaling, graph: Graph) -> list[Layer]:
    """The layer of weights that scales: a depthwise convolution of one tap, between reshapes if what it reads is no
    image or signal; of few flat features a dense layer. Their tensors come to the graph."""
    source = graph.tensors[scaling.input]
    n = source.shape[-1]
    scale, offset = (np.broadcast_to(np.asarray(a, np.float64), n) for a in (scaling.scale, scaling.offset))
    title = {"source": scaling.source}
    if source.shape == (n,) and n <= _FEW:
        return [Dense(scaling.name, scaling.inputs, scaling.outputs, np.diag(scale), offset.copy(), **title)]
    weights = (scale.reshape(-1, 1, 1), offset.copy(), Window((1, 1)))
    if len(source.shape) in (2, 3):
        return [DepthwiseConv(scaling.name, scaling.inputs, scaling.outputs, *weights, **title)]
    rows, scaled = (_like(source, f"{scaling.output}:{what}", graph) for what in ("rows", "scaled"))
    for name in (rows, scaled):
        graph.tensors[name] = replace(graph.tensors[name], shape=(source.size // n, n))
    return [
        Reshape(f"{scaling.name}_rows", scaling.inputs, rows, **title),
        DepthwiseConv(scaling.name, rows, scaled, *weights, **title),
        Reshape(f"{scaling.name}_shape", scaled, scaling.outputs, **title),
    ]


def _rounding(name: str, graph: Graph) -> Layer:
    """The scaling by 1 that gives the floats of tensor `name` as integers; its output comes to the graph."""
    output = _like(graph.tensors[name], f"{name}:rounded", graph)
    return Scaling(f"{name}_rounding", name, output, np.ones(1), np.zeros(1), source=f"rounding of {name}")


def _like(tensor: Tensor, name: str, graph: Graph) -> str:
    """The name of a new tensor in the graph like that one: `name`, or a longer one."""
    name = free_name(graph, name)
    graph.tensors[name] = replace(tensor, name=name)
    return name
