"""The page's network, as the host library has it and as it is drawn."""

from __future__ import annotations

from array import array

import numpy as np
from anne.model_writer import dense_network


def written(explorer, parameters: list[float]) -> bytes:
    """The file of a network with these weights and biases, and else as the page's, by anne.model_writer."""
    about = explorer.page.evaluate(
        "({sizes: anne.sizes, activations: anne.activations, scaling: anne.fileScales && anne.scaling,"
        " labels: anne.data.labels, features: anne.data.features, name: anne.data.name})"
    )
    rest, layers = array("f", parameters), []
    for n_in, n_out in zip(about["sizes"], about["sizes"][1:], strict=False):
        weights, rest = rest[: n_in * n_out], rest[n_in * n_out :]
        bias, rest = rest[:n_out], rest[n_out:]
        layers.append((weights, bias))
    scaling = about["scaling"] and (about["scaling"]["factors"], about["scaling"]["offsets"])
    names = about["name"], about["labels"], about["features"]
    return dense_network(None, layers, about["activations"], *names, scaling)


def drawn_neurons(explorer, layer: int) -> np.ndarray:
    """The values in a layer's circles; layer 0 are the inputs."""
    circles = (
        f"Array.from(document.querySelectorAll('[id^=neuron-{layer}-]'), (g) => Number(g.dataset.value))"
    )
    return np.array(explorer.page.evaluate(circles), np.float32)


def drawn_weights(explorer) -> dict[str, float]:
    """The weight of each line, by "layer,neuron,input"."""
    return explorer.page.evaluate(
        "Object.fromEntries(Array.from(document.querySelectorAll('line[data-weight]'),"
        " (line) => [line.dataset.weight, Number(line.dataset.value)]))"
    )
