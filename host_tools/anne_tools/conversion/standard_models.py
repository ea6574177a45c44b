"""Models that are measured (`anne bench`): the published networks, and made-up ones that show each kernel."""

from __future__ import annotations

import numpy as np

from ..layers.build import GraphBuilder
from ..network.graph import Graph, Metadata
from ..networks import CLASSES, THRESHOLD, Network, published_networks
from .convert import convert

# Inputs and outputs of dense layers with 100, 200 and 400 numbers. 800 would take the emulator two minutes.
PASTED_SHAPES = ((9, 10), (19, 10), (19, 20))

DTYPES = ("float32", "int8-weights", "int16", "int8")


def standard_models() -> dict[str, bytes]:
    """Return the published networks, and made-up models (seed 1) that show each kernel, by name."""
    models = {name: convert(published_graph(network)).data for name, network in published_networks().items()}
    for dtype in DTYPES:
        # 640 x 128 fits the Pico's RAM with weights of a byte only
        for shape in ((4, 8, 3), (16, 16), (64, 64), (128, 128)) + (((640, 128),) if dtype == "int8" else ()):
            graph = random_graph(shape)
            x = np.random.default_rng(1).normal(0, 1, (32, shape[0]))
            models[f"{'-'.join(map(str, shape))} {dtype}"] = convert(graph, dtype, calibrate=x).data
    return models


def head_base() -> bytes:
    """Return a network of 32 features and 3 classes, whose last layer is to be learnt anew."""
    return convert(random_graph((8, 32, 3))).data


def pasted_models() -> list[tuple[bytes, bytes]]:
    """Return dense layers of PASTED_SHAPES, each as a program with its numbers and as a model file."""
    models = []
    for shape in PASTED_SHAPES:
        graph = random_graph(shape)
        (layer,) = graph.layers
        models.append((_pasted(layer.weights, layer.bias).encode(), convert(graph).data))
    return models


def _pasted(weights: np.ndarray, bias: np.ndarray) -> str:
    """Return weights (n_out, n_in) and bias as a program with as many digits as AI-ANNE prints."""
    rows = ",\n".join("[" + ", ".join(f"{w:.8f}" for w in row) + "]" for row in weights)
    return f"ANNE_WEIGHTS = [{rows}]\nANNE_BIAS = [{', '.join(f'{b:.8f}' for b in bias)}]\n"


def published_graph(network: Network) -> Graph:
    """Return a published network, as its authors trained it."""
    builder = GraphBuilder((network.layers[0].n_in,))
    for index, layer in enumerate(network.layers):
        builder.dense(f"dense_{index}", layer.weights, layer.bias, layer.activation)
    return builder.build(Metadata(name=network.name, labels=list(CLASSES), threshold=THRESHOLD))


def random_graph(shape: tuple[int, ...]) -> Graph:
    """Return dense layers of these sizes with relu, softmax at the end of those with several; weights from seed 1."""
    random = np.random.default_rng(1)
    builder = GraphBuilder((shape[0],))
    for index, (n_in, n_out) in enumerate(zip(shape, shape[1:], strict=False)):
        last = index == len(shape) - 2
        weights = random.normal(0, n_in**-0.5, (n_out, n_in))
        builder.dense(f"dense_{index}", weights, random.normal(0, 0.1, n_out), "linear" if last else "relu")
    if len(shape) > 2:
        builder.activation("softmax", "softmax")
    return builder.build(Metadata(name="-".join(map(str, shape))))
