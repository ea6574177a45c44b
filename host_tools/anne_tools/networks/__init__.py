"""The published IRIS networks of AI-ANNE, from the data files in this folder (README.md there says whence)."""

import csv
import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from ..errors import ModelError

_FILES = ("iris_8_neurons.json", "iris_6_neurons.json", "iris_4_4_2_1.json")
THRESHOLD = 0.5  # an output above this is class 1, virginica
CLASSES = ("versicolor", "virginica")


@dataclass(frozen=True)
class NetworkLayer:
    """One dense layer: weights are [n_out][n_in]."""

    n_in: int
    n_out: int
    weights: list[list[float]]
    bias: list[float]
    activation: str


@dataclass(frozen=True)
class Network:
    """A published network with the rows it is judged on, what was published and what must come out."""

    name: str
    title: str
    layers: list[NetworkLayer]
    inputs: list[list[float]]
    labels: list[int]
    published: str | None
    note: str
    expected_accuracy: float
    expected_confusion: list[list[int]]
    expected_outputs: list[float]


@dataclass(frozen=True)
class Training:
    """A training as published: where it began, on which rows, and the losses it printed, epoch -> sum over the rows."""

    layers: list[NetworkLayer]
    inputs: list[list[float]]
    labels: list[int]
    lr: float
    epochs: int
    published_losses: dict[int, float]
    published_accuracy: str


@cache
def published_training() -> Training:
    """Return the network that AI-ANNE has learn from the 20 rows, one after the other."""
    data = json.loads(_text("selflearning_4_3_1.json"))
    layers = [NetworkLayer(**layer) for layer in data["layers"]]
    losses = dict(zip(data["published"]["epochs"], data["published"]["losses"], strict=True))
    return Training(layers, *_rows(data), data["lr"], data["epochs"], losses, data["published"]["accuracy"])


@cache
def published_networks() -> dict[str, Network]:
    """Return the networks by name, in the order they are told of."""
    return {network.name: network for file in _FILES for network in _read(file)}


def published_network(name: str) -> Network:
    networks = published_networks()
    if name not in networks:
        raise ModelError(f"no published network {name!r}; there are: {', '.join(networks)}")
    return networks[name]


def _read(file: str) -> list[Network]:
    data = json.loads(_text(file))
    inputs, labels = _rows(data)
    return [
        Network(
            variant["name"],
            variant["title"],
            [
                NetworkLayer(layer["n_in"], layer["n_out"], layer["weights"], layer["bias"], activation)
                for layer, activation in zip(data["layers"], variant["activations"], strict=True)
            ],
            inputs,
            labels,
            variant["published"],
            variant["note"],
            variant["expected"]["accuracy"],
            variant["expected"]["confusion"],
            variant["expected"]["outputs"],
        )
        for variant in data["variants"]
    ]


def _rows(data: dict) -> tuple[list[list[float]], list[int]]:
    """Return the rows a network is judged on, scaled as it was trained, and their classes."""
    if data["rows"].endswith(".json"):
        rows = json.loads(_text(data["rows"]))
        return rows["inputs"], rows["labels"]
    table = [[float(value) for value in row] for row in csv.reader(_text(data["rows"]).splitlines())]
    low, high = data["scaling"]["min"], data["scaling"]["max"]
    inputs = [[(v - a) / (b - a + 1e-9) for v, a, b in zip(row[1:], low, high, strict=True)] for row in table]
    return inputs, [int(row[0]) for row in table]


def _text(file: str) -> str:
    return files(__name__).joinpath(file).read_text("utf-8")
