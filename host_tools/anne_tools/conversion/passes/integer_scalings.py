"""Scalings for a network of integers, in which one can only turn floats into integers: at the network's inputs."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ...layers import Dense, Reshape, Scaling
from ...network.graph import Graph
from ...network.layer import Layer
from ...network.tensor import Tensor
from .fold_scalings import inputs_and_their_reshapes
from .fuse_activations import fuse_activations
from .rewrite import Passed, free_name, rounded

# Weights of all scalings that become dense layers: half of what a Pico's flash has room for.
MAX_WEIGHTS = 1 << 20


def scaled_tensors(graph: Graph) -> set[str]:
    """Names of the tensors that hold inputs which a scaling turns from floats into integers; reshaped ones, too."""
    inputs = inputs_and_their_reshapes(graph)
    scaled = {layer.input for layer in graph.layers if isinstance(layer, Scaling) and layer.input in inputs}
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

    A scaling of values between layers (batch normalisation after an addition) becomes a dense layer whose weights are
    zeros but for one in each row; as rows have scales of their own, each factor keeps all its bits. Where an input is
    scaled, its other readers get the values from a scaling by 1, which rounds them.
    """
    graph, notes = graph.copy(), []
    floats, layers, room = scaled_tensors(graph), [], MAX_WEIGHTS
    rounded_names: dict[str, str] = {}
    for layer in graph.layers:
        n_weights = graph.tensors[layer.input].size ** 2
        if isinstance(layer, Scaling) and layer.input not in floats and n_weights <= room:
            room -= n_weights
            layers += _as_dense(layer, graph)
            notes.append(f"{layer.title}: made a dense layer, as integers between layers have no scaling")
        elif isinstance(layer, Scaling | Reshape):
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


def _as_dense(scaling: Scaling, graph: Graph) -> list[Layer]:
    """The dense layer that scales, between reshapes if its tensors are not flat; their tensors come to the graph."""
    source = graph.tensors[scaling.input]
    scale, offset = (
        np.broadcast_to(np.asarray(a, np.float64), source.shape).ravel()
        for a in (scaling.scale, scaling.offset)
    )
    title = {"source": scaling.source}
    if len(source.shape) == 1:
        return [Dense(scaling.name, scaling.inputs, scaling.outputs, np.diag(scale), offset.copy(), **title)]
    flat, scaled = (_like(source, f"{scaling.output}:{what}", graph) for what in ("flat", "scaled"))
    for name in (flat, scaled):
        graph.tensors[name] = replace(graph.tensors[name], shape=(source.size,))
    return [
        Reshape(f"{scaling.name}_flat", scaling.inputs, flat, **title),
        Dense(scaling.name, flat, scaled, np.diag(scale), offset.copy(), **title),
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
